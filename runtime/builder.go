package runtime

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/keelson-project/keelson/runtime/client"
)

// Builder puts a Controller together.
type Builder struct {
	mgr     *Manager
	name    string
	primary *watched
	owned   []watched
	others  []watched
	filters []Predicate
	sources []Source
	every   bool
	opts    ControllerOptions
}

// NewControllerManagedBy begins a controller that mgr is to run.
func NewControllerManagedBy(mgr *Manager) *Builder { return &Builder{mgr: mgr} }

// Named gives the controller a name. Default: its kind, in lower case.
func (b *Builder) Named(name string) *Builder {
	b.name = name
	return b
}

// For is the kind to reconcile; events that all predicates let pass ask for the object itself.
func (b *Builder) For(obj client.Object, predicates ...Predicate) *Builder {
	b.primary = &watched{obj, EnqueueObject, predicates}
	return b
}

// Owns is a kind of objects whose controller is of the kind of For: their events ask for it.
func (b *Builder) Owns(obj client.Object, predicates ...Predicate) *Builder {
	b.owned = append(b.owned, watched{obj, nil, predicates})
	return b
}

// Watches is any other kind; handle says what its events ask for.
func (b *Builder) Watches(obj client.Object, handle EventHandler, predicates ...Predicate) *Builder {
	b.others = append(b.others, watched{obj, handle, predicates})
	return b
}

// WatchesRawSource adds requests from elsewhere than a watched kind: Channel, Every, or one of the author's.
func (b *Builder) WatchesRawSource(s Source) *Builder {
	b.sources = append(b.sources, s)
	return b
}

// EveryCluster has the controller watch all clusters that join the manager, beside the manager's own. Reconcilers have
// the client for Request.Cluster from ClientFrom.
func (b *Builder) EveryCluster() *Builder {
	b.every = true
	return b
}

// WithEventFilter adds a predicate to all kinds.
func (b *Builder) WithEventFilter(p Predicate) *Builder {
	b.filters = append(b.filters, p)
	return b
}

// WithOptions sets the options.
func (b *Builder) WithOptions(opts ControllerOptions) *Builder {
	b.opts = opts
	return b
}

// Complete hands the controller to the manager, which starts it at once where it runs already.
func (b *Builder) Complete(r Reconciler) error {
	_, err := b.Build(r)
	return err
}

// Build is Complete, and returns the controller. Errors: a kind that the scheme does not know, Owns without For, a
// name that is taken.
func (b *Builder) Build(r Reconciler) (*Controller, error) {
	c := &Controller{
		name: b.name, mgr: b.mgr, opts: b.opts, do: r, sources: b.sources, every: b.every,
		history: history{size: b.mgr.opts.History}, stats: newControllerStats(), atWork: map[string]int{},
	}
	c.idle = sync.NewCond(&c.mu)
	var owner schema.GroupVersionKind
	if b.primary != nil {
		gvk, err := b.mgr.home.direct.GVKFor(b.primary.obj)
		if err != nil {
			return nil, fmt.Errorf("runtime: For: %w", err)
		}
		owner = gvk
		c.watches = append(c.watches, *b.primary)
		if c.name == "" {
			c.name = strings.ToLower(gvk.Kind)
		}
	}
	switch {
	case c.name == "":
		return nil, errors.New("runtime: a controller without For needs Named")
	case len(b.owned) > 0 && b.primary == nil:
		return nil, fmt.Errorf("runtime: controller %s: Owns without For", c.name)
	}
	for _, w := range b.owned {
		w.handle = c.enqueueOwner(owner)
		c.watches = append(c.watches, w)
	}
	c.watches = append(c.watches, b.others...)
	for i := range c.watches {
		c.watches[i].predicates = append(c.watches[i].predicates[:len(c.watches[i].predicates):len(c.watches[i].predicates)], b.filters...)
		if _, err := b.mgr.home.direct.GVKFor(c.watches[i].obj); err != nil {
			return nil, fmt.Errorf("runtime: controller %s: %w", c.name, err)
		}
	}
	c.queue.Store(c.newQueue())
	c.log = b.mgr.log.WithValues("controller", c.name)
	return c, b.mgr.add(c)
}

// enqueueOwner is EnqueueOwner for owners of whose scope the server tells once it is known.
func (c *Controller) enqueueOwner(owner schema.GroupVersionKind) EventHandler {
	in, cluster := EnqueueOwner(owner, true, true), EnqueueOwner(owner, false, true)
	return func(ctx context.Context, e Event) ([]Request, error) {
		if m, known := c.mgr.home.direct.Known(owner); known && !m.Namespaced {
			return cluster(ctx, e)
		}
		return in(ctx, e)
	}
}
