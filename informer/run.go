package informer

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"time"
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
	edge := newEdge(&i.cfg)
	i.engine = &engine{
		store: newStore(), holdOf: edge.hold, markOf: edge.bookmark, onError: cfg.OnError, budget: cfg.Budget,
		synced: make(chan struct{}), handlers: map[*Registration]struct{}{},
	}
	for _, namespace := range cfg.Scope.Namespaces() {
		i.engine.parts = append(i.engine.parts, newPart(i.engine, namespace))
	}
	return i
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

	var reflectors sync.WaitGroup
	for _, p := range i.engine.parts {
		r := i.reflector(p)
		reflectors.Go(func() { r.run(ctx); p.at(stopped) })
	}
	reflectors.Wait()

	i.mu.Lock()
	i.start = nil
	i.mu.Unlock()
	i.workers.Wait()
	if i.cfg.Budget != nil {
		i.cfg.Budget.add(-i.engine.counted.Swap(0))
	}
	return nil
}

func (i *Informer[T]) reflector(p *part) *reflector {
	scope := i.cfg.Scope
	scope.Namespace = p.namespace
	r := &reflector{
		source: i.cfg.Source, scope: scope, sink: p, timeout: i.cfg.WatchTimeout,
		machine: machine{
			stream: !i.cfg.NoStreaming, pageSize: i.cfg.PageSize,
			minBackoff: i.cfg.MinBackoff, maxDelay: i.cfg.MaxBackoff,
			labels: scope.LabelSelector, fields: scope.FieldSelector,
		},
	}
	r.machine.again()
	return r
}

// Scope of the collection.
func (i *Informer[T]) Scope() Scope { return i.cfg.Scope }

// HasSynced reports whether the store has been complete.
func (i *Informer[T]) HasSynced() bool { return i.engine.isSynced() }

// WaitSynced waits until the store is complete. It returns the cause of ctx's end where that comes first, with the
// last failure, if there was one.
func (i *Informer[T]) WaitSynced(ctx context.Context) error {
	return i.because(waitClosed(ctx, i.engine.synced))
}

// because adds to the error of a wait what went wrong last.
func (i *Informer[T]) because(err error) error {
	if last := i.engine.stats.last.Load(); err != nil && last != nil {
		return fmt.Errorf("%w (the last failure was %s ago: %v)", err, time.Since(last.at).Round(time.Millisecond), last.err) //nolint:errorlint // not why the wait ended
	}
	return err
}

// WaitForRevision waits until the store shows a resourceVersion of the collection or a later one. It costs some
// nanoseconds where it does already. Errors: the cause of ctx's end, as WaitSynced; a resourceVersion that is no number.
//
// Where the collection is narrowed by selectors or namespaces, a write outside of it is seen with the server's next
// bookmark only, which may take a minute.
func (i *Informer[T]) WaitForRevision(ctx context.Context, resourceVersion string) error {
	return i.wait(ctx, resourceVersion, func() string { return i.engine.current.Load().revision })
}

// WaitForWrite is WaitForRevision for a write to an object in a namespace ("" for kinds without): that the store shows
// the object as it was written, or newer, or that it is gone. Other namespaces of the Scope are not waited for.
func (i *Informer[T]) WaitForWrite(ctx context.Context, namespace, resourceVersion string) error {
	p := i.engine.partOf(namespace)
	if p == nil {
		return fmt.Errorf("informer: namespace %q is not one of %s", namespace, i.cfg.Scope)
	}
	return i.wait(ctx, resourceVersion, func() string { return *p.shown.Load() })
}

// Shows reports whether the store shows a write, as WaitForWrite waits for; of namespace "" in a Scope of several, whether
// all of them have come that far.
func (i *Informer[T]) Shows(namespace, resourceVersion string) bool {
	if p := i.engine.partOf(namespace); p != nil {
		return reached(*p.shown.Load(), resourceVersion)
	}
	return namespace == "" && reached(i.engine.current.Load().revision, resourceVersion)
}

func (i *Informer[T]) wait(ctx context.Context, rv string, shown func() string) error {
	if reached(shown(), rv) {
		return nil
	}
	if !isRevision(rv) {
		return fmt.Errorf("informer: resourceVersion %q is not a positive number", rv)
	}
	for {
		i.engine.mu.Lock()
		changed := i.engine.waiter()
		done := reached(shown(), rv)
		i.engine.mu.Unlock()
		if done {
			return nil
		}
		if err := waitClosed(ctx, changed); err != nil {
			return i.because(err)
		}
	}
}

// Snapshot is the newest state of the store.
func (i *Informer[T]) Snapshot() Snapshot[T] { return Snapshot[T]{view: i.engine.current.Load()} }

// Get returns an object of the newest state, and whether there is one. namespace is "" for kinds without.
func (i *Informer[T]) Get(namespace, name string) (T, bool) { return i.Snapshot().Get(namespace, name) }

// AddIndex keeps an index from now on: the values of each object, by which Snapshot.ByIndex finds it. values must
// be a pure function. An index of the same name is replaced. In compact mode each change decodes the object twice for
// it; AddMetaIndex does not.
func (i *Informer[T]) AddIndex(name string, values func(T) []string) {
	i.engine.addIndex(name, func(it item) []string {
		if o, ok := it.object().(T); ok {
			return values(o)
		}
		return nil
	})
}

// AddMetaIndex is AddIndex by what is known without decoding: labels, owners and the like.
func (i *Informer[T]) AddMetaIndex(name string, values func(Meta) []string) {
	i.engine.addIndex(name, func(it item) []string { return values(it) })
}

// typeName of the objects.
func (c *Config[T]) typeName() string {
	if c.New != nil {
		return reflect.TypeOf(c.New()).String()
	}
	return reflect.TypeFor[T]().String()
}
