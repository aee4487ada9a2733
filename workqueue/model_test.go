package workqueue

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"slices"
	"time"
)

// model is the queue done dumbly: a record for each key, and a search for each question.
type model struct {
	cfg   Config[int]
	seq   int
	tat   int64 // of the bucket: when it is full again, if nothing more is taken
	keys  map[int]*modelKey
	rings map[int][]string // by priority: the groups with ready keys, the next turn first
}

type modelKey struct {
	working        bool
	ready, delayed bool // wanted: now (or after the work), or at due
	priority       int
	due, since     int64
	order          int // FIFO within a priority
	fails          int
	adds           int
	queued         int64
	notes          string // nothing if none
}

func newModel(cfg Config[int]) *model {
	return &model{cfg: cfg, keys: map[int]*modelKey{}, rings: map[int][]string{}}
}

func (m *model) key(k int) *modelKey {
	if m.keys[k] == nil {
		m.keys[k] = &modelKey{}
	}
	return m.keys[k]
}

func (m *model) add(k int, o Options, now int64) {
	e := m.key(k)
	if e.adds == 0 {
		e.queued = now
	}
	e.adds++
	if o.Note != nil {
		e.notes += o.Note.(string)
	}
	delay := max(int64(o.After), 0)
	if o.RateLimited {
		delay = max(delay, m.backoff(e.fails), m.bucket(now))
		e.fails++
	}
	switch priority := max(o.Priority, e.priority); {
	case e.ready && e.working:
		e.priority = priority
	case e.ready:
		if priority > e.priority {
			m.unready(k)
			e.priority = priority
			m.makeReady(k, e.since)
		}
	default:
		if e.priority = o.Priority; e.delayed {
			e.priority = priority
		}
		if delay > 0 {
			if due := now + min(delay, math.MaxInt64-1-now); !e.delayed || due < e.due {
				e.due = due
			}
			e.delayed = true
			return
		}
		m.makeReady(k, now)
	}
	if !e.ready && !e.delayed {
		panic("a wish was lost")
	}
}

func (m *model) backoff(fails int) int64 {
	d := int64(m.cfg.RateLimit.Base)
	for range fails {
		d = min(2*d, int64(m.cfg.RateLimit.Max))
	}
	return d
}

// bucket is the generic cell rate algorithm, which asks when the bucket will be full rather than what is in it.
func (m *model) bucket(now int64) int64 {
	if m.cfg.RateLimit.PerSecond == 0 {
		return 0
	}
	interval := int64(float64(time.Second) / m.cfg.RateLimit.PerSecond)
	m.tat = max(m.tat, now) + interval
	return max(m.tat-int64(m.cfg.RateLimit.Burst)*interval-now, 0)
}

func (m *model) makeReady(k int, since int64) {
	e := m.keys[k]
	m.seq++
	e.ready, e.delayed, e.since, e.order = true, false, since, m.seq
	if !e.working {
		m.join(k)
	}
}

func (m *model) group(k int) string {
	if m.cfg.Group == nil {
		return ""
	}
	return m.cfg.Group(k)
}

func (m *model) join(k int) {
	p, g := m.keys[k].priority, m.group(k)
	if !slices.Contains(m.rings[p], g) {
		m.rings[p] = append(m.rings[p], g)
	}
}

// unready takes k out, and its group if it was the last of it.
func (m *model) unready(k int) {
	e := m.keys[k]
	e.ready = false
	g := m.group(k)
	if m.oldest(e.priority, func(o int) bool { return m.group(o) == g }) < 0 {
		m.rings[e.priority] = slices.DeleteFunc(m.rings[e.priority], func(o string) bool { return o == g })
	}
}

// oldest is the ready key of a priority that was first, of those for which ok; -1: there is none.
func (m *model) oldest(priority int, ok func(int) bool) int {
	best := -1
	for k, e := range m.keys {
		if e.ready && !e.working && e.priority == priority && ok(k) && (best < 0 || e.order < m.keys[best].order) {
			best = k
		}
	}
	return best
}

func (m *model) promote(now int64) {
	var due []int
	for k, e := range m.keys {
		if e.delayed && e.due <= now {
			due = append(due, k)
		}
	}
	slices.SortFunc(due, func(a, b int) int { return cmp.Compare(m.keys[a].due, m.keys[b].due) })
	for _, k := range due {
		m.makeReady(k, m.keys[k].due)
	}
}

// next is the key that must be given next, or -1. It turns the ring.
func (m *model) next() int {
	var heads []int // the first of each priority, best first
	for p := range m.rings {
		if k := m.oldest(p, func(int) bool { return true }); k >= 0 {
			heads = append(heads, k)
		}
	}
	if len(heads) == 0 {
		return -1
	}
	slices.SortFunc(heads, m.compare)
	p := m.keys[heads[0]].priority
	for range glances {
		g := m.rings[p][0]
		m.rings[p] = append(m.rings[p][1:], g)
		k := m.oldest(p, func(o int) bool { return m.group(o) == g })
		if len(heads) == 1 || m.compare(k, heads[1]) < 0 {
			return k
		}
	}
	return heads[0]
}

// compare orders keys of different priorities.
func (m *model) compare(a, b int) int {
	score := func(k int) *big.Int {
		start := new(big.Int).Mul(big.NewInt(int64(m.keys[k].priority)), big.NewInt(int64(m.cfg.Aging)))
		if bound := big.NewInt(1 << 61); start.CmpAbs(bound) > 0 { // no more than 73 years
			start = new(big.Int).Mul(bound, big.NewInt(int64(start.Sign())))
		}
		return start.Sub(big.NewInt(m.keys[k].since), start)
	}
	return cmp.Or(score(a).Cmp(score(b)), cmp.Compare(m.keys[b].priority, m.keys[a].priority))
}

// take is what next gave.
func (m *model) take(k int, now int64) Item[int] {
	e := m.keys[k]
	m.unready(k)
	item := Item[int]{Key: k, Priority: e.priority, Adds: e.adds, Failures: e.fails,
		Queued: time.Duration(now - e.queued), Waited: time.Duration(now - e.since)}
	if e.notes != "" {
		item.Note = e.notes
	}
	e.working, e.adds, e.notes = true, 0, ""
	return item
}

func (m *model) done(k int) {
	e := m.keys[k]
	if e.working = false; e.ready {
		m.makeReady(k, e.since)
	}
}

func (m *model) dropDelayed() {
	for _, e := range m.keys {
		if e.delayed {
			e.delayed, e.adds, e.notes = false, 0, ""
		}
	}
}

// String is what Stats can tell.
func (m *model) String() string {
	ready, delayed, working := 0, 0, 0
	by := map[int]int{}
	for _, e := range m.keys {
		if e.working {
			working++
		} else if e.ready {
			ready++
			by[e.priority]++
		}
		if e.delayed {
			delayed++
		}
	}
	return fmt.Sprint(ready, delayed, working, by)
}
