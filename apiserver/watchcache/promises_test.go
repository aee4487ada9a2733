package watchcache_test

import (
	"errors"
	"fmt"
	"slices"

	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/watchcache"
	"github.com/keelson-project/keelson/internal/jsonscan"
)

// What a watch promises. Each error's text is the promise that was broken.
var (
	errOrdered      = errors.New("ordered: events come in order of their revisions")
	errUnique       = errors.New("unique: no event comes twice")
	errAtomic       = errors.New("atomic: all events of one revision come at once")
	errReliable     = errors.New("reliable: no event of the watched range is left out, and none is invented")
	errResumable    = errors.New("resumable: a watch from the last revision of another continues it")
	errBookmarkable = errors.New("bookmarkable: after a revision is announced nothing up to it comes any more")
	errTruthful     = errors.New("truthful: an object comes with its content and revision at that time")
)

// session is one Watcher's life: what it was asked for and what came.
type session struct {
	from    storage.Revision
	batches []batch
}

type batch struct {
	events []watchcache.Event
	upTo   storage.Revision
}

// recording is a logical watch: sessions that continue each other.
type recording struct {
	prefix, key, color string
	sessions           []session
}

func (r *recording) begin(from storage.Revision) *session {
	r.sessions = append(r.sessions, session{from: from})
	return &r.sessions[len(r.sessions)-1]
}

// upTo is the revision up to which the recording is complete.
func (s *session) upTo() storage.Revision {
	if len(s.batches) == 0 {
		return s.from
	}
	return s.batches[len(s.batches)-1].upTo
}

// validate checks every promise against the model.
func (r *recording) validate(w *world) error {
	for i := range r.sessions {
		s := &r.sessions[i]
		if err := s.validate(); err != nil {
			return fmt.Errorf("session %d from %d: %w", i, s.from, err)
		}
		var got []seen
		for _, b := range s.batches {
			for _, e := range b.events {
				got = append(got, record(e))
			}
		}
		want := w.expected(r.prefix, r.key, r.color, s.from, s.upTo())
		if !slices.Equal(got, want) {
			return fmt.Errorf("session %d from %d to %d: %w\n got %v\nwant %v", i, s.from, s.upTo(), errReliable, got, want)
		}
		if i > 0 && s.from < r.sessions[i-1].upTo() {
			return fmt.Errorf("session %d from %d: %w", i, s.from, errResumable)
		}
	}
	return nil
}

func (s *session) validate() error {
	announced, last := s.from, s.from
	had := map[seen]bool{}
	for _, b := range s.batches {
		for _, e := range b.events {
			rev := e.Entry.Revision
			id := seen{rev: rev, key: e.Entry.Key}
			switch {
			case had[id]:
				return fmt.Errorf("%w: %v", errUnique, id)
			case rev < last:
				return fmt.Errorf("%w: %d after %d", errOrdered, rev, last)
			case rev <= announced:
				return fmt.Errorf("%w: %d after %d was announced", errBookmarkable, rev, announced)
			case rev > b.upTo:
				return fmt.Errorf("%w: %d with %d", errAtomic, rev, b.upTo)
			}
			had[id], last = true, rev
			if err := truthful(e.Entry); err != nil {
				return err
			}
		}
		if b.upTo < announced {
			return fmt.Errorf("%w: %d after %d", errBookmarkable, b.upTo, announced)
		}
		announced = b.upTo
	}
	return nil
}

// truthful checks that what an entry says of itself is what its bytes say.
func truthful(e *watchcache.Entry) error {
	rv := jsonscan.String(jsonscan.Get(e.Data, "metadata", "resourceVersion"))
	color := resource.Project(e.Data, nil).Labels.Get("color")
	if rv != fmt.Sprint(e.Revision) || color != e.Projection.Labels.Get("color") {
		return fmt.Errorf("%w: %s at %d is %s", errTruthful, e.Key, e.Revision, e.Data)
	}
	return nil
}

func record(e watchcache.Event) seen {
	return seen{e.Entry.Revision, e.Type, e.Entry.Key, e.Entry.Projection.Labels.Get("color")}
}
