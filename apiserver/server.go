// Package apiserver puts the server together: storage below, the watch cache over it, the registry of objects, and
// the HTTP handlers of everything that Kubernetes' API serves. A Server is a http.Handler and a Run method; who
// listens, with which certificates, is the caller's business (cmd/keelson, apiservertest).
package apiserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/sync/errgroup"

	"github.com/keelson-project/keelson/apiserver/admission"
	"github.com/keelson-project/keelson/apiserver/auth"
	"github.com/keelson-project/keelson/apiserver/builtin"
	"github.com/keelson-project/keelson/apiserver/builtin/models"
	"github.com/keelson-project/keelson/apiserver/discovery"
	"github.com/keelson-project/keelson/apiserver/endpoints"
	"github.com/keelson-project/keelson/apiserver/health"
	"github.com/keelson-project/keelson/apiserver/metrics"
	"github.com/keelson-project/keelson/apiserver/openapi"
	"github.com/keelson-project/keelson/apiserver/registry"
	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/watchcache"
	"github.com/keelson-project/keelson/crd"
	"github.com/keelson-project/keelson/crd/conversion"
)

// Config of a Server. Store, Authenticator and Authorizer are required.
type Config struct {
	Store         storage.Store // closed by the caller, after Run has returned
	Authenticator auth.Authenticator
	Authorizer    auth.Authorizer
	Logger        logr.Logger // zero: discards
	// Address is advertised to clients in /api; "" advertises the host they asked for.
	Address string
	// Handlers serve further paths, for whoever is authorized to: those that end in a slash all that begin with them.
	Handlers map[string]http.Handler
}

// Server is a Kubernetes API server.
type Server struct {
	config   Config
	log      logr.Logger
	catalog  *resource.Catalog
	cache    *watchcache.Cache
	registry *registry.Registry
	crds     *crd.Installer
	webhooks *conversion.Webhooks
	crdKind  *resource.Definition
	// packedCRDs is the form in which the installer follows the stored CRDs.
	packedCRDs *watchcache.Config

	api       *endpoints.API
	discovery *discovery.Server
	openapi   *openapi.Server
	health    *health.Checks
	metrics   *metrics.Metrics

	syncOnce sync.Once
	synced   chan struct{} // closed when every stored CRD is served
	ready    chan struct{} // closed when every stored CRD is served and the system namespaces exist
	stopping chan struct{} // closed when Run ends: watches end then
	stopOnce sync.Once
}

// New returns a Server. Nothing runs and nothing is read before Run.
func New(c Config) (*Server, error) {
	if c.Store == nil || c.Authenticator == nil || c.Authorizer == nil {
		return nil, errors.New("apiserver: Config needs Store, Authenticator and Authorizer")
	}
	if c.Logger.GetSink() == nil {
		c.Logger = logr.Discard()
	}
	s := &Server{
		config: c, log: c.Logger, catalog: resource.NewCatalog(),
		synced: make(chan struct{}), ready: make(chan struct{}), stopping: make(chan struct{}),
		metrics: metrics.New(),
	}
	models := models.Embedded()
	if err := s.defineKinds(models); err != nil {
		return nil, err
	}
	c.Store = newTranscoding(s.metrics.Store(c.Store), s.catalog)
	s.config.Store = c.Store
	s.cache = watchcache.New(c.Store, watchcache.Options{Prefix: "/registry/", Logger: s.log.WithName("watchcache")})
	s.registry = registry.New(c.Store, s.cache, registry.Options{
		Admission: admission.NewNamespaceLifecycle(namespaces{s}), Models: models,
	})
	s.api = endpoints.New(s.catalog, s.registry, endpoints.Options{Stopping: s.stopping, WatchEvent: s.metrics.WatchEvent})
	s.discovery = discovery.New(s.catalog, discovery.Options{ServerAddress: c.Address})
	s.openapi = openapi.New(s.catalog, openapi.Options{Models: models, Version: minorVersion})
	s.health = s.newHealth()
	s.metrics.CollectObjects(s.countObjects)
	return s, nil
}

// defineKinds fills the catalog with what is built in; CRDs join when Run reads them.
func (s *Server) defineKinds(models *models.Set) error {
	ips := builtin.NewIPAllocator(builtin.DefaultServiceCIDR, s.storedServiceIPs)
	for _, d := range builtin.Definitions(builtin.Options{Models: models, ServiceIPs: ips}) {
		s.catalog.Put(d)
	}
	s.webhooks = conversion.NewWebhooks(conversion.Options{
		Resolver: services{s},
		Observe:  func(took time.Duration, failure conversion.Failure) { s.metrics.Conversion(took, string(failure)) },
	})
	s.crds = crd.NewInstaller(crd.Config{
		Catalog: s.catalog, Server: crdServer{s}, Webhooks: s.webhooks,
		Log: slog.New(logr.ToSlogHandler(s.log.WithName("crd"))),
	})
	s.crdKind = crd.Definition(s.crds)
	s.packedCRDs = packCRDs(s.crdKind.Prefix)
	s.catalog.Put(s.crdKind)
	return nil
}

// countObjects reports what the cache holds, by kind.
func (s *Server) countObjects() []metrics.Objects {
	byPrefix := map[string]watchcache.ResourceStats{}
	for _, r := range s.cache.Stats().Resources {
		if r.Form == "" {
			byPrefix[r.Prefix] = r
		}
	}
	var out []metrics.Objects
	for d := range s.catalog.All() {
		if r, ok := byPrefix[d.Prefix]; ok && d.Keeper == nil {
			out = append(out, metrics.Objects{Resource: d.GroupResource(), Count: r.Entries, Bytes: r.Bytes})
		}
	}
	return out
}

// Run serves until ctx ends: it keeps the watch on the store, the served kinds in step with the stored CRDs, and
// makes the system's own objects. It returns when all its goroutines have.
func (s *Server) Run(ctx context.Context) error {
	defer s.webhooks.Close()
	defer s.stop()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.cache.Run(ctx) })
	g.Go(func() error { return s.crds.Run(ctx) })
	g.Go(func() error { return s.followCRDs(ctx) })
	g.Go(func() error { return s.bootstrap(ctx) })
	err := g.Wait()
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (s *Server) stop() { s.stopOnce.Do(func() { close(s.stopping) }) }

// Ready returns a channel that is closed when the server is ready for clients.
func (s *Server) Ready() <-chan struct{} { return s.ready }

// Serve answers HTTP on a listener (TLS has been put on it by the caller) until ctx ends; then it lets running
// requests finish for at most grace, ends the watches at once, and returns.
func (s *Server) Serve(ctx context.Context, hs *http.Server, serve func() error, grace time.Duration) error {
	failed := make(chan error, 1)
	go func() { failed <- serve() }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	s.stop()
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := hs.Shutdown(end)
	if err != nil {
		_ = hs.Close()
	}
	if e := <-failed; e != nil && !errors.Is(e, http.ErrServerClosed) {
		return fmt.Errorf("serving: %w", e)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		s.log.Info("connections were cut: they did not finish in time", "grace", grace)
		return nil
	}
	return err
}
