package up

import (
	"context"
	"crypto/rand"
	"net/http"
	"sync/atomic"

	"github.com/keelson-project/keelson/apiserver"
	"github.com/keelson-project/keelson/apiserver/auth"
	"github.com/keelson-project/keelson/controllers"
	"github.com/keelson-project/keelson/runtime/client"
)

// inside is how the controllers of this process get in: with a token that is made at each start and never leaves it.
type inside struct{ token string }

func newInside() inside { return inside{rand.Text()} }

func (i inside) authenticator() auth.Authenticator {
	return auth.StaticToken(i.token, auth.User{Name: "system:kube-controller-manager", Groups: []string{auth.Masters}})
}

// runControllers runs them on the server, past the network, until ctx ends. Where others may share the store, one process
// runs them at a time.
func (c *Config) runControllers(ctx context.Context, server *apiserver.Server, i inside, p *pages) error {
	return controllers.Run(ctx, client.Config{
		Host: "http://keelson", Transport: apiserver.Transport(server), BearerToken: i.token, UserAgent: "keelson-controllers",
	}, controllers.Options{
		Elect: len(c.EtcdServers) > 0, Logger: c.Logger.WithName("controllers"), OnStart: func(h http.Handler) { p.now.Store(&h) },
	})
}

// pages are those of the controllers, on the server's address, for whom it authorizes.
type pages struct{ now atomic.Pointer[http.Handler] }

func (p *pages) handlers() map[string]http.Handler {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := p.now.Load()
		if now == nil {
			http.Error(w, "the controllers have not started yet", http.StatusServiceUnavailable)
			return
		}
		(*now).ServeHTTP(w, r)
	})
	return map[string]http.Handler{"/debug/controllers": h, "/debug/controllers/": h, "/debug/caches": h}
}
