package informer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/keelson-project/keelson/internal/jsonscan"
)

// errSilent is why a stream was closed that sent nothing for too long.
var errSilent = errors.New("informer: the watch went silent")

const (
	// initialSilence is how long a streaming list may pause.
	initialSilence = 30 * time.Second
	// watchSilence is how long a watch may say nothing before it is opened again. Kubernetes sends a bookmark every
	// minute; where there are none, it costs a request now and then.
	watchSilence = 3 * time.Minute
	// watchGrace is how long after its timeout a watch is waited for to end.
	watchGrace = 30 * time.Second
)

// sink takes what a reflector finds. Its methods are called by one goroutine.
type sink interface {
	// hold makes an item of encoded bytes.
	hold(contentType string, data []byte) (item, error)
	// mark makes a bookmark of encoded bytes.
	mark(contentType string, data []byte) (metav1.Object, error)
	// at tells where the reflector is.
	at(p phase)
	// did counts what the reflector did.
	did(what counter)
	// replace makes items the whole state at a revision.
	replace(items []item, revision string)
	// apply stores or removes one object, and moves the revision.
	apply(deleted bool, it item)
	// lost removes an object whose last state could not be decoded.
	lost(namespace, name, revision string)
	// bookmark moves the revision.
	bookmark(revision string)
	// failed is told of what went wrong.
	failed(err error)
}

// reflector does the I/O that its machine asks for, and hands what it finds to a sink.
type reflector struct {
	source  Source
	scope   Scope
	machine machine
	timeout time.Duration // of a watch, at least
	sink    sink
	initial []item // the objects of the initial state, as far as it is known
}

// run reflects until ctx ends.
func (r *reflector) run(ctx context.Context) {
	for {
		seconds := int64(r.timeout.Seconds() * (1 + rand.Float64()))
		step := r.machine.next(rand.Float64(), max(seconds, 1))
		if !sleep(ctx, step.wait) {
			return
		}
		r.sink.at(step.phase)
		begun := time.Now()
		var err error
		if step.phase == listing {
			err = r.list(ctx, step.opts)
		} else {
			err = r.watch(ctx, step)
		}
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			continue
		}
		r.recover(err, time.Since(begun))
	}
}

// recover has the machine decide about a failure, and reports it.
func (r *reflector) recover(err error, lasted time.Duration) {
	was := r.machine.phase
	switch r.machine.ended(err, lasted) {
	case discard:
		r.initial = nil
	case absent:
		r.initial = nil
		r.sink.replace(nil, "")
		r.sink.at(missing)
	}
	if errors.Is(err, io.EOF) && was == watching {
		return // in order
	}
	r.sink.failed(fmt.Errorf("informer: %s of %s: %w", was, r.scope, err))
}

func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// list reads one page.
func (r *reflector) list(ctx context.Context, opts metav1.ListOptions) error {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	page, err := r.source.List(ctx, r.scope, opts)
	if err != nil {
		return err
	}
	r.sink.did(listed)
	if opts.Continue == "" {
		r.initial = make([]item, 0, len(page.Items))
	}
	for _, item := range page.Items {
		r.collect(page.ContentType, item)
	}
	if r.machine.page(page.ResourceVersion, page.Continue) {
		r.complete()
	}
	return nil
}

func (r *reflector) collect(contentType string, data []byte) {
	it, err := r.sink.hold(contentType, data)
	if err != nil {
		r.sink.failed(r.undecodable(err))
		return
	}
	r.initial = append(r.initial, it)
}

func (r *reflector) complete() {
	r.sink.replace(r.initial, r.machine.revision)
	r.initial = nil
}

// watch opens a stream and reads it to its end, which it returns as an error.
func (r *reflector) watch(ctx context.Context, step step) error {
	limit := time.Duration(*step.opts.TimeoutSeconds)*time.Second + watchGrace
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errSilent)
	defer cancel()
	stream, err := r.source.Watch(ctx, r.scope, step.opts)
	if err != nil {
		return err
	}
	defer stream.Close()
	r.sink.did(watched)
	if step.phase == streaming {
		r.initial = nil
	}
	patience := watchSilence
	if step.phase == streaming {
		patience = initialSilence
	}
	var silent atomic.Bool
	watchdog := time.AfterFunc(patience, func() { silent.Store(true); cancel(); stream.Close() })
	defer watchdog.Stop()
	for {
		watchdog.Reset(patience)
		event, err := stream.Next(ctx)
		if err != nil {
			if silent.Load() || errors.Is(context.Cause(ctx), errSilent) {
				err = errSilent
			}
			return err
		}
		if err := r.event(event); err != nil {
			return err
		}
		if r.machine.phase == watching {
			patience = watchSilence
		}
	}
}

// event handles one event of a watch. An error ends the stream.
func (r *reflector) event(e Event) error {
	switch e.Type {
	case watch.Error:
		return statusOf(e)
	case watch.Bookmark:
		return r.bookmark(e)
	case watch.Added, watch.Modified, watch.Deleted:
	default:
		return fmt.Errorf("unknown event type %q", e.Type)
	}
	if r.machine.phase == streaming {
		if e.Type == watch.Added {
			r.collect(e.ContentType, e.Object)
			return nil
		}
		return fmt.Errorf("%s before the initial events ended", e.Type)
	}
	r.sink.did(gotEvent)
	it, err := r.sink.hold(e.ContentType, e.Object)
	if err == nil {
		r.sink.apply(e.Type == watch.Deleted, it)
		r.machine.event(it.GetResourceVersion())
		return nil
	}
	r.sink.failed(r.undecodable(err))
	m, rv := e.Object, jsonscan.String(jsonscan.Get(e.Object, "metadata", "resourceVersion"))
	if name := jsonscan.String(jsonscan.Get(m, "metadata", "name")); name != "" {
		r.sink.lost(jsonscan.String(jsonscan.Get(m, "metadata", "namespace")), name, rv)
	}
	r.machine.event(rv)
	return nil
}

func (r *reflector) bookmark(e Event) error {
	object, err := r.sink.mark(e.ContentType, e.Object)
	if err != nil {
		return fmt.Errorf("bookmark: %w", err)
	}
	revision := object.GetResourceVersion()
	if r.machine.phase == streaming {
		if object.GetAnnotations()[metav1.InitialEventsAnnotationKey] == "true" {
			r.machine.begin(revision)
			r.complete()
			r.sink.at(watching)
		}
		return nil
	}
	r.sink.did(gotBookmark)
	r.machine.event(revision)
	r.sink.bookmark(revision)
	return nil
}

func (r *reflector) undecodable(err error) error {
	return fmt.Errorf("informer: decoding an object of %s: %w", r.scope, err)
}

func statusOf(e Event) error {
	var status metav1.Status
	if err := decodeInto(e.ContentType, e.Object, &status); err != nil {
		return fmt.Errorf("error event: %w", err)
	}
	return &apierrors.StatusError{ErrStatus: status}
}

// String names the phase as it stands in errors.
func (p phase) String() string {
	return [...]string{"streaming list", "list", "watch", "absent", "stopped"}[p]
}

// String is for people: KIND.VERSION.GROUP, and what narrows it.
func (s Scope) String() string {
	text := s.GVK.Kind + "." + s.GVK.Version + "." + s.GVK.Group
	for _, part := range [...][2]string{{" in ", s.Namespace}, {" with labels ", s.LabelSelector}, {" with fields ", s.FieldSelector}} {
		if part[1] != "" {
			text += part[0] + part[1]
		}
	}
	return text
}
