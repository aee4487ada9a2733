package up

import (
	"context"

	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/storage/etcd/embedded"
	"github.com/keelson-project/keelson/apiserver/storage/memory"
)

// openStore opens the store that the Config asks for.
func (c *Config) openStore(ctx context.Context, d *dataDir) (storage.Store, error) {
	if c.Storage == Memory {
		return memory.New(memory.Options{}), nil
	}
	s, err := embedded.Open(ctx, embedded.Config{Dir: d.file("etcd"), Logger: c.Logger.WithName("etcd")})
	if err != nil {
		return nil, err // and not a nil *embedded.Store in an interface
	}
	return s, nil
}
