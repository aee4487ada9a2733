package garbagecollector

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/keelson-project/keelson/informer"
	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
)

// watched is a kind that is watched.
type watched struct {
	informer *informer.Informer[*object]
	events   *informer.Registration
	release  func()
	leaving  bool // its kind was not served the last time; what was seen of it until then is still on its way
}

// How long until the server is asked again what it serves: soon after a change, since a kind may be served a moment later
// than its definition is there, and then less and less.
const (
	soon   = 50 * time.Millisecond
	seldom = 5 * time.Minute
	// share of the time that these questions take is no more than one in so many, whatever changes.
	share = 50
)

// watch is the controller's source: it watches all kinds until ctx ends. When the controller runs again, it begins anew.
func (c *collector) watch(ctx context.Context, _ func(...runtime.Request)) error {
	c.graph.reset()
	c.sources = informer.NewShared(c.client.Source())
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return c.sources.Run(ctx) })
	group.Go(func() error { return c.follow(ctx) })
	return group.Wait()
}

// follow keeps in step with the kinds that are served.
func (c *collector) follow(ctx context.Context) error {
	watching := map[schema.GroupVersionKind]*watched{}
	refresh, earliest, wait := time.Time{}, time.Time{}, soon
	for {
		if now := time.Now(); !now.Before(refresh) {
			if err := c.refresh(ctx, watching, c.changed); err != nil {
				c.log.Info("not all kinds are known", "reason", err.Error())
			}
			earliest = time.Now().Add(share * time.Since(now))
			refresh = maxTime(earliest, time.Now().Add(wait))
			wait = min(2*wait, seldom)
		}
		c.parked.look(ctx, c, watching)
		c.once.Do(func() {
			c.synced(ctx, watching)
			close(c.began)
		})
		timer := time.NewTimer(time.Until(c.parked.next(refresh)))
		select {
		case <-timer.C:
		case <-c.changed:
			wait = soon
			refresh = minTime(refresh, maxTime(earliest, time.Now().Add(soon)))
		case <-c.parked.wake:
		case <-ctx.Done():
			return nil
		}
		timer.Stop()
	}
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// refresh watches what is served now, and nothing else. What the server is not sure of stays as it is.
func (c *collector) refresh(ctx context.Context, watching map[schema.GroupVersionKind]*watched, changed chan<- struct{}) error {
	all, err := c.client.Resources(ctx)
	stale := (*client.StaleError)(nil)
	if err != nil && !errors.As(err, &stale) {
		return err
	}
	served, wanted := map[schema.GroupKind]*client.Served{}, map[schema.GroupVersionKind]bool{}
	for i := range all {
		s := &all[i]
		served[s.Kind.GroupKind()] = s
		wanted[s.Kind] = s.Can("list", "watch", "delete") && s.Resource.Resource != "events"
	}
	for gvk, w := range watching {
		if stale != nil && gvk.Group != "" && inGroup(stale, gvk.Group) {
			s := *c.graph.servedAs(c.kind(gvk))
			served[gvk.GroupKind()] = &s
			continue
		}
		switch {
		case wanted[gvk]:
			w.leaving = false
		case !w.leaving:
			w.leaving = true
		default:
			c.stop(gvk, w)
			delete(watching, gvk)
		}
	}
	if c.differs(served) {
		c.graph.serve(served)
	}
	c.parked.keep(wanted)
	for gvk, want := range wanted {
		if want && watching[gvk] == nil && !c.parked.takes(gvk, len(watching)) {
			watching[gvk] = c.start(gvk, changed)
		}
	}
	return err
}

func inGroup(stale *client.StaleError, group string) bool {
	for _, gv := range stale.GroupVersions {
		if gv.Group == group {
			return true
		}
	}
	return false
}

func (c *collector) kind(gvk schema.GroupVersionKind) *kind {
	c.graph.mu.Lock()
	defer c.graph.mu.Unlock()
	return c.graph.kindOf(gvk.GroupKind())
}

// differs says that other kinds are served than before.
func (c *collector) differs(served map[schema.GroupKind]*client.Served) bool {
	c.graph.mu.Lock()
	defer c.graph.mu.Unlock()
	n := 0
	for gk, k := range c.graph.kinds {
		if k.served == nil {
			continue
		}
		n++
		if s := served[gk]; s == nil || s.Kind != k.served.Kind || s.Mapping != k.served.Mapping {
			return true
		}
	}
	return n != len(served)
}

// start watches a kind: metadata alone, and of it what counts.
func (c *collector) start(gvk schema.GroupVersionKind, changed chan<- struct{}) *watched {
	k := c.kind(gvk)
	w := &watched{}
	w.informer, w.release = informer.Acquire(c.sources, informer.Config[*object]{
		Scope: informer.Scope{GVK: gvk, MetadataOnly: true}, Compact: true, Transform: essence,
		OnError: func(err error) { c.log.V(1).Info("a watch recovers", "kind", gvk.String(), "reason", err.Error()) },
	})
	c.graph.mu.Lock()
	k.watch = w
	c.graph.mu.Unlock()
	makesKinds := gvk.Group == "apiextensions.k8s.io" || gvk.Group == "apiregistration.k8s.io"
	w.events = w.informer.AddMetaHandler(func(e informer.Change[informer.Meta]) {
		switch {
		case e.Type != watch.Deleted:
			c.graph.seen(k, e.New)
		case e.FinalStateUnknown:
			c.graph.doubt(k, e.Old)
		default:
			c.graph.gone(k, e.Old)
		}
		if makesKinds {
			poke(changed)
		}
	})
	return w
}

func poke(changed chan<- struct{}) {
	select {
	case changed <- struct{}{}:
	default: // it will be looked at anyway
	}
}

// stop ends the watch of a kind. What is left of it in the graph may be gone, or be there when the kind comes back.
func (c *collector) stop(gvk schema.GroupVersionKind, w *watched) {
	k := c.kind(gvk)
	c.graph.mu.Lock()
	if k.watch == w {
		k.watch = nil
	}
	c.graph.mu.Unlock()
	w.events.Remove()
	w.release()
	c.graph.doubtAll(k)
}

// essence is what the collector needs of an object's metadata.
func essence(obj *object) (*object, error) {
	obj.Labels, obj.Annotations, obj.GenerateName, obj.ManagedFields = nil, nil, "", nil
	return obj, nil
}

// synced waits until all objects are known, within reason.
func (c *collector) synced(ctx context.Context, watching map[schema.GroupVersionKind]*watched) {
	ctx, cancel := context.WithTimeout(ctx, c.SyncTimeout)
	defer cancel()
	for gvk, w := range watching {
		if err := w.events.WaitSynced(ctx); err != nil {
			c.log.Info("not all objects are known yet", "kind", gvk.String(), "reason", err.Error())
			return
		}
	}
}
