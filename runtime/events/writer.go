package events

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/keelson-project/keelson/runtime/client"
)

// Outcome is what became of a call of Eventf.
type Outcome int

// The outcomes.
const (
	Recorded Outcome = iota // an Event is to be created for it
	Counted                 // an Event that is there, or waits, counts it
	Limited                 // dropped: there were too many about this object
	Full                    // dropped: too many wait to be written
	Late                    // dropped: Run has ended
	Invalid                 // dropped: it makes no Event; Options.OnError was told why
	Failed                  // it was Recorded, but lost: the server refused it or did not answer; OnError was told why
	outcomes
)

// String is as in metrics.
func (o Outcome) String() string {
	return [...]string{"recorded", "counted", "limited", "full", "late", "invalid", "failed"}[o]
}

// Options of a Writer. The zero value is useful.
type Options struct {
	// Instance of the controllers that report. Default: for each the controller's name and the host's.
	Instance string
	// FlushTimeout is how long what waits may take to be written when Run is to end. Default: 5 s; negative: it is dropped.
	FlushTimeout time.Duration
	// OnError is told of events that are Invalid or Failed, and when the first one is Full. It must not block.
	OnError func(error)
}

// Writer writes the events of Recorders.
type Writer struct {
	client client.Client
	opts   Options
	wake   chan struct{} // one token while there may be something new

	mu    sync.Mutex
	core  *core
	ended bool
	full  bool // OnError was told
	stats Stats
}

// Stats tell what became of events.
type Stats struct {
	Waiting  int                // Events to be created, or to be written again
	Outcomes map[Outcome]uint64 // how many calls of Eventf became what
	Written  uint64             // requests that went well
}

// New makes a Writer. It starts nothing.
func New(c client.Client, opts Options) *Writer {
	if opts.FlushTimeout == 0 {
		opts.FlushTimeout = 5 * time.Second
	}
	w := &Writer{client: c, opts: opts, wake: make(chan struct{}, 1), core: newCore()}
	w.stats.Outcomes = map[Outcome]uint64{}
	return w
}

// Stats of this moment.
func (w *Writer) Stats() Stats {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := Stats{Waiting: len(w.core.due), Written: w.stats.Written, Outcomes: map[Outcome]uint64{}}
	for o := range outcomes {
		s.Outcomes[o] = w.stats.Outcomes[o]
	}
	return s
}

func (w *Writer) count(o Outcome) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stats.Outcomes[o]++
}

func (w *Writer) failed(err error) {
	if w.opts.OnError != nil {
		w.opts.OnError(err)
	}
}

// errFull is what OnError is told when events begin to be dropped.
var errFull = errors.New("events: too many wait to be written, further ones are dropped")

func (w *Writer) observe(o *occurrence) {
	w.mu.Lock()
	outcome := Late
	if !w.ended {
		outcome = w.core.observe(o, time.Now())
	}
	w.stats.Outcomes[outcome]++
	first := outcome == Full && !w.full
	w.full = w.full || outcome == Full
	w.mu.Unlock()
	if first {
		w.failed(errFull)
	}
	select {
	case w.wake <- struct{}{}:
	default: // there is a token
	}
}

// Run writes events until ctx ends, and then what waits. It returns nil when that is done, or took too long. It may be
// called once; what is recorded before waits for it.
func (w *Writer) Run(ctx context.Context) error {
	for w.step(ctx, false) {
	}
	w.mu.Lock()
	w.core.resume()
	w.mu.Unlock()
	rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), max(0, w.opts.FlushTimeout))
	defer cancel()
	for w.step(rest, true) {
	}
	w.mu.Lock()
	w.ended = true
	left := w.core.creates
	w.stats.Outcomes[Failed] += uint64(left) //nolint:gosec // it is no negative number
	w.mu.Unlock()
	if left > 0 {
		w.failed(fmt.Errorf("events: %d could not be written before the end", left))
	}
	return nil
}

// step writes what is to be written next, or waits for that until ctx ends. With last set, it does not wait for what may
// be written later, and ends the Writer when there is nothing. It says whether there may be more.
func (w *Writer) step(ctx context.Context, last bool) bool {
	if ctx.Err() != nil {
		return false
	}
	w.mu.Lock()
	s, wait := w.core.next(time.Now(), last)
	if s == nil {
		w.ended = last && wait == 0
		w.mu.Unlock()
		return !w.ended && w.sleep(ctx, wait)
	}
	send, count := s.request(), s.count
	w.mu.Unlock()
	err := w.send(ctx, send)
	w.mu.Lock()
	lost := w.core.wrote(s, count, resultOf(err, send), time.Now())
	if err == nil {
		w.stats.Written++
	}
	if w.core.creates < maxWaiting/2 {
		w.full = false
	}
	if lost {
		w.stats.Outcomes[Failed]++
	}
	w.mu.Unlock()
	if lost {
		w.failed(fmt.Errorf("events: %s: event %q about %s %s is lost: %w", s.controller, s.reason, s.regarding.kind, s.regarding.name, err))
	}
	return true
}

// sleep waits until something is new, or for so long where that is not 0. It says whether ctx let it.
func (w *Writer) sleep(ctx context.Context, d time.Duration) bool {
	var timer <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-w.wake:
	case <-timer:
	case <-ctx.Done():
		return false
	}
	return true
}

// result is how a request ended.
type result int

const (
	stored     result = iota
	existed           // it was created before, when there was no answer
	vanished          // there is no such Event any more
	unanswered        // it may be sent again
	refused
)

// named has obj be the Event of a series.
func (s *series) named(obj client.Object) {
	obj.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{Group: "events.k8s.io", Version: "v1", Kind: "Event"})
	obj.SetNamespace(s.namespace)
	obj.SetName(s.name)
}

// request is what is sent: an Event to be created, or the patch of one.
type request struct {
	create *unstructured.Unstructured // nil: there is a patch
	of     *metav1.PartialObjectMetadata
	patch  []byte
}

// request is how a series is to be written.
func (s *series) request() request {
	counted := map[string]any{"count": int64(s.count), "lastObservedTime": micro(s.last)}
	if s.written > 0 {
		patch, _ := json.Marshal(map[string]any{"series": counted}) // it can be encoded
		r := request{of: &metav1.PartialObjectMetadata{}, patch: patch}
		s.named(r.of)
		return r
	}
	u := &unstructured.Unstructured{Object: map[string]any{
		"eventTime": micro(s.first), "type": s.kind, "reason": s.reason, "action": s.action, "note": s.text,
		"reportingController": s.controller, "reportingInstance": s.instance, "regarding": s.regarding.content(s.versions.regarding),
	}}
	s.named(u)
	if s.count > 1 {
		u.Object["series"] = counted
	}
	if s.related != (reference{}) {
		u.Object["related"] = s.related.content(s.versions.related)
	}
	return request{create: u}
}

func (r *reference) content(resourceVersion string) map[string]any {
	m := map[string]any{}
	for name, value := range map[string]string{
		"apiVersion": r.apiVersion, "kind": r.kind, "namespace": r.namespace, "name": r.name, "uid": r.uid, "resourceVersion": resourceVersion,
	} {
		if value != "" {
			m[name] = value
		}
	}
	return m
}

// requestTimeout is how long a server may take for one Event, while others wait.
const requestTimeout = 10 * time.Second

func (w *Writer) send(ctx context.Context, r request) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if r.create != nil {
		return w.client.Create(ctx, r.create)
	}
	return w.client.Patch(ctx, r.of, client.RawPatch(types.MergePatchType, r.patch))
}

func resultOf(err error, of request) result {
	var status apierrors.APIStatus
	switch {
	case err == nil:
		return stored
	case of.create != nil && apierrors.IsAlreadyExists(err):
		return existed
	case of.create == nil && apierrors.IsNotFound(err):
		return vanished
	case !errors.As(err, &status):
		return unanswered
	}
	if code := status.Status().Code; code >= http.StatusInternalServerError || code == http.StatusTooManyRequests {
		return unanswered
	}
	return refused
}
