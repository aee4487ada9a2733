package webhook

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/sync/errgroup"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// ConvertPath is where conversions are served, for all kinds.
const ConvertPath = "/convert"

// ValidatePath is where a kind is validated: /validate-GROUP-VERSION-KIND in lower case, with dashes for dots.
func ValidatePath(gvk schema.GroupVersionKind) string { return "/validate-" + slug(gvk) }

// MutatePath is where a kind is defaulted: /mutate-GROUP-VERSION-KIND in lower case, with dashes for dots.
func MutatePath(gvk schema.GroupVersionKind) string { return "/mutate-" + slug(gvk) }

func slug(gvk schema.GroupVersionKind) string {
	return strings.ReplaceAll(gvk.Group, ".", "-") + "-" + gvk.Version + "-" + strings.ToLower(gvk.Kind)
}

// Certificates are what a Server shows to its clients; package runtime/webhook/certs has them.
type Certificates interface {
	// Run keeps them up to date until ctx ends.
	Run(ctx context.Context) error
	// GetCertificate is called for each connection. It may wait, as long as the hello's context allows.
	GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error)
	// Ready says why there is none yet.
	Ready() error
}

// Options of a Server.
type Options struct {
	// Address to listen on, as HOST:PORT. Default: ":9443".
	Address string
	// Listener takes the place of Address. Run closes it.
	Listener net.Listener
	// Certificates for TLS, which API servers insist on. nil: plain HTTP.
	Certificates Certificates
	// TLS may change the configuration of TLS: cipher suites, client certificates. Versions below 1.2 are off.
	TLS func(*tls.Config)
	// Scheme knows the types of NewWebhookManagedBy, and Hubs.
	Scheme *kruntime.Scheme
	// ShutdownTimeout is how long requests under way have when Run is to end. Default: 10 s.
	ShutdownTimeout time.Duration
	Logger          logr.Logger
}

// Server serves webhooks. What it serves may be added while it runs.
type Server struct {
	opts Options
	log  logr.Logger

	mu         sync.RWMutex
	listening  bool
	handlers   map[string]*measured // by path
	converters map[schema.GroupKind]Converter
}

// NewServer makes a Server. It starts nothing.
func NewServer(o Options) *Server {
	if o.Address == "" {
		o.Address = ":9443"
	}
	if o.ShutdownTimeout == 0 {
		o.ShutdownTimeout = 10 * time.Second
	}
	if o.Logger.GetSink() == nil {
		o.Logger = logr.Discard()
	}
	return &Server{opts: o, log: o.Logger, handlers: map[string]*measured{}, converters: map[schema.GroupKind]Converter{}}
}

// Handle serves an admission Handler at a path. Error: something else is served there.
func (s *Server) Handle(path string, h Handler) error {
	return s.HandleHTTP(path, AdmissionHandler(h, s.log.WithValues("webhook", path)))
}

// HandleHTTP serves anything else at a path. Error: something else is served there.
func (s *Server) HandleHTTP(path string, h http.Handler) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.handle(path, h)
}

func (s *Server) handle(path string, h http.Handler) error {
	if s.handlers[path] != nil {
		return fmt.Errorf("webhook: there is something at %s", path)
	}
	s.handlers[path] = newMeasured(h)
	return nil
}

// HandleConversion has ConvertPath convert a kind. Error: there is another Converter for it.
func (s *Server) HandleConversion(kind schema.GroupKind, c Converter) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.converters[kind] != nil {
		return fmt.Errorf("webhook: there is a converter for %s", kind)
	}
	if len(s.converters) == 0 {
		h := ConversionHandler(s.converter, s.log.WithValues("webhook", ConvertPath))
		if err := s.handle(ConvertPath, h); err != nil {
			return err
		}
	}
	s.converters[kind] = c
	return nil
}

func (s *Server) converter(kind schema.GroupKind) Converter {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.converters[kind]
}

// ServeHTTP implements http.Handler: all that is served, without a socket.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	h := s.handlers[r.URL.Path]
	s.mu.RUnlock()
	if h == nil {
		http.NotFound(w, r)
		return
	}
	h.ServeHTTP(w, r)
}

// Ready is a runtime.Check: whether API servers can reach the webhooks.
func (s *Server) Ready(*http.Request) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if !s.listening {
		return errors.New("webhook: the server is not running")
	}
	if s.opts.Certificates != nil {
		return s.opts.Certificates.Ready()
	}
	return nil
}

// Run serves until ctx ends, and then lets requests under way finish. It is a runtime.Runnable, to be run by every
// replica (Manager.Add with leader unset), and may be called once.
func (s *Server) Run(ctx context.Context) error {
	listener := s.opts.Listener
	if listener == nil {
		var err error
		if listener, err = new(net.ListenConfig).Listen(ctx, "tcp", s.opts.Address); err != nil {
			return fmt.Errorf("webhook: Options.Address: %w", err)
		}
	}
	server := &http.Server{
		Handler: s, TLSConfig: s.tlsConfig(), ErrorLog: slog.NewLogLogger(logr.ToSlogHandler(s.log), slog.LevelDebug),
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
	}
	group, ctx := errgroup.WithContext(ctx)
	if c := s.opts.Certificates; c != nil {
		group.Go(func() error { return c.Run(ctx) })
	}
	group.Go(func() error {
		<-ctx.Done()
		s.setListening(false)
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.opts.ShutdownTimeout)
		defer cancel()
		if err := server.Shutdown(last); err != nil {
			return errors.Join(fmt.Errorf("webhook: requests were cut off: %w", err), server.Close())
		}
		return nil
	})
	group.Go(func() error {
		s.setListening(true)
		serve := server.Serve
		if s.opts.Certificates != nil {
			serve = func(l net.Listener) error { return server.ServeTLS(l, "", "") }
		}
		if err := serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("webhook: %w", err)
		}
		return nil
	})
	return group.Wait()
}

func (s *Server) setListening(to bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listening = to
}

func (s *Server) tlsConfig() *tls.Config {
	if s.opts.Certificates == nil {
		return nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: s.opts.Certificates.GetCertificate}
	if s.opts.TLS != nil {
		s.opts.TLS(c)
	}
	return c
}
