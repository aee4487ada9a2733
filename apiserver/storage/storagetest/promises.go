package storagetest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// What every watch promises; compare with errors.Is. The text of each is the promise.
var (
	ErrOrdered   = errors.New("ordered: an event never comes after one of a higher revision")
	ErrUnique    = errors.New("unique: no event comes twice")
	ErrAtomic    = errors.New("atomic: all events of one revision come in one response")
	ErrReliable  = errors.New("reliable: no event of the watched range is left out")
	ErrResumable = errors.New("resumable: a watch from the last seen revision plus one continues without gap or overlap")
	ErrProgress  = errors.New("progress: a response's revision covers its events, never goes back, and no event up to it comes later")
	ErrInRange   = errors.New("in range: events are of keys with the watched prefix, and of revisions from the asked one on")
	ErrFaithful  = errors.New("faithful: an event shows a write that was made, as it was made")
	ErrFinal     = errors.New("final: a response with an error is the last one and has no events")
)

// Watched is what was received of one watch.
type Watched struct {
	Prefix    string
	From      storage.Revision // the first revision to deliver; zero: not known
	Responses []storage.WatchResponse
}

// Check returns the first promise that the watch broke, nil where it kept them all. history is what happened to the
// store from some revision on; without it, ErrReliable and ErrFaithful cannot be told.
func (w Watched) Check(history History) error {
	f := follower{prefix: w.Prefix, from: w.From}
	for i, r := range w.Responses {
		if err := f.take(r); err != nil {
			return fmt.Errorf("watch on %q from %d, response %d: %w", w.Prefix, w.From, i, err)
		}
	}
	if err := w.compare(history); err != nil {
		return fmt.Errorf("watch on %q from %d: %w", w.Prefix, w.From, err)
	}
	return nil
}

// CheckResumed checks two watches on one prefix, of which the second was begun where the first was left, together.
func (w Watched) CheckResumed(next Watched, history History) error {
	if next.From != w.Revision()+1 {
		return fmt.Errorf("%w: it was seen up to %d, and begun again from %d", ErrResumable, w.Revision(), next.From)
	}
	both := Watched{Prefix: w.Prefix, From: w.From}
	both.Responses = append(append(both.Responses, w.Responses...), next.Responses...)
	if err := both.Check(history); err != nil {
		return fmt.Errorf("%w: %w", ErrResumable, err)
	}
	return nil
}

// Revision is the one up to which the watch has delivered everything; zero where nothing came yet.
func (w Watched) Revision() storage.Revision {
	var last storage.Revision
	for _, r := range w.Responses {
		last = max(last, r.Revision)
	}
	return last
}

// Events are those of all responses.
func (w Watched) Events() []storage.Event {
	var out []storage.Event
	for _, r := range w.Responses {
		out = append(out, r.Events...)
	}
	return out
}

// change names an event: a revision changes a key once.
type change struct {
	key string
	rev storage.Revision
}

func changeOf(e storage.Event) change { return change{e.KV.Key, e.KV.ModRevision} }

func index(events []storage.Event) map[change]storage.Event {
	out := make(map[change]storage.Event, len(events))
	for _, e := range events {
		out[changeOf(e)] = e
	}
	return out
}

// compare holds the events against what happened.
func (w Watched) compare(history History) error {
	if len(history) == 0 {
		return nil
	}
	events := w.Events()
	made, came := index(history), index(events)
	for _, e := range events {
		if m, ok := made[changeOf(e)]; e.KV.ModRevision >= history[0].KV.ModRevision && (!ok || !sameEvent(m, e)) {
			return fmt.Errorf("%w: %s", ErrFaithful, describe(e))
		}
	}
	from := w.From
	if from == 0 {
		if len(events) == 0 {
			return nil
		}
		from = events[0].KV.ModRevision
	}
	for _, e := range history.Watch(w.Prefix, from, w.Revision()) {
		if _, ok := came[changeOf(e)]; !ok {
			return fmt.Errorf("%w: the %s did not come, though revision %d did", ErrReliable, describe(e), w.Revision())
		}
	}
	return nil
}

// follower checks what can be told from a watch's responses alone, one after the other.
type follower struct {
	prefix string
	from   storage.Revision

	revision storage.Revision // of the newest response
	last     storage.Event    // the newest
	seen     map[change]bool
	ended    bool
}

func (f *follower) take(r storage.WatchResponse) error {
	ends := r.Err != nil
	if f.ended || ends && len(r.Events) > 0 {
		return ErrFinal
	}
	if f.ended = ends; ends {
		return nil //nolint:nilerr // it is the watch's error, and may be right
	}
	for i, e := range r.Events {
		if err := f.event(e, i == 0, r.Revision); err != nil {
			return err
		}
	}
	if r.Revision < f.revision {
		return fmt.Errorf("%w: revision %d came after %d", ErrProgress, r.Revision, f.revision)
	}
	f.revision = r.Revision
	return nil
}

// event takes the next event, which may be the first of a response.
func (f *follower) event(e storage.Event, first bool, responseRevision storage.Revision) error {
	rev := e.KV.ModRevision
	switch {
	case f.seen[changeOf(e)]:
		return fmt.Errorf("%w: %s", ErrUnique, describe(e))
	case rev < f.last.KV.ModRevision:
		return fmt.Errorf("%w: the %s came after the %s", ErrOrdered, describe(e), describe(f.last))
	case first && rev == f.last.KV.ModRevision:
		return fmt.Errorf("%w: the %s came in a later one than the %s", ErrAtomic, describe(e), describe(f.last))
	case rev <= f.revision:
		return fmt.Errorf("%w: the %s came after a response of revision %d", ErrProgress, describe(e), f.revision)
	case rev > responseRevision:
		return fmt.Errorf("%w: the %s came in a response of revision %d", ErrProgress, describe(e), responseRevision)
	case !strings.HasPrefix(e.KV.Key, f.prefix) || rev < f.from:
		return fmt.Errorf("%w: %s", ErrInRange, describe(e))
	}
	if f.seen == nil {
		f.seen = map[change]bool{}
	}
	f.seen[changeOf(e)], f.last = true, e
	return nil
}
