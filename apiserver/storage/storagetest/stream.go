package storagetest

import (
	"context"
	"errors"
	"time"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// stream reads one watch. Every response that it takes is checked at once for all promises that show in responses
// alone; check holds the whole against a history.
type stream struct {
	t         *trial
	responses <-chan storage.WatchResponse
	cancel    context.CancelFunc
	follower  follower
	seen      Watched
}

// watch begins a watch, which ends with the test at the latest.
func (t *trial) watch(prefix string, from storage.Revision) *stream {
	ctx, cancel := context.WithCancel(t.Context())
	return &stream{
		t: t, responses: t.store.Watch(ctx, prefix, storage.WatchOptions{From: from}), cancel: cancel,
		follower: follower{prefix: prefix, from: from}, seen: Watched{Prefix: prefix, From: from},
	}
}

// next waits for the next response; ok is false where the channel was closed instead.
func (s *stream) next() (r storage.WatchResponse, ok bool) {
	s.t.Helper()
	patience := s.t.patience()
	hung := time.NewTimer(patience)
	defer hung.Stop()
	select {
	case r, ok = <-s.responses:
	case <-hung.C:
		s.t.Fatalf("watch on %q from %d: nothing came in %v; it has reached revision %d with %d events",
			s.seen.Prefix, s.seen.From, patience, s.seen.Revision(), len(s.seen.Events()))
	}
	if ok {
		if err := s.follower.take(r); err != nil {
			s.t.Fatalf("watch on %q from %d broke a promise: %v", s.seen.Prefix, s.seen.From, err)
		}
		s.seen.Responses = append(s.seen.Responses, r)
	}
	return r, ok
}

// until reads up to a revision at least, and returns all events since the watch began.
func (s *stream) until(rev storage.Revision) []storage.Event {
	s.t.Helper()
	for s.follower.revision < rev {
		switch r, ok := s.next(); {
		case !ok:
			s.t.Fatalf("watch on %q from %d: closed at revision %d, before %d", s.seen.Prefix, s.seen.From, s.follower.revision, rev)
		case r.Err != nil:
			s.t.Fatalf("watch on %q from %d: ended at revision %d, before %d: %v", s.seen.Prefix, s.seen.From, s.follower.revision, rev, r.Err)
		}
	}
	return s.seen.Events()
}

// ends reads to the end, which has to be this error.
func (s *stream) ends(want error) {
	s.t.Helper()
	var last error
	for {
		r, ok := s.next()
		if !ok {
			break
		}
		last = r.Err
	}
	if !errors.Is(last, want) {
		s.t.Errorf("watch on %q from %d: ended with error %v, want %q", s.seen.Prefix, s.seen.From, last, want)
	}
}

// stop cancels the watch and reads what is left of it.
func (s *stream) stop() {
	s.t.Helper()
	s.cancel()
	for {
		r, ok := s.next()
		if !ok {
			return
		}
		if r.Err != nil {
			s.t.Errorf("watch on %q from %d: canceled by its reader, and ended with error %v", s.seen.Prefix, s.seen.From, r.Err)
		}
	}
}

// check stops the watch and holds what it delivered against what happened.
func (s *stream) check(h History) {
	s.t.Helper()
	s.stop()
	if err := s.seen.Check(h); err != nil {
		s.t.Errorf("a promise was broken: %v", err)
	}
}

// want compares all events so far.
func (s *stream) want(want ...storage.Event) {
	s.t.Helper()
	got := s.seen.Events()
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(want):
			s.t.Errorf("watch on %q from %d: event %d is a %s, want none", s.seen.Prefix, s.seen.From, i, describe(got[i]))
		case i >= len(got):
			s.t.Errorf("watch on %q from %d: event %d did not come, want a %s", s.seen.Prefix, s.seen.From, i, describe(want[i]))
		case !sameEvent(got[i], want[i]):
			s.t.Errorf("watch on %q from %d: event %d is a %s, want a %s", s.seen.Prefix, s.seen.From, i, describe(got[i]), describe(want[i]))
		}
	}
}

// wrote is the event of a put.
func wrote(key, value string, created, modified storage.Revision) storage.Event {
	return storage.Event{Type: storage.EventPut, KV: *kv(key, value, created, modified)}
}

// removed is the event of a delete.
func removed(key string, rev storage.Revision) storage.Event {
	return storage.Event{Type: storage.EventDelete, KV: storage.KeyValue{Key: key, ModRevision: rev}}
}
