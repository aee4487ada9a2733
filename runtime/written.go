package runtime

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/keelson-project/keelson/informer"
)

// written knows what this client has written, so that reads from caches never answer with something older. Kinds are
// told apart by group and kind alone: what was written in one version is read in any.
//
// A write that was answered with an object is a resourceVersion to wait for. A deletion has none; what it has ended is
// hidden until the caches know.
type written struct {
	mu    sync.Mutex
	kinds map[schema.GroupKind]*writtenKind
	ends  atomic.Int64 // entries in all of writtenKind.ended and cleared: reads look for some only where there are
}

type writtenKind struct {
	newest  map[string]revision // by namespace
	last    revision            // the newest of them
	ended   map[types.UID]time.Time
	cleared []clearing
}

// clearing is a DeleteAllOf: of what it was for, nothing up to a revision is left but some.
type clearing struct {
	match    func(informer.Meta) bool
	upTo     uint64
	survived map[types.UID]bool
	at       time.Time
}

func newClearing(upTo string, survived map[types.UID]bool, match func(informer.Meta) bool) clearing {
	rv, _ := strconv.ParseUint(upTo, 10, 64) // 0, of a server whose revisions are no numbers, hides nothing
	return clearing{match: match, upTo: rv, survived: survived, at: time.Now()}
}

// What is hidden stays so for keepEnded: a cache that has not heard of the end by then does not follow the server.
// maxNamespaces bounds how many namespaces of a kind are told apart; beyond it, all are waited for.
const (
	keepEnded     = 10 * time.Minute
	maxEnded      = 10_000
	maxNamespaces = 1024
)

func newWritten() *written { return &written{kinds: map[schema.GroupKind]*writtenKind{}} }

func (w *written) kind(gk schema.GroupKind) *writtenKind {
	k := w.kinds[gk]
	if k == nil {
		k = &writtenKind{newest: map[string]revision{}, ended: map[types.UID]time.Time{}}
		w.kinds[gk] = k
	}
	return k
}

// wrote notes that an object in a namespace was written at resourceVersion, which is ignored where it is no number.
func (w *written) wrote(gk schema.GroupKind, namespace, resourceVersion string) {
	rv, err := strconv.ParseUint(resourceVersion, 10, 64)
	if err != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	k := w.kind(gk)
	now, known := k.newest[namespace]
	if !known && len(k.newest) >= maxNamespaces {
		clear(k.newest)
		k.newest[anywhere] = k.last
	}
	if rv > now.number {
		k.newest[namespace] = revision{rv, resourceVersion}
	}
	if rv > k.last.number {
		k.last = revision{rv, resourceVersion}
	}
}

// revision is a resourceVersion.
type revision struct {
	number uint64
	text   string
}

// anywhere stands for namespaces that are not told apart; no namespace has that name.
const anywhere = "*"

// end notes that the object with uid is gone.
func (w *written) end(gk schema.GroupKind, uid types.UID) {
	if uid == "" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	k := w.kind(gk)
	w.sweep(k)
	if _, known := k.ended[uid]; !known {
		w.ends.Add(1)
	}
	k.ended[uid] = time.Now()
}

func (w *written) clear(gk schema.GroupKind, c clearing) {
	w.mu.Lock()
	defer w.mu.Unlock()
	k := w.kind(gk)
	w.sweep(k)
	k.cleared = append(k.cleared, c)
	w.ends.Add(1)
}

// sweep drops what is old. It requires mu.
func (w *written) sweep(k *writtenKind) {
	now := time.Now()
	for len(k.cleared) > 0 && now.Sub(k.cleared[0].at) > keepEnded {
		k.cleared = k.cleared[1:]
		w.ends.Add(-1)
	}
	if len(k.ended) < maxEnded/2 {
		return
	}
	for uid, at := range k.ended {
		if now.Sub(at) > keepEnded || len(k.ended) >= maxEnded {
			delete(k.ended, uid)
			w.ends.Add(-1)
		}
	}
}

// hides says whether obj, as a cache has it, is known to be gone.
func (w *written) hides(gk schema.GroupKind, obj informer.Meta) bool {
	if w.ends.Load() == 0 {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	k := w.kinds[gk]
	if k == nil {
		return false
	}
	if _, ended := k.ended[obj.GetUID()]; ended {
		return true
	}
	for i := range k.cleared {
		c := &k.cleared[i]
		rv, err := strconv.ParseUint(obj.GetResourceVersion(), 10, 64)
		if err == nil && rv <= c.upTo && !c.survived[obj.GetUID()] && c.match(obj) {
			return true
		}
	}
	return false
}

// wait waits until inf shows what was written in a namespace, "" for all.
func (w *written) wait(ctx context.Context, inf *objectInformer, gvk schema.GroupVersionKind, namespace string) error {
	if err := inf.WaitSynced(ctx); err != nil {
		return fmt.Errorf("runtime: waiting for the cache of %s: %w", gvk.Kind, err)
	}
	var few [2]revisionIn
	for _, r := range w.hidden(few[:0], inf, gvk.GroupKind(), namespace) {
		var err error
		if r.namespace == anywhere {
			err = inf.WaitForRevision(ctx, r.revision)
		} else {
			err = inf.WaitForWrite(ctx, r.namespace, r.revision)
		}
		if err != nil {
			return fmt.Errorf("runtime: waiting for the cache of %s to show a write: %w", gvk.Kind, err)
		}
	}
	return nil
}

// shown says whether inf shows all that was written in a namespace, "" for all. It waits for nothing.
func (w *written) shown(inf *objectInformer, gvk schema.GroupVersionKind, namespace string) bool {
	var few [2]revisionIn
	return inf.HasSynced() && len(w.hidden(few[:0], inf, gvk.GroupKind(), namespace)) == 0
}

type revisionIn struct{ namespace, revision string }

// hidden are the revisions that inf does not show yet, of what was written in a namespace, "" for all.
func (w *written) hidden(out []revisionIn, inf *objectInformer, gk schema.GroupKind, namespace string) []revisionIn {
	w.mu.Lock()
	defer w.mu.Unlock()
	k := w.kinds[gk]
	if k == nil || k.last.number == 0 {
		return out
	}
	add := func(ns string, r revision) {
		of := ns
		if ns == anywhere {
			of = ""
		}
		if !inf.Shows(of, r.text) {
			out = append(out, revisionIn{ns, r.text})
		}
	}
	if namespace == "" {
		if inf.Shows("", k.last.text) { // of a cache of all namespaces, that is all there is to ask
			return out
		}
		for ns, r := range k.newest {
			add(ns, r)
		}
		return out
	}
	for _, ns := range [...]string{namespace, anywhere} {
		if r, ok := k.newest[ns]; ok {
			add(ns, r)
		}
	}
	return out
}
