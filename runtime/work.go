package runtime

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/go-logr/logr"

	"github.com/keelson-project/keelson/workqueue"
)

// one works on one request, and has it come again as its outcome asks.
func (c *Controller) one(l *life, item workqueue.Item[Request]) {
	req := item.Key
	c.working(req.Cluster, 1)
	defer c.working(req.Cluster, -1)
	cl, err := c.mgr.Cluster(req.Cluster)
	if err != nil { // it has left
		l.queue.Forget(req)
		return
	}
	ctx, done := context.WithCancel(l.work)
	defer done()
	if cl.name != "" {
		defer context.AfterFunc(cl.ctx, done)()
	}
	if s := c.mgr.opts.Shards; s != nil {
		held, release, ok := s.Hold(ctx, req)
		if !ok { // another process's by now
			l.queue.Forget(req)
			return
		}
		defer release()
		ctx = held
	}
	if c.opts.ReconcileTimeout > 0 {
		timed, cancel := context.WithTimeoutCause(ctx, c.opts.ReconcileTimeout, errTimeout)
		defer cancel()
		ctx = timed
	}
	r := &running{client: cl.client}
	r.causes = Causes{Request: req, Queued: item.Queued, Waited: item.Waited, Priority: item.Priority, Failures: item.Failures}
	r.causes.List, r.causes.Omitted = causesOf(item.Note)
	log := c.log.WithValues("namespace", req.Namespace, "name", req.Name)
	if req.Cluster != "" {
		log = log.WithValues("cluster", req.Cluster)
	}
	started := time.Now()
	ctx, end := c.traced(context.WithValue(logr.NewContext(ctx, log), causesKey{}, r))
	result, err := c.reconcile(ctx, req)
	run := r.finished(started, time.Since(started))
	if errors.Is(context.Cause(ctx), errTimeout) {
		c.stats.timeouts.Add(1)
	}
	c.settle(l, item, run, result, err, log)
	end(run)
	c.history.add(run)
}

// settle has a request come again as the outcome of its reconciliation asks.
func (c *Controller) settle(l *life, item workqueue.Item[Request], run *Run, result Result, err error, log logr.Logger) {
	again := func(t CauseType, o workqueue.Options) {
		o.Note = &Cause{Type: t, At: time.Now(), Detail: run.Error}
		o.Priority = item.Priority
		l.queue.Add(item.Key, o)
	}
	out := outcomeSuccess
	if err != nil {
		run.Error = err.Error()
	}
	switch {
	case isTerminal(err):
		out = outcomeTerminal
		log.Error(err, "reconciliation failed for good")
		l.queue.Forget(item.Key)
	case err != nil:
		out = outcomeError
		log.Error(err, "reconciliation failed", "failures", item.Failures+1)
		again(CauseRetry, workqueue.Options{RateLimited: true})
	case result.RequeueAfter > 0:
		out, run.RequeueAfter = outcomeAfter, result.RequeueAfter
		l.queue.Forget(item.Key)
		again(CauseRequeue, workqueue.Options{After: result.RequeueAfter})
	case result.Requeue:
		out = outcomeRequeue
		again(CauseRequeue, workqueue.Options{RateLimited: true})
	default:
		l.queue.Forget(item.Key)
	}
	run.Outcome = out.String()
	c.stats.count(out, run.Took)
}

// errTimeout is the cause that reconciliations see in a context that ended by ControllerOptions.ReconcileTimeout.
var errTimeout = fmt.Errorf("runtime: the reconciliation takes too long: %w", context.DeadlineExceeded)

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
