package events

import (
	"container/heap"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"
)

// The limits. Those of notes and of Events about one object are client-go's.
const (
	maxWaiting = 1000 // Events that are to be created
	maxKnown   = 4096 // series, groups of them, and objects that they are about

	similarNotes  = 10               // that may differ
	similarWithin = 10 * time.Minute // and then are told apart again

	burst  = 25 // Events about one object
	refill = 5 * time.Minute

	seriesEnds               = time.Hour
	firstUpdate, restUpdates = 10 * time.Second, 5 * time.Minute
	maxTries                 = 10
	firstPause, longestPause = time.Second, time.Minute
)

// reference is an object that an Event is about, without its resourceVersion.
type reference struct{ apiVersion, kind, namespace, name, uid string }

// group is what events have in common that differ in their notes.
type group struct {
	controller, instance string
	regarding, related   reference
	kind, reason, action string // kind is Normal or Warning
}

// occurrence is one call of Eventf.
type occurrence struct {
	group
	note     string
	versions versions
}

// versions are the resourceVersions of the objects of an occurrence.
type versions struct{ regarding, related string }

type seriesKey struct {
	group
	note string // "" for what is combined
}

// series is an Event: what was said once or more often.
type series struct {
	seriesKey
	text            string // the note
	versions        versions
	namespace, name string // of the Event
	first, last     time.Time
	count           int
	written         int // the count that the server knows; 0: it has to be created

	due     time.Time
	id      int64 // of two that are due at one time, the lower goes first
	index   int   // in core.due; -1: it is not there
	writing bool  // next has given it, and wrote was not told how that ended
	every   time.Duration
	notYet  time.Time // until when the count is not written again
	tries   int
}

// core decides what becomes of events. It has no clock, server or goroutine.
type core struct {
	known   lru[seriesKey, *series]
	similar lru[group, *notes]
	about   lru[subject, *bucket]
	due     byDue
	creates int       // of those in due
	failing int       // writes that failed since one went well
	paused  time.Time // no write before
	lastID  int64
}

// notes of a group.
type notes struct {
	differ int
	until  time.Time
}

// subject is what a Recorder speaks of.
type subject struct {
	controller string
	regarding  reference
}

// bucket holds the Events that may be made.
type bucket struct {
	tokens float64
	at     time.Time
}

func newCore() *core {
	c := &core{}
	c.known.max, c.similar.max, c.about.max = maxKnown, maxKnown, maxKnown
	c.known.evicted = func(s *series) {
		if s.index >= 0 && s.written > 0 {
			heap.Remove(&c.due, s.index)
		}
	}
	return c
}

// observe takes an event in.
func (c *core) observe(o *occurrence, now time.Time) Outcome {
	key := seriesKey{o.group, o.note}
	if c.counted(key, now) {
		return Counted
	}
	n, _ := c.similar.get(o.group)
	if n == nil || now.After(n.until) {
		n = &notes{until: now.Add(similarWithin)}
		c.similar.put(o.group, n)
	}
	text := o.note
	if n.differ >= similarNotes {
		key.note, text = "", "(combined from similar events): "+o.note
		if c.counted(key, now) {
			return Counted
		}
	}
	switch {
	case c.creates >= maxWaiting:
		return Full
	case !c.take(subject{o.controller, o.regarding}, now):
		return Limited
	}
	n.differ++
	s := &series{seriesKey: key, text: shortened(text), versions: o.versions, first: now, last: now, count: 1, index: -1, every: firstUpdate}
	s.namespace = o.regarding.namespace
	if s.namespace == "" {
		s.namespace = "default"
	}
	c.identify(s, now)
	c.known.put(key, s)
	c.schedule(s, now)
	return Recorded
}

// counted adds to a series, where there is one.
func (c *core) counted(key seriesKey, now time.Time) bool {
	s, ok := c.known.get(key)
	if !ok || now.Sub(s.last) > seriesEnds {
		return false
	}
	s.count++
	s.last = now
	if s.index < 0 && !s.writing {
		c.schedule(s, later(now, s.notYet))
	}
	return true
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// take takes a token of those that there are for a subject.
func (c *core) take(about subject, now time.Time) bool {
	b, ok := c.about.get(about)
	if !ok {
		b = &bucket{tokens: burst, at: now}
		c.about.put(about, b)
	}
	b.tokens = min(burst, b.tokens+float64(now.Sub(b.at))/float64(refill))
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// identify gives the Event a name that no other has.
func (c *core) identify(s *series, now time.Time) {
	c.lastID = max(c.lastID+1, now.UnixNano())
	s.id, s.name = c.lastID, s.regarding.name
	suffix := fmt.Sprintf(".%x", s.id)
	if most := validation.DNS1123SubdomainMaxLength - len(suffix); len(s.name) > most {
		s.name = strings.TrimRight(s.name[:most], ".-")
	}
	if len(validation.IsDNS1123Subdomain(s.name+suffix)) > 0 { // of kinds whose names are freer
		s.name = strings.ToLower(s.regarding.kind)
	}
	s.name += suffix
}

func (c *core) schedule(s *series, due time.Time) {
	s.due = due
	heap.Push(&c.due, s)
	if s.written == 0 {
		c.creates++
	}
}

// next takes the series that is to be written now, or tells how long there is none; 0 for ever. With all set, what is to
// be written later is to be written now. wrote is to be told how it went.
func (c *core) next(now time.Time, all bool) (s *series, wait time.Duration) {
	if len(c.due) == 0 {
		return nil, 0
	}
	at := c.paused
	if !all {
		at = later(at, c.due[0].due)
	}
	if at.After(now) {
		return nil, at.Sub(now)
	}
	s = heap.Pop(&c.due).(*series)
	s.writing = true
	if s.written == 0 {
		c.creates--
	}
	return s, 0
}

// wrote notes how the writing of a series ended that had so many occurrences when next gave it. It says whether the
// series is lost.
func (c *core) wrote(s *series, count int, how result, now time.Time) (lost bool) {
	s.writing = false
	c.failing++
	c.paused = now.Add(min(longestPause, firstPause<<min(c.failing-1, 10)))
	if how != unanswered {
		c.resume()
	}
	if how == existed {
		how, count = stored, 1 // or more: it is not known which attempt was the one
	}
	switch how {
	case stored:
		s.written, s.tries = count, 0
		s.notYet = now.Add(s.every)
		s.every = min(2*s.every, restUpdates)
		if s.count > s.written {
			c.schedule(s, s.notYet)
		}
		return false
	case vanished: // what was counted since is for another Event to tell
		s.count -= s.written
		s.written, s.first = 0, s.last
		c.identify(s, now)
		c.schedule(s, now)
		return false
	case unanswered:
		if s.tries++; s.tries < maxTries {
			c.schedule(s, s.due)
			return false
		}
	case refused:
	}
	s.tries = 0
	if latest, ok := c.known.get(s.seriesKey); ok && latest == s && s.written == 0 {
		c.known.drop(s.seriesKey)
	}
	return true
}

// resume ends a pause.
func (c *core) resume() { c.failing, c.paused = 0, time.Time{} }

// byDue is a heap.
type byDue []*series

func (h byDue) Len() int { return len(h) }
func (h byDue) Less(i, j int) bool {
	if h[i].due.Equal(h[j].due) {
		return h[i].id < h[j].id
	}
	return h[i].due.Before(h[j].due)
}

func (h byDue) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *byDue) Push(x any) {
	s := x.(*series)
	s.index = len(*h)
	*h = append(*h, s)
}

func (h *byDue) Pop() any {
	last := len(*h) - 1
	s := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	s.index = -1
	return s
}
