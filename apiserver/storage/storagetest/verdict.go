package storagetest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// What calls promise, while others make them too; the text of each is the promise.
var (
	errRevisions    = errors.New("revisions: a write has one of its own, higher than all that were acknowledged before it began")
	errSwap         = errors.New("compare and swap: a write succeeds if, and only if, its key is at the expected revision")
	errCurrent      = errors.New("conflict: Current is what stood at the key while the write was tried")
	errLinearizable = errors.New("linearizable: a read without revision sees every write acknowledged before it began")
	errRepeatable   = errors.New("repeatable: a read shows the state of one revision, and says of which")
	errUnexpected   = errors.New("a call failed where nothing should be wrong")
)

// write is one call of Put or Delete and its answer.
type write struct {
	floor      storage.Revision // acknowledged to somebody before the call
	key, value string
	expected   storage.Revision
	remove     bool

	rev storage.Revision
	err error
}

// current is what the conflict showed, nil where there was none.
func (w *write) current() *storage.KeyValue {
	var conflict *storage.ConflictError
	if errors.As(w.err, &conflict) {
		return conflict.Current
	}
	return nil
}

func (w *write) String() string {
	verb := "Put"
	if w.remove {
		verb = "Delete"
	}
	return fmt.Sprintf("%s(%q, expected %d)", verb, w.key, w.expected)
}

// read is one call of Get (if it has a key) or List, and its answer.
type read struct {
	floor       storage.Revision // acknowledged to somebody before the call
	key, prefix string
	options     storage.ListOptions

	got    storage.GetResponse
	listed storage.ListResponse
	err    error
}

// historyOf is what happened after the first revision, according to the writes that succeeded.
func historyOf(writes [][]write, first storage.Revision) (History, error) {
	var h History
	for _, w := range slices.Concat(writes...) {
		switch {
		case w.err != nil:
		case w.rev <= max(w.floor, first):
			return nil, fmt.Errorf("%w: %v got revision %d, but %d was acknowledged before", errRevisions, &w, w.rev, w.floor)
		case w.remove:
			h = append(h, removed(w.key, w.rev))
		default:
			h = append(h, wrote(w.key, w.value, w.rev, w.rev))
		}
	}
	h.sort()
	made := map[string]storage.Revision{}
	for i := range h {
		e := &h[i]
		if i > 0 && h[i-1].KV.ModRevision == e.KV.ModRevision {
			return nil, fmt.Errorf("%w: both a %s and a %s", errRevisions, describe(h[i-1]), describe(*e))
		}
		switch at, exists := made[e.KV.Key]; {
		case e.Type == storage.EventDelete:
			delete(made, e.KV.Key)
		case exists:
			e.KV.CreateRevision = at
		default:
			made[e.KV.Key] = e.KV.ModRevision
		}
	}
	return h, nil
}

// verdicts holds all calls and watches against the history, and returns what they broke: the first few, as a store
// that is wrong often is so in every call.
func verdicts(h History, writes [][]write, reads [][]read, watched []Watched) []error {
	var out []error
	for _, w := range slices.Concat(writes...) {
		out = append(out, w.check(h))
	}
	for _, r := range slices.Concat(reads...) {
		out = append(out, r.check(h))
	}
	for _, w := range watched {
		out = append(out, w.Check(h))
	}
	out = slices.DeleteFunc(out, func(err error) bool { return err == nil })
	return out[:min(len(out), 5)]
}

func (w *write) check(h History) error {
	if w.err == nil {
		if before := h.Get(w.key, w.rev-1); !w.fits(before) {
			return fmt.Errorf("%w: %v succeeded with revision %d, over %s", errSwap, w, w.rev, describeKV(before))
		}
		return nil
	}
	if !errors.Is(w.err, storage.ErrConflict) {
		return fmt.Errorf("%w: %v: %w", errUnexpected, w, w.err)
	}
	current := w.current()
	if w.fits(current) {
		return fmt.Errorf("%w: %v failed over %s", errSwap, w, describeKV(current))
	}
	// It has to have stood there at some time since the call began.
	if sameKV(h.Get(w.key, w.floor), current) {
		return nil
	}
	for _, e := range h.Watch(w.key, w.floor+1, h.last()) {
		if e.KV.Key == w.key && sameKV(h.Get(w.key, e.KV.ModRevision), current) {
			return nil
		}
	}
	return fmt.Errorf("%w: %v, tried after revision %d, was shown %s", errCurrent, w, w.floor, describeKV(current))
}

// fits says that the write should succeed over what stands there.
func (w *write) fits(stands *storage.KeyValue) bool {
	if stands == nil {
		return w.expected == 0 && !w.remove
	}
	return w.expected == stands.ModRevision
}

func (r *read) check(h History) error {
	if r.err != nil {
		return fmt.Errorf("%w: reading %q%q with %+v: %w", errUnexpected, r.key, r.prefix, r.options, r.err)
	}
	at := r.listed.Revision
	if r.key != "" {
		at = r.got.Revision
	}
	switch asked := r.options.Revision; {
	case asked == 0 && at < r.floor:
		return fmt.Errorf("%w: revision %d was acknowledged, a read of %q%q then was of %d", errLinearizable, r.floor, r.key, r.prefix, at)
	case asked != 0 && at != asked:
		return fmt.Errorf("%w: asked for revision %d of %q%q, got %d", errRepeatable, asked, r.key, r.prefix, at)
	}
	if r.key != "" {
		if want := h.Get(r.key, at); !sameKV(r.got.KV, want) {
			return fmt.Errorf("%w: at revision %d a Get showed %s instead of %s", errRepeatable, at, describeKV(r.got.KV), describeKV(want))
		}
		return nil
	}
	want := h.List(r.prefix, at)
	want = slices.DeleteFunc(want, func(kv storage.KeyValue) bool { return kv.Key < r.options.Start })
	rest := 0
	if limit := r.options.Limit; limit > 0 && len(want) > limit {
		want, rest = want[:limit], len(want)-limit
	}
	if !slices.EqualFunc(r.listed.KVs, want, sameValue) || r.listed.Remaining != int64(rest) {
		return fmt.Errorf("%w: at revision %d a List of %q with %+v showed %v with %d remaining, instead of %v with %d",
			errRepeatable, at, r.prefix, r.options, r.listed.KVs, r.listed.Remaining, want, rest)
	}
	return nil
}
