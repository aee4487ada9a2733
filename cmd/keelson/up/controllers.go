package up

import (
	"context"
	"crypto/rand"

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
func (c *Config) runControllers(ctx context.Context, server *apiserver.Server, i inside) error {
	return controllers.Run(ctx, client.Config{
		Host: "http://keelson", Transport: apiserver.Transport(server), BearerToken: i.token, UserAgent: "keelson-controllers",
	}, controllers.Options{Elect: len(c.EtcdServers) > 0, Logger: c.Logger.WithName("controllers")})
}
