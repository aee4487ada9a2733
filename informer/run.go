package informer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Informer keeps a copy of one collection; see the package comment. All methods are safe for concurrent use.
type Informer[T Object] struct {
	cfg    Config[T]
	engine *engine

	mu      sync.Mutex
	started bool
	start   func(*Registration) // starts a handler; nil unless Run runs
	workers sync.WaitGroup
}

// New makes an Informer. It starts nothing.
func New[T Object](cfg Config[T]) *Informer[T] {
	if cfg.PageSize == 0 {
		cfg.PageSize = 500
	}
	if cfg.WatchTimeout <= 0 {
		cfg.WatchTimeout = 5 * time.Minute
	}
	if cfg.MinBackoff <= 0 {
		cfg.MinBackoff = 200 * time.Millisecond
	}
	if cfg.MaxBackoff <= 0 {
		cfg.MaxBackoff = 30 * time.Second
	}
	i := &Informer[T]{cfg: cfg}
	i.engine = &engine{
		store: newStore(), decodeFunc: cfg.edge(), onError: cfg.OnError,
		synced: make(chan struct{}), handlers: map[*Registration]struct{}{},
	}
	return i
}

// edge is the decoder and what follows it: names, managed fields, transform.
func (c *Config[T]) edge() func(string, []byte) (Object, error) {
	decode := c.decoder()
	gvk := c.Scope.GVK
	return func(contentType string, data []byte) (Object, error) {
		object, err := decode(contentType, data)
		if err != nil {
			return nil, err
		}
		setKind(object, gvk, c.Scope.MetadataOnly)
		if !c.KeepManagedFields && len(object.GetManagedFields()) > 0 {
			object.SetManagedFields(nil)
		}
		if c.Transform != nil {
			if object, err = c.Transform(object); err != nil {
				return nil, fmt.Errorf("transform: %w", err)
			}
		}
		if object.GetName() == "" {
			return nil, errors.New("the object has no name")
		}
		return object, nil
	}
}

// setKind fills in what lists of built-in kinds leave out, and gives partial metadata the kind of its object.
func setKind(object kruntime.Object, gvk schema.GroupVersionKind, metadataOnly bool) {
	kind := object.GetObjectKind()
	if metadataOnly || kind.GroupVersionKind().Kind == "" {
		kind.SetGroupVersionKind(gvk)
	}
}

// Run reflects the collection and calls the handlers until ctx ends; it returns nil when all its goroutines have
// ended. It may be called once.
func (i *Informer[T]) Run(ctx context.Context) error {
	i.mu.Lock()
	if i.started {
		i.mu.Unlock()
		return fmt.Errorf("informer: %s: Run was called before", i.cfg.Scope)
	}
	i.started = true
	i.start = func(r *Registration) { i.workers.Go(func() { r.run(ctx) }) }
	i.engine.mu.Lock()
	for r := range i.engine.handlers {
		i.start(r)
	}
	i.engine.mu.Unlock()
	i.mu.Unlock()

	r := reflector{
		source: i.cfg.Source, scope: i.cfg.Scope, sink: i.engine, timeout: i.cfg.WatchTimeout,
		machine: machine{
			stream: !i.cfg.NoStreaming, pageSize: i.cfg.PageSize,
			minBackoff: i.cfg.MinBackoff, maxDelay: i.cfg.MaxBackoff,
			labels: i.cfg.Scope.LabelSelector, fields: i.cfg.Scope.FieldSelector,
		},
	}
	r.machine.again()
	r.run(ctx)

	i.mu.Lock()
	i.start = nil
	i.mu.Unlock()
	i.workers.Wait()
	return nil
}

// Scope of the collection.
func (i *Informer[T]) Scope() Scope { return i.cfg.Scope }

// HasSynced reports whether the store has been complete.
func (i *Informer[T]) HasSynced() bool { return i.engine.isSynced() }

// WaitSynced waits until the store is complete. It returns the cause of ctx's end where that comes first.
func (i *Informer[T]) WaitSynced(ctx context.Context) error { return waitClosed(ctx, i.engine.synced) }

// WaitForRevision waits until the store shows a resourceVersion of the collection or a later one. It costs some
// nanoseconds where it does already. Errors: the cause of ctx's end; a resourceVersion that is no number.
func (i *Informer[T]) WaitForRevision(ctx context.Context, resourceVersion string) error {
	rev := parseRevision(resourceVersion)
	if rev == 0 {
		return fmt.Errorf("informer: resourceVersion %q is not a positive number", resourceVersion)
	}
	for {
		if i.engine.current.Load().revision >= rev {
			return nil
		}
		i.engine.mu.Lock()
		reached, changed := i.engine.revision >= rev, i.engine.changed
		i.engine.mu.Unlock()
		if reached {
			return nil
		}
		if err := waitClosed(ctx, changed); err != nil {
			return err
		}
	}
}

// Snapshot is the newest state of the store.
func (i *Informer[T]) Snapshot() Snapshot[T] { return Snapshot[T]{i.engine.current.Load()} }

// Get returns an object of the newest state, and whether there is one. namespace is "" for kinds without.
func (i *Informer[T]) Get(namespace, name string) (T, bool) { return i.Snapshot().Get(namespace, name) }

// AddIndex keeps an index from now on: the values of each object, by which Snapshot.ByIndex finds it. values must
// be a pure function. An index of the same name is replaced.
func (i *Informer[T]) AddIndex(name string, values func(T) []string) {
	i.engine.addIndex(name, func(o Object) []string { return values(o.(T)) })
}

// AddHandler has h called for each object that there is, as an initial addition, and then for each change. It
// may be called at any time; h is called while Run runs.
func (i *Informer[T]) AddHandler(h func(Change[T])) *Registration {
	r := newRegistration(func(c change) { h(typedChange[T](c)) })
	r.remove = func() {
		i.engine.mu.Lock()
		defer i.engine.mu.Unlock()
		delete(i.engine.handlers, r)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.engine.mu.Lock()
	defer i.engine.mu.Unlock()
	i.engine.handlers[r] = struct{}{}
	i.engine.objects.Ascend(func(e entry) bool {
		r.note(e.key, change{new: e.object, initial: true})
		return true
	})
	if i.engine.isSynced() {
		r.initialEnds()
	}
	if i.start != nil {
		i.start(r)
	}
	return r
}

func typedChange[T Object](c change) Change[T] {
	t := Change[T]{Type: c.kind(), Initial: c.initial && c.old == nil, FinalStateUnknown: c.unknown && c.new == nil}
	if c.old != nil {
		t.Old = c.old.(T)
	}
	if c.new != nil {
		t.New = c.new.(T)
	}
	return t
}
