// Package garbagecollector is the controller that deletes objects whose owners (metadata.ownerReferences) are gone, and
// sees to deletions that ask for more than the object itself:
//
//   - in the background (the default): the owner goes, then its dependents do.
//   - in the foreground (finalizer "foregroundDeletion"): the dependents go first; those with blockOwnerDeletion hold the
//     owner until they are gone.
//   - with orphans (finalizer "orphan"): the dependents stay, and forget their owner.
//
// It does what Kubernetes' garbage collector does, for all kinds that can be listed, watched and deleted, except for
// events, as they come and go:
//
//   - An object is deleted when each of its owners is known to be gone: its deletion was seen, or the server was asked
//     for it and has none of that kind, namespace, name and UID. It is deleted only as it was when that was decided
//     (preconditions on UID and resourceVersion).
//   - Of several owners those that are gone are taken out of the references.
//   - An owner is looked for in the dependent's namespace, or outside of all for kinds that have none. Who names one in
//     another namespace has an absent owner, and is told so by the event OwnerRefInvalidNamespace; an object outside of
//     namespaces that names an owner inside is never deleted.
//
// Some things differ. Objects that own nothing and are owned by nobody are not held in the graph. What was decided by the
// cache is sent with the resourceVersion that the cache has, and only a conflict asks the server first: a deletion takes
// one request. An owner's apiVersion counts by its group alone, since the UID says the rest. And a change of the kinds
// that are served is acted on when a CustomResourceDefinition or APIService changes, not twice a minute.
package garbagecollector

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"

	"github.com/keelson-project/keelson/informer"
	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
	"github.com/keelson-project/keelson/workqueue"
)

// Name of the controller.
const Name = "garbagecollector"

// Options of the controller. The zero value is useful.
type Options struct {
	// Workers is how many objects are worked on at once. Default: 20.
	Workers int
	// SyncTimeout is how long the collector waits at its start until it knows all objects, before it works with what it
	// knows. Nothing is deleted wrongly without; more questions are asked. Default: 30 s.
	SyncTimeout time.Duration
	// Park is how many kinds are watched before those of CustomResourceDefinitions that have no objects are only looked at
	// every ParkPeriod: a dependent of such a kind is found by then, its owner at once. Default: 0, all are watched.
	Park int
	// ParkPeriod is 30 s by default, and longer where more than 100 kinds a second would have to be looked at.
	ParkPeriod time.Duration
}

// Setup adds the controller to a manager. It needs nothing in the manager's scheme.
func Setup(mgr *runtime.Manager, o Options) error {
	o.Workers, o.SyncTimeout = cmp.Or(o.Workers, 20), cmp.Or(o.SyncTimeout, 30*time.Second)
	c := &collector{Options: o, client: mgr.Direct(), began: make(chan struct{}), changed: make(chan struct{}, 1), parked: newParked(o.Park, cmp.Or(o.ParkPeriod, 30*time.Second))}
	controller, err := runtime.NewControllerManagedBy(mgr).
		Named(Name).
		WatchesRawSource(c.watch).
		WithOptions(runtime.ControllerOptions{
			MaxConcurrentReconciles: o.Workers,
			RateLimit:               workqueue.RateLimit{Base: 5 * time.Millisecond, Max: time.Minute},
		}).
		Build(c)
	if err != nil {
		return err
	}
	c.graph = newGraph(func(n *node) { controller.Enqueue(requestFor(n)) })
	c.log = mgr.Logger().WithName(Name)
	return nil
}

// requestFor asks for a UID. The namespace has namespaces take turns.
func requestFor(n *node) runtime.Request {
	return runtime.Request{NamespacedName: types.NamespacedName{Namespace: n.namespace, Name: string(n.uid)}}
}

type collector struct {
	Options

	client  *client.Direct
	graph   *graph
	log     logr.Logger
	once    sync.Once
	began   chan struct{} // closed when workers may begin
	sources *informer.Shared
	changed chan struct{} // one token while what is served may have changed
	parked  *parked
}

// Reconcile looks at what has a UID, and does what is to be done about it.
func (c *collector) Reconcile(ctx context.Context, req runtime.Request) (runtime.Result, error) {
	select {
	case <-c.began:
	case <-ctx.Done():
		return runtime.Result{}, context.Cause(ctx)
	}
	var errs []error
	var result runtime.Result
	for _, v := range c.graph.look(types.UID(req.Name)) {
		if c.ahead(v) {
			if served := c.graph.servedAs(v.kind); served != nil {
				c.parked.need(served.Kind.GroupKind())
			}
			v.state, result.Requeue = unknown, true
		}
		errs = append(errs, c.settle(ctx, v))
	}
	return result, errors.Join(errs...)
}

// ahead reports whether only the server has said that an owner exists. Its watch may never tell of it: who is created and
// deleted while a watch is away is not there when the watch begins anew. Until it does, the server is asked again.
func (c *collector) ahead(v view) bool {
	return v.parent && v.state != absent && c.graph.servedAs(v.kind) != nil && c.cached(v.node) == nil
}

// settle brings one object a step further.
func (c *collector) settle(ctx context.Context, v view) error {
	switch {
	case v.state == unknown:
		return c.verify(ctx, v.node)
	case v.state == absent:
		return nil
	case v.orphaning:
		return c.orphan(ctx, v.node)
	case v.foreground && !v.blocked:
		return c.letGo(ctx, v.node, foregroundFinalizer)
	case v.foreground: // its dependents are being looked at; the last of them brings it back
		return nil
	case v.deleting, v.unknown: // it goes already; it is looked at again when its owners are known
		return nil
	}
	return c.collect(ctx, v)
}
