package runtime

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/sync/errgroup"

	"github.com/keelson-project/keelson/runtime/client"
	"github.com/keelson-project/keelson/workqueue"
)

// ControllerOptions of a controller. The zero value is useful.
type ControllerOptions struct {
	// MaxConcurrentReconciles is how many requests are worked on at once. Default: 1.
	MaxConcurrentReconciles int
	// RateLimit of requests that failed.
	RateLimit workqueue.RateLimit
	// ReconcileTimeout ends the context of a reconciliation that takes longer. Default: none.
	ReconcileTimeout time.Duration
}

// Controller feeds a Reconciler. A Builder makes it, its Manager runs it.
type Controller struct {
	name    string
	mgr     *Manager
	opts    ControllerOptions
	do      Reconciler
	queue   *workqueue.Queue[Request]
	watches []watched
	stats   controllerStats
	log     logr.Logger
}

// watched is a kind that a controller watches.
type watched struct {
	obj        client.Object
	handle     EventHandler
	predicates []Predicate
}

// Name of the controller, in logs and metrics.
func (c *Controller) Name() string { return c.name }

// Enqueue asks for a reconciliation, for sources other than watches.
func (c *Controller) Enqueue(req Request) { c.queue.Add(req, workqueue.Options{}) }

// retryKind is how long to wait for a kind that the server does not have.
const retryKind = time.Second

// watch feeds the queue from w until the returned function is called.
func (c *Controller) watch(ctx context.Context, w watched) (stop func(), err error) {
	inf, gvk, err := c.mgr.cache.informerFor(ctx, w.obj)
	for ; err != nil; inf, _, err = c.mgr.cache.informerFor(ctx, w.obj) {
		c.log.Info("waiting for a kind", "kind", gvk.String(), "reason", err.Error())
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(retryKind):
		}
	}
	reg := inf.AddHandler(func(e Event) {
		for _, p := range w.predicates {
			if !p(e) {
				return
			}
		}
		for _, req := range w.handle(e) {
			c.queue.Add(req, workqueue.Options{})
		}
	})
	if err := reg.WaitSynced(ctx); err != nil {
		reg.Remove()
		return nil, err
	}
	return reg.Remove, nil
}

// run watches and works until ctx ends, and returns when the reconciliations under way have. Those have work as
// their context.
func (c *Controller) run(ctx, work context.Context) error {
	defer c.queue.ShutDown()
	for _, w := range c.watches {
		stop, err := c.watch(ctx, w)
		if err != nil {
			return ended(ctx, fmt.Errorf("controller %s: %w", c.name, err))
		}
		defer stop()
	}
	var group errgroup.Group
	for range max(1, c.opts.MaxConcurrentReconciles) {
		group.Go(func() error {
			for {
				item, err := c.queue.Get(ctx)
				if err != nil {
					return nil //nolint:nilerr // the queue was shut down: the end that was asked for
				}
				if ctx.Err() == nil {
					c.one(work, item)
				}
				c.queue.Done(item)
			}
		})
	}
	<-ctx.Done()
	c.queue.ShutDown()
	return group.Wait()
}

// ended drops an error that only says that ctx ended.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // see above
	}
	return err
}

// one works on one request, and has it come again as its outcome asks.
func (c *Controller) one(ctx context.Context, item workqueue.Item[Request]) {
	log := c.log.WithValues("namespace", item.Key.Namespace, "name", item.Key.Name)
	ctx = logr.NewContext(ctx, log)
	if c.opts.ReconcileTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.opts.ReconcileTimeout)
		defer cancel()
	}
	result, err := c.reconcile(ctx, item.Key)
	switch {
	case isTerminal(err):
		c.stats.count(outcomeTerminal)
		log.Error(err, "reconciliation failed for good")
		c.queue.Forget(item.Key)
	case err != nil:
		c.stats.count(outcomeError)
		log.Error(err, "reconciliation failed", "failures", item.Failures+1)
		c.queue.Add(item.Key, workqueue.Options{RateLimited: true})
	case result.RequeueAfter > 0:
		c.stats.count(outcomeAfter)
		c.queue.Forget(item.Key)
		c.queue.Add(item.Key, workqueue.Options{After: result.RequeueAfter})
	case result.Requeue:
		c.stats.count(outcomeRequeue)
		c.queue.Add(item.Key, workqueue.Options{RateLimited: true})
	default:
		c.stats.count(outcomeSuccess)
		c.queue.Forget(item.Key)
	}
}

// errPanic marks the error that a panic became.
var errPanic = errors.New("panic")

func (c *Controller) reconcile(ctx context.Context, req Request) (result Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			c.stats.panics.Add(1)
			err = fmt.Errorf("%w: %v\n%s", errPanic, p, debug.Stack())
		}
	}()
	return c.do.Reconcile(ctx, req)
}
