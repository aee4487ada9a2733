package runtime

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
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
	// Priority of a request that an event makes; higher goes first. Default: LowPriority for what was there when the
	// watch began, so that a start does not hold up what changes meanwhile, 0 for the rest.
	Priority func(Event, Request) int
	// Group of a request: groups take turns, so that none holds up the others. Default: its cluster and namespace.
	Group func(Request) string
	// EveryReplica runs the controller whether this process leads or not. Default: while it leads, where there is
	// Options.LeaderElection.
	EveryReplica bool
	// ReconcileTimeout ends the context of a reconciliation that takes longer. Default: none.
	ReconcileTimeout time.Duration
}

// LowPriority is that of requests which may wait.
const LowPriority = -100

// Controller feeds a Reconciler. A Builder makes it, its Manager runs it.
type Controller struct {
	name    string
	mgr     *Manager
	opts    ControllerOptions
	do      Reconciler
	watches []watched
	sources []Source
	every   bool // cluster, not only the manager's own
	stats   *controllerStats
	history history
	log     logr.Logger
	queue   atomic.Pointer[queue] // another for each time that it runs

	mu     sync.Mutex
	over   bool // removed from the manager
	life   *life
	atWork map[string]int // reconciliations under way, by cluster
	idle   *sync.Cond     // told when one of atWork is none
}

type queue = workqueue.Queue[Request]

// life is one run of a controller.
type life struct {
	ctx, work context.Context //nolint:containedctx // of this run, and of the reconciliations in it, which may outlast it
	stop      context.CancelFunc
	done      chan struct{}
	group     errgroup.Group
	queue     *queue
	mappings  *mappings
	engaged   []*engagement     // guarded by Controller.mu
	joined    map[*Cluster]bool // guarded by Controller.mu
}

// engagement is a watch of a kind in a cluster.
type engagement struct {
	cluster *Cluster
	watched
	inf *cached
	ctx context.Context //nolint:containedctx // of the watch, with the cluster's client
}

// watched is a kind that a controller watches.
type watched struct {
	obj        client.Object
	handle     EventHandler
	predicates []Predicate
}

// Name of the controller, in logs and metrics.
func (c *Controller) Name() string { return c.name }

// Enqueue asks for a reconciliation, for other reasons than a watched kind or source. While the controller does not run,
// that is for when it does.
func (c *Controller) Enqueue(req Request) {
	c.add(req, workqueue.Options{Note: &Cause{Type: CauseEnqueue, At: time.Now()}})
}

// History returns the latest reconciliations of a request, newest first; of all where there is none.
func (c *Controller) History(of ...Request) []*Run {
	return c.history.list(func(r *Run) bool { return len(of) == 0 || of[0] == r.Request })
}

// add queues a request, if it is this process's.
func (c *Controller) add(req Request, o workqueue.Options) {
	if s := c.mgr.opts.Shards; s == nil || s.Owns(req) {
		c.queue.Load().Add(req, o)
	}
}

// leads says whether it is one of the controllers that run while this process leads.
func (c *Controller) leads() bool { return !c.opts.EveryReplica }

// workers is how many requests are worked on at once.
func (c *Controller) workers() int { return max(1, c.opts.MaxConcurrentReconciles) }

func (c *Controller) newQueue() *queue {
	group := c.opts.Group
	if group == nil {
		group = func(r Request) string {
			if r.Cluster == "" {
				return r.Namespace
			}
			return r.Cluster + "/" + r.Namespace
		}
	}
	return workqueue.New(workqueue.Config[Request]{RateLimit: c.opts.RateLimit, Group: group, Merge: mergeCauses})
}

// begin makes the controller's next life, and returns the function that lives it until ctx ends: it watches and works, and
// returns when the reconciliations under way have. Those have work as their context.
func (c *Controller) begin(ctx, work context.Context) func() error {
	l := &life{work: work, done: make(chan struct{}), queue: c.queue.Load(), joined: map[*Cluster]bool{}}
	l.mappings = workqueue.New(workqueue.Config[mapped]{RateLimit: c.opts.RateLimit, Merge: mergeEvents})
	l.ctx, l.stop = context.WithCancel(ctx)
	c.mu.Lock()
	c.life = l
	if c.over {
		l.stop()
	}
	c.mu.Unlock()
	return func() error {
		defer close(l.done)
		defer c.queue.Store(c.newQueue()) // for the next one
		defer l.stop()
		err := c.run(l)
		l.queue.ShutDown()
		l.mappings.ShutDown()
		return errors.Join(err, l.group.Wait())
	}
}

// end stops the controller for good and returns when it has.
func (c *Controller) end() {
	c.mu.Lock()
	c.over = true
	l := c.life
	c.mu.Unlock()
	if l != nil {
		l.stop()
		<-l.done
	}
}

func (c *Controller) run(l *life) error {
	if s := c.mgr.opts.Shards; s != nil {
		gained := make(chan struct{}, 1) // holds one token while there is something to reconsider
		defer s.OnGain(func() {
			select {
			case gained <- struct{}{}:
			default:
			}
		})()
		l.group.Go(func() error { c.reconsiderWhen(l, gained); return nil })
	}
	l.group.Go(func() error { c.mapAgain(l); return nil })
	for _, s := range c.sources {
		l.group.Go(func() error {
			err := s(l.ctx, func(reqs ...Request) {
				cause := &Cause{Type: CauseSource, At: time.Now()}
				for _, req := range reqs {
					c.add(req, workqueue.Options{Note: cause})
				}
			})
			if err = ended(l.ctx, err); err != nil {
				l.stop() // the manager hears of it from begin
				return fmt.Errorf("controller %s: a source: %w", c.name, err)
			}
			return nil
		})
	}
	stop, err := c.watchAll(l.ctx, l, c.mgr.home)
	if err != nil {
		return ended(l.ctx, fmt.Errorf("controller %s: %w", c.name, err))
	}
	defer stop()
	c.mgr.engageAll(c)
	for range c.workers() {
		l.group.Go(func() error { c.worker(l); return nil })
	}
	<-l.ctx.Done()
	return nil
}

// worker takes requests until the queue is shut down. What is ready then is left: whoever runs the controller next
// sees it anew.
func (c *Controller) worker(l *life) {
	for {
		item, err := l.queue.Get(l.ctx)
		if err != nil {
			return
		}
		if l.ctx.Err() == nil {
			c.one(l, item)
		}
		l.queue.Done(item)
	}
}

// ended drops an error that only says that ctx ended.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // see above
	}
	return err
}

// retryKind is how long to wait for a kind that the server does not have.
const retryKind = time.Second

// watchAll watches everything in a cluster until stop is called. It returns when the controller has seen what there was.
func (c *Controller) watchAll(ctx context.Context, l *life, cl *Cluster) (stop func(), err error) {
	var stops []func()
	stop = func() {
		for _, s := range stops {
			s()
		}
	}
	for _, w := range c.watches {
		s, err := c.watch(ctx, l, cl, w)
		if err != nil {
			stop()
			return nil, err
		}
		stops = append(stops, s)
	}
	return stop, nil
}

// watch feeds the queue from w until the returned function is called.
func (c *Controller) watch(ctx context.Context, l *life, cl *Cluster, w watched) (stop func(), err error) {
	inf, release, err := cl.cache.watching(ctx, w.obj)
	for ; err != nil; inf, release, err = cl.cache.watching(ctx, w.obj) {
		c.log.Info("waiting for a kind", "cluster", cl.name, "object", fmt.Sprintf("%T", w.obj), "reason", err.Error())
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(retryKind):
		}
	}
	e := &engagement{cluster: cl, watched: w, inf: inf, ctx: context.WithValue(ctx, clientKey{}, cl.client)}
	reg := inf.AddHandler(func(ev Event) { c.seen(l, e, ev, nil) })
	stop = func() {
		reg.Remove()
		release()
	}
	if err := reg.WaitSynced(ctx); err != nil {
		stop()
		return nil, err
	}
	c.mu.Lock()
	l.engaged = append(l.engaged, e)
	c.mu.Unlock()
	return stop, nil
}

// engage has a running controller watch a cluster too, until that leaves.
func (c *Controller) engage(cl *Cluster) {
	c.mu.Lock()
	l := c.life
	idle := !c.every || l == nil || l.ctx.Err() != nil || l.joined[cl]
	if !idle {
		l.joined[cl] = true
	}
	c.mu.Unlock()
	if idle {
		return
	}
	ctx, stop := context.WithCancel(l.ctx)
	context.AfterFunc(cl.ctx, stop)
	l.group.Go(func() error {
		defer stop()
		end, err := c.watchAll(ctx, l, cl)
		if err != nil {
			return nil // ctx ended: it has no other reason
		}
		<-ctx.Done()
		end()
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(l.joined, cl)
		var left []*engagement
		for _, e := range l.engaged {
			if e.cluster != cl {
				left = append(left, e)
			}
		}
		l.engaged = left
		return nil
	})
}

// awaitCluster returns when no reconciliation for a cluster is under way.
func (c *Controller) awaitCluster(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.atWork[name] > 0 {
		c.idle.Wait()
	}
}

func (c *Controller) working(cluster string, more int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.atWork[cluster] += more; c.atWork[cluster] == 0 {
		delete(c.atWork, cluster)
		c.idle.Broadcast()
	}
}
