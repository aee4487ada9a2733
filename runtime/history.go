package runtime

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// Run is a reconciliation that was: why, what it wrote, and how it ended.
type Run struct {
	Causes
	Started time.Time
	Took    time.Duration
	Outcome string // as in the metrics: success, error, terminal_error, requeue, requeue_after
	Error   string
	// RequeueAfter is what Result asked for.
	RequeueAfter time.Duration
	// Writes are those that the reconciliation has made with the manager's client and its context, the first of them;
	// Unlisted is how many more there were.
	Writes   []Write
	Unlisted int
}

// Write is one request that was to change something.
type Write struct {
	Verb   string // create, update, patch, apply, delete, deletecollection; with a subresource: "update status"
	Kind   schema.GroupVersionKind
	Object types.NamespacedName
	// ResourceVersion of the answer; "" where it has none.
	ResourceVersion string
	Error           string
}

// keptWrites is how many writes a Run lists.
const keptWrites = 16

// running is a reconciliation under way.
type running struct {
	causes Causes
	client *cachedClient

	mu       sync.Mutex
	writes   []Write
	unlisted int
}

// noteWrite adds a write to the reconciliation whose context ctx is, if it is one's.
func noteWrite(ctx context.Context, w Write) {
	r, _ := ctx.Value(causesKey{}).(*running)
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.writes) == keptWrites {
		r.unlisted++
		return
	}
	r.writes = append(r.writes, w)
}

// finished is the record of a reconciliation that has ended. What it still writes is not in it.
func (r *running) finished(started time.Time, took time.Duration) *Run {
	r.mu.Lock()
	defer r.mu.Unlock()
	return &Run{Causes: r.causes, Started: started, Took: took, Writes: r.writes[:len(r.writes):len(r.writes)], Unlisted: r.unlisted}
}

// history is a ring of the latest runs of a controller. The objects that changed stay in memory with their causes, so
// that Cause.Changed can tell.
type history struct {
	mu   sync.Mutex
	runs []*Run // oldest first from next on, once it is full
	next int
	size int
}

func (h *history) add(r *Run) {
	if h.size <= 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.runs) < h.size {
		h.runs = append(h.runs, r)
		return
	}
	h.runs[h.next] = r
	h.next = (h.next + 1) % h.size
}

// list returns the runs that match, newest first.
func (h *history) list(match func(*Run) bool) []*Run {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []*Run
	for i := len(h.runs) - 1; i >= 0; i-- {
		if r := h.runs[(h.next+i)%len(h.runs)]; match(r) {
			out = append(out, r)
		}
	}
	return out
}
