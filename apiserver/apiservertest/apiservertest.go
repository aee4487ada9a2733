// Package apiservertest starts a real Keelson API server inside a test's process, on the memory backend, in
// milliseconds: what envtest is for, without its binaries. Nothing is faked: requests take the whole way through
// authentication, admission, registry, store and watch cache.
package apiservertest

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"

	"github.com/keelson-project/keelson/apiserver"
	"github.com/keelson-project/keelson/apiserver/auth"
	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/storage/memory"
)

// Options of a test server; the zero value is a server without CRDs.
type Options struct {
	// CRDs are YAML files, or folders of them, that are installed before Start returns.
	CRDs []string
	// Store is the backend; nil makes a memory store, which is closed at the end of the test.
	Store storage.Store
	// Logger gets the server's log; zero discards it.
	Logger logr.Logger
	// Controllers run beside the server, once the CRDs are installed, and have ended when Stop returns. Each gets the
	// server's Transport, and is to return when its context ends. Those that Kubernetes has in its
	// kube-controller-manager come from package controllers:
	//
	//	Controllers: controllers.ForTest(garbagecollector.Name, namespace.Name)
	Controllers []Controller
	// NoListener leaves the socket out: Transport and Handler are the ways in, and URL is "". A server within a
	// testing/synctest bubble needs this, since a goroutine that waits for a connection keeps its time from passing.
	NoListener bool
}

// Controller runs until ctx ends. That it fails fails the test.
type Controller = func(ctx context.Context, transport http.RoundTripper) error

// Server is a running test server.
type Server struct {
	// URL of a plain-HTTP listener on the loopback interface, for clients that need a socket; "" with NoListener.
	URL string
	// Token is a bearer token of an administrator (group system:masters).
	Token string
	// Handler is the server itself, for httptest.ResponseRecorder and the like.
	Handler http.Handler

	transport http.RoundTripper
	stop      func()
}

// Start starts a server and stops it, after everything it runs has ended, when the test does. It fails the test
// where that is not possible.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	store := o.Store
	if store == nil {
		store = memory.New(memory.Options{})
	}
	s, err := start(t.Context(), store, o)
	if err != nil {
		t.Fatalf("apiservertest: %v", err)
	}
	t.Cleanup(func() {
		s.Stop()
		if o.Store == nil {
			_ = store.Close()
		}
	})
	for _, path := range o.CRDs {
		if err := s.installCRDs(path); err != nil {
			t.Fatalf("apiservertest: %v", err)
		}
	}
	s.run(t, o.Controllers)
	return s
}

// run starts the controllers, and has Stop end them before the server.
func (s *Server) run(t testing.TB, controllers []Controller) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var running sync.WaitGroup
	for i, c := range controllers {
		running.Go(func() {
			if err := c(ctx, s.Transport()); err != nil {
				t.Errorf("apiservertest: controller %d: %v", i, err)
			}
		})
	}
	stopServer := s.stop
	s.stop = func() {
		cancel()
		running.Wait()
		stopServer()
	}
}

const adminToken = "apiservertest-admin"

func start(ctx context.Context, store storage.Store, o Options) (*Server, error) {
	server, err := apiserver.New(apiserver.Config{
		Store:         store,
		Authenticator: auth.StaticToken(adminToken, auth.User{Name: "admin", Groups: []string{auth.Masters}}),
		Authorizer:    auth.MastersOnly{},
		Logger:        o.Logger,
	})
	if err != nil {
		return nil, err
	}
	// The test's context ends before its cleanups run; the server's life ends with Stop.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ran := make(chan error, 1)
	go func() { ran <- server.Run(ctx) }()
	s := &Server{Token: adminToken, Handler: server, transport: apiserver.Transport(server)}
	closeListener := func() {}
	if !o.NoListener {
		closeListener = s.listen(ctx)
	}
	s.stop = sync.OnceFunc(func() {
		cancel()
		<-ran //nolint:errcheck // Run's log has told of it; who stops the server wants it gone
		closeListener()
	})
	select {
	case <-server.Ready():
		return s, nil
	case err := <-ran:
		ran <- err
		s.stop()
		return nil, err
	case <-time.After(30 * time.Second):
		s.stop()
		return nil, context.DeadlineExceeded
	}
}

// listen opens the socket, until the returned function is called.
func (s *Server) listen(ctx context.Context) (stop func()) {
	hs := httptest.NewUnstartedServer(s.Handler)
	hs.Config.Protocols = new(http.Protocols)
	hs.Config.Protocols.SetHTTP1(true)
	hs.Config.Protocols.SetUnencryptedHTTP2(true)
	hs.Config.BaseContext = func(net.Listener) context.Context { return ctx }
	hs.Start()
	s.URL = hs.URL
	return func() {
		hs.CloseClientConnections()
		hs.Close()
	}
}

// Stop ends the server before the test does. Stopping twice is harmless.
func (s *Server) Stop() { s.stop() }

// Transport hands requests straight to the server, with the administrator's credentials unless they bring their
// own. The host in their URL does not matter.
func (s *Server) Transport() http.RoundTripper { return bearer{s} }

// Client is an HTTP client over Transport.
func (s *Server) Client() *http.Client { return &http.Client{Transport: s.Transport()} }

type bearer struct{ s *Server }

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("Authorization") == "" {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+b.s.Token)
	}
	return b.s.transport.RoundTrip(r)
}
