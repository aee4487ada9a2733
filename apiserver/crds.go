package apiserver

import (
	"context"
	"errors"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/keelson-project/keelson/apiserver/registry"
	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/watchcache"
	"github.com/keelson-project/keelson/crd"
)

// retryPause is how long the server waits before it reads the CRDs again after the store failed.
const retryPause = 200 * time.Millisecond

// followCRDs feeds the installer from one watch, whoever wrote the CRDs: this server or another on the same store.
func (s *Server) followCRDs(ctx context.Context) error {
	for {
		err := s.followOnce(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !errors.Is(err, watchcache.ErrExpired) {
			s.log.Error(err, "the watch on CustomResourceDefinitions ended; it starts anew")
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(retryPause):
		}
	}
}

func (s *Server) followOnce(ctx context.Context) error {
	packed := s.cache.Open(s.packedCRDs)
	state, err := packed.Snapshot(ctx, watchcache.Freshness{Latest: true})
	if err != nil {
		return err
	}
	w, err := packed.Watch(ctx, watchcache.WatchOptions{From: state.Revision()})
	if err != nil {
		return err
	}
	defer w.Stop()
	list := make([]crd.Stored, 0, state.Len())
	for e := range state.Range(s.crdKind.Prefix, "") {
		list = append(list, storedCRD(e))
	}
	s.crds.Sync(list, int64(state.Revision()))
	s.syncOnce.Do(func() { close(s.synced) })
	var buf [16]watchcache.Event
	for {
		events, upTo, err := w.Next(ctx, buf[:0])
		if err != nil {
			return err
		}
		for _, ev := range events {
			if ev.Type == watchcache.Deleted {
				s.removeCRD(ev.Entry)
			} else {
				s.crds.Apply(storedCRD(ev.Entry))
			}
		}
		s.crds.Advance(int64(upTo))
	}
}

// packCRDs is how the installer sees the stored CRDs: apart from those that clients read, which are there while one does.
func packCRDs(prefix string) *watchcache.Config {
	return &watchcache.Config{Prefix: prefix, Form: "packed", Decode: func(kv storage.KeyValue) ([]byte, resource.Projection, error) {
		data, err := crd.Pack(kv.Value)
		return data, resource.Projection{Name: strings.TrimPrefix(kv.Key, prefix)}, err
	}}
}

// removeCRD ends the service of a kind, and then what is cached of it.
func (s *Server) removeCRD(e *watchcache.Entry) {
	plural, group, _ := strings.Cut(e.Projection.Name, ".")
	was := s.catalog.Lookup(group, plural)
	s.crds.Remove(e.Projection.Name, int64(e.Revision))
	if was != nil && was.Custom && s.catalog.Lookup(group, plural) == nil {
		s.registry.Forget(was)
		s.metrics.Forget(was)
	}
}

func storedCRD(e *watchcache.Entry) crd.Stored {
	return crd.Stored{Name: e.Projection.Name, Data: e.Data, Revision: int64(e.Revision)}
}

func (s *Server) crdTarget(name string) registry.Target {
	return registry.Target{Def: s.crdKind, Version: s.crdKind.Version("v1"), Name: name}
}

// crdServer is what the CRD installer needs of the server.
type crdServer struct{ s *Server }

// DeleteInstances asks that every object of a kind is deleted and returns how many are held by finalizers.
func (c crdServer) DeleteInstances(ctx context.Context, d *resource.Definition) (remaining int, err error) {
	t := registry.Target{Def: d, Version: d.Version(d.Storage), AsStored: true} // no conversion can stand in the way
	if _, err := c.s.registry.DeleteCollection(ctx, t, metav1.DeleteOptions{}, registry.ListOptions{}); err != nil {
		return 0, err
	}
	left, err := c.s.registry.List(ctx, t, registry.ListOptions{})
	if err != nil {
		return 0, err
	}
	return left.Len(), nil
}

// UpdateCRD changes status and finalizers of a stored CRD on behalf of the installer.
func (c crdServer) UpdateCRD(ctx context.Context, name string, change func(resource.Object) bool) error {
	t := c.s.crdTarget(name)
	t.Subresource = "status"
	_, err := c.s.registry.Modify(ctx, t, registry.WriteOptions{FieldManager: ownManager}, func(o resource.Object) (resource.Object, error) {
		change(o) // a change that changes nothing stores nothing
		return o, nil
	})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// ownManager is the server itself, as managedFields name it.
const ownManager = "kube-apiserver"

// systemNamespaces exist in every cluster.
var systemNamespaces = []string{"default", "kube-system", "kube-public", "kube-node-lease"}

// bootstrap makes what every cluster has, and then says that the server is ready.
func (s *Server) bootstrap(ctx context.Context) error {
	def := s.catalog.Lookup("", "namespaces")
	for _, name := range systemNamespaces {
		t := registry.Target{Def: def, Version: def.Version("v1"), Namespace: ""}
		for {
			_, err := s.registry.Get(ctx, registry.Target{Def: def, Version: t.Version, Name: name}, "")
			if apierrors.IsNotFound(err) {
				_, err = s.registry.Create(ctx, t, resource.Object{
					"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name},
				}, registry.WriteOptions{FieldManager: ownManager})
			}
			if err == nil || apierrors.IsAlreadyExists(err) {
				break
			}
			s.log.Error(err, "a system namespace could not be made; trying again", "namespace", name)
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(retryPause):
			}
		}
	}
	select {
	case <-s.synced:
	case <-ctx.Done():
		return ctx.Err()
	}
	close(s.ready)
	return nil
}

// namespaces answers admission's question whether a namespace exists.
type namespaces struct{ s *Server }

// GetNamespace returns whether a namespace exists and whether it is being deleted.
func (n namespaces) GetNamespace(ctx context.Context, name string) (exists, terminating bool, err error) {
	e, err := n.s.registry.Entry(ctx, n.s.catalog.Lookup("", "namespaces"), "", name)
	if err != nil || e == nil {
		return false, false, err
	}
	return true, e.Projection.Deleting, nil
}
