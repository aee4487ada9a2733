package runtime

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"k8s.io/apimachinery/pkg/watch"

	"github.com/keelson-project/keelson/runtime/client"
	"github.com/keelson-project/keelson/workqueue"
)

// mapped is an object of whose events some could not be mapped to requests.
type mapped struct {
	*engagement
	object client.ObjectKey
}

type mappings = workqueue.Queue[mapped]

// keptEvents of an object are tried again: the first of them, and the latest.
const keptEvents = 4

// mergeEvents is the Merge of a mappings. Its notes are of type []Event.
func mergeEvents(waiting, added any) any {
	events := append([]Event(nil), waiting.([]Event)...)
	for _, e := range added.([]Event) {
		last := &events[len(events)-1]
		if last.Type != watch.Deleted && e.Type == watch.Modified && last.New.GetUID() == e.New.GetUID() {
			last.New = e.New // handlers need not see what was in between
			continue
		}
		if len(events) == keptEvents {
			events = append(events[:1], events[2:]...)
		}
		events = append(events, e)
	}
	return events
}

// requestsOf are what an event asks for. A panic is an error.
func (e *engagement) requestsOf(ev Event) (reqs []Request, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, p, debug.Stack())
		}
	}()
	return e.handle(e.ctx, ev)
}

// failed has events of an object mapped again, later and later: those of others do not wait for it.
func (c *Controller) failed(l *life, e *engagement, events []Event, err error) {
	obj := events[0].Object()
	c.stats.unmapped.Add(1)
	c.log.Error(err, "an event could not be mapped to requests", "cluster", e.cluster.name, "kind", e.inf.gvk.Kind, "object", client.KeyOf(obj))
	l.mappings.Add(mapped{e, client.KeyOf(obj)}, workqueue.Options{RateLimited: true, Note: events})
}

// mapAgain maps what has failed, until the life ends.
func (c *Controller) mapAgain(l *life) {
	for {
		item, err := l.mappings.Get(l.ctx)
		if err != nil {
			return
		}
		e := item.Key.engagement
		var left []Event
		var failures error
		for _, ev := range item.Note.([]Event) {
			if err := c.mapEvent(e, ev, nil); err != nil {
				left, failures = append(left, ev), errors.Join(failures, err)
			}
		}
		if failures != nil && e.ctx.Err() == nil {
			c.failed(l, e, left, failures)
		} else {
			l.mappings.Forget(item.Key)
		}
		l.mappings.Done(item)
	}
}

// seen queues what an event asks for.
func (c *Controller) seen(l *life, e *engagement, ev Event, cause *Cause) {
	for _, p := range e.predicates {
		if !p(ev) {
			return
		}
	}
	if err := c.mapEvent(e, ev, cause); err != nil && e.ctx.Err() == nil { // else nobody watches any more
		c.failed(l, e, []Event{ev}, err)
	}
}

func (c *Controller) mapEvent(e *engagement, ev Event, cause *Cause) error {
	reqs, err := e.requestsOf(ev)
	if err != nil {
		return err
	}
	for _, req := range reqs {
		if req.Cluster == "" {
			req.Cluster = e.cluster.name
		}
		if cause == nil { // one for all requests, and none where nothing is asked for
			cause = causeOf(ev, e.inf.gvk)
		}
		o := workqueue.Options{Note: cause}
		switch {
		case c.opts.Priority != nil:
			o.Priority = c.opts.Priority(ev, req)
		case ev.Initial:
			o.Priority = LowPriority
		}
		c.add(req, o)
	}
	return nil
}

func (c *Controller) reconsiderWhen(l *life, gained <-chan struct{}) {
	for {
		select {
		case <-gained:
			c.reconsider(l)
		case <-l.ctx.Done():
			return
		}
	}
}

// reconsider queues everything anew, of which what has become this process's gets through.
func (c *Controller) reconsider(l *life) {
	c.mu.Lock()
	engaged := l.engaged
	c.mu.Unlock()
	cause := &Cause{Type: CauseShard, At: time.Now()}
	for _, e := range engaged {
		for obj := range e.inf.Snapshot().List("") {
			c.seen(l, e, Event{Type: watch.Added, New: obj, Initial: true}, cause)
		}
	}
}
