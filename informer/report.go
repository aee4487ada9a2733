package informer

import (
	"sync/atomic"
	"time"
)

// Report tells how an informer is. It is plain data, for people and for metrics.
type Report struct {
	Scope   Scope
	Type    string // the Go type of the objects
	Compact bool
	Users   int // who have it of a Shared; 1 where it is none of a Shared

	// State is what is being done: "streaming list", "list", "watch", "absent" where the server has no such kind, or
	// "stopped". Of several namespaces it is that of the one which is furthest from watching.
	State           string
	Synced          bool   // the store has been complete
	ResourceVersion string // that reads show
	Objects         int
	// Bytes is about what objects and indexes take of memory: exact to some percent for unstructured objects and
	// compact mode, a guess by the encoded size for others.
	Bytes      int64
	OverBudget bool // the Budget that the informer has a part in is exceeded

	Handlers int
	Pending  int           // changes that handlers have not handled, of all handlers
	Lag      time.Duration // how long the oldest of them has been pending
	Silence  time.Duration // since the server was last heard of; 0 before the first time

	// What was done since the informer was made.
	Lists     uint64 // pages
	Watches   uint64 // that were opened
	Relists   uint64 // how often the whole state was read again after the first time
	Events    uint64 // of watches: additions, changes, deletions
	Bookmarks uint64
	Failures  uint64 // errors that OnError was told of

	LastFailure string
	LastFailed  time.Time
}

// counter is something that a reflector counts, when it has happened.
type counter uint8

const (
	listed  counter = iota // a page came
	watched                // a watch was opened
	gotEvent
	gotBookmark
	counters
)

// stats is what an engine counts.
type stats struct {
	counts   [counters]atomic.Uint64
	failures atomic.Uint64
	last     atomic.Pointer[failure]
	heard    atomic.Int64 // when an answer or event last came, in nanoseconds since 1970; 0: never
}

type failure struct {
	err error
	at  time.Time
}

func (s *stats) did(what counter) {
	s.counts[what].Add(1)
	s.heard.Store(time.Now().UnixNano())
}

func (s *stats) fail(err error) {
	s.failures.Add(1)
	s.last.Store(&failure{err, time.Now()})
}

// report fills in what was counted.
func (s *stats) report(r *Report) {
	r.Lists, r.Watches = s.counts[listed].Load(), s.counts[watched].Load()
	r.Events, r.Bookmarks = s.counts[gotEvent].Load(), s.counts[gotBookmark].Load()
	r.Failures = s.failures.Load()
	if last := s.last.Load(); last != nil {
		r.LastFailure, r.LastFailed = last.err.Error(), last.at
	}
	if at := s.heard.Load(); at != 0 {
		r.Silence = time.Since(time.Unix(0, at))
	}
}

// Report tells how the informer is.
func (i *Informer[T]) Report() Report {
	e := i.engine
	v := e.current.Load()
	r := Report{
		Scope: i.cfg.Scope, Type: i.cfg.typeName(), Compact: i.cfg.Compact, Users: 1, State: e.state(), Synced: e.isSynced(),
		ResourceVersion: v.revision, Objects: v.objects.Len(), Bytes: e.bytes.Load(), OverBudget: e.budget.Exceeded(),
	}
	e.stats.report(&r)
	e.mu.Lock()
	for _, p := range e.parts {
		r.Relists += p.relists
	}
	var oldest time.Time
	r.Handlers = len(e.handlers)
	for h := range e.handlers {
		n, since := h.backlog()
		if r.Pending += n; n > 0 && (oldest.IsZero() || since.Before(oldest)) {
			oldest = since
		}
	}
	e.mu.Unlock()
	if !oldest.IsZero() {
		r.Lag = time.Since(oldest)
	}
	return r
}
