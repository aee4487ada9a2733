package up

import (
	"context"
	"errors"
	"fmt"

	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/storage/etcd"
	"github.com/keelson-project/keelson/apiserver/storage/etcd/embedded"
	"github.com/keelson-project/keelson/apiserver/storage/memory"
)

// openStore opens the store that the Config asks for. ctx bounds the opening.
func (c *Config) openStore(ctx context.Context, d *dataDir) (storage.Store, error) {
	log := c.Logger.WithName("etcd")
	switch {
	case len(c.EtcdServers) > 0:
		s, err := etcd.Dial(ctx, etcd.Config{
			Endpoints: c.EtcdServers, CAFile: c.EtcdCAFile, CertFile: c.EtcdCertFile, KeyFile: c.EtcdKeyFile,
			Options: etcd.Options{Logger: log},
		})
		if err != nil { // and not a nil *etcd.Store in an interface
			return nil, fmt.Errorf("etcd at %v: %w", c.EtcdServers, err)
		}
		return s, nil
	case c.Storage == Memory:
		return memory.New(memory.Options{}), nil
	}
	dir := d.file("etcd")
	s, err := embedded.Open(ctx, embedded.Config{Dir: dir, Logger: log})
	if errors.Is(err, embedded.ErrInUse) || errors.Is(err, embedded.ErrForeign) {
		return nil, err // names the directory
	}
	if err != nil {
		return nil, fmt.Errorf("the data in %s cannot be opened: %w", dir, err)
	}
	return s, nil
}
