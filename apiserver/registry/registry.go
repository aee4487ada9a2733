// Package registry is the life of objects: it creates, reads, updates and deletes what Definitions describe, in
// the one way that Kubernetes does it for every kind (identity, generation, finalizers, preconditions,
// optimistic concurrency), between the watch cache, which answers reads, and the store, which takes writes.
//
// Objects come in decoded and leave encoded. Errors are apierrors.StatusErrors with Kubernetes' codes, reasons,
// causes and texts; the handlers turn them into bytes.
package registry

import (
	"sync"
	"time"

	"github.com/keelson-project/keelson/apiserver/admission"
	"github.com/keelson-project/keelson/apiserver/builtin/models"
	"github.com/keelson-project/keelson/apiserver/managedfields"
	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/watchcache"
)

// Registry serves the objects of all Definitions. It is safe for concurrent use, owns no goroutine, and holds no
// state of its own but the configuration under which each Definition's objects enter the cache.
type Registry struct {
	store     storage.Store
	cache     *watchcache.Cache
	admission admission.Interface
	now       func() time.Time
	models    managedfields.Models

	mu sync.RWMutex
	// configs by key prefix; two Definitions over the same keys (Event has two groups) share one.
	configs map[string]*openConfig
	// metadata by key prefix, of bulky kinds
	metadata map[string]*watchcache.Resource
}

type openConfig struct {
	fields []resource.SelectableField
	reader *watchcache.Resource
}

// Options of a Registry.
type Options struct {
	// Admission is asked about every write; nil admits everything.
	Admission admission.Interface
	// Now is the clock for creationTimestamp and deletionTimestamp; nil is time.Now.
	Now func() time.Time
	// Models are the schemas that those of the kinds refer to; nil: those of package builtin/models.
	Models managedfields.Models
}

// New returns a Registry over a store and the cache that watches it.
func New(store storage.Store, cache *watchcache.Cache, o Options) *Registry {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Models == nil {
		o.Models = models.Embedded()
	}
	return &Registry{store: store, cache: cache, admission: o.Admission, now: o.Now, models: o.Models, configs: map[string]*openConfig{}, metadata: map[string]*watchcache.Resource{}}
}

// Target names what a request is about.
type Target struct {
	Def         *resource.Definition
	Version     *resource.Version // the version that the client speaks
	Namespace   string            // "" for cluster-scoped kinds and for requests over all namespaces
	Name        string            // "" for collections
	Subresource string            // "" for the object itself
	// MetadataOnly: only metadata will be shown of what is read, and it is taken as it is stored. No conversion is
	// needed for it and none can fail; what a conversion does to labels and annotations is not seen.
	MetadataOnly bool
	// AsStored: objects are taken in whatever version they are stored in, and left in it. Deletions that must not
	// depend on a conversion work like this.
	AsStored bool
}

func (t *Target) key(name string) string { return t.Def.Key(t.Namespace, name) }

// prefix of the keys in the target's namespace, or of all.
func (t *Target) prefix() string {
	if t.Namespace == "" {
		return t.Def.Prefix
	}
	return t.Def.Prefix + t.Namespace + "/"
}

// reader opens the cached resource of a Definition. It is cheap: the cache fills on the first read.
func (r *Registry) reader(d *resource.Definition) *watchcache.Resource {
	r.mu.RLock()
	c := r.configs[d.Prefix]
	r.mu.RUnlock()
	if c != nil && sameFields(c.fields, d.SelectableFields) {
		return c.reader
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if c = r.configs[d.Prefix]; c != nil && sameFields(c.fields, d.SelectableFields) {
		return c.reader
	}
	c = &openConfig{fields: d.SelectableFields, reader: r.cache.Open(&watchcache.Config{Prefix: d.Prefix, Decode: r.decoder(d)})}
	r.configs[d.Prefix] = c
	return c.reader
}

// readerOf opens what a request reads from: metadata of bulky objects has a cache of its own.
func (r *Registry) readerOf(t *Target) *watchcache.Resource {
	if !t.MetadataOnly || !t.Def.Bulky {
		return r.reader(t.Def)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	reader := r.metadata[t.Def.Prefix]
	if reader == nil {
		whole := r.decoder(t.Def)
		reader = r.cache.Open(&watchcache.Config{Prefix: t.Def.Prefix, Form: "metadata", Decode: func(kv storage.KeyValue) ([]byte, resource.Projection, error) {
			data, p, err := whole(kv)
			if err != nil {
				return nil, p, err
			}
			return resource.MetadataOf(data), p, nil
		}})
		r.metadata[t.Def.Prefix] = reader
	}
	return reader
}

// Forget drops what is cached of a kind that is no longer served; its watches end.
func (r *Registry) Forget(d *resource.Definition) {
	r.mu.Lock()
	delete(r.configs, d.Prefix)
	r.mu.Unlock()
	r.cache.Close(d.Prefix)
}

func sameFields(a, b []resource.SelectableField) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !equalPath(a[i].Path, b[i].Path) || !equalPath(a[i].Or, b[i].Or) || a[i].Default != b[i].Default {
			return false
		}
	}
	return true
}

func equalPath(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
