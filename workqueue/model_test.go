package workqueue

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// model is the queue done dumbly: a record for each key, and a sort for each question.
type model struct {
	aging int64
	seq   int
	keys  map[int]*modelKey
}

type modelKey struct {
	working        bool
	ready, delayed bool
	priority       int
	due, since     int64
	order          int // FIFO within a priority
	fails          int
	adds           int
	queued         int64
	notes          string // nothing if none
}

func (m *model) add(k int, o Options, now int64, base int64) {
	e := m.keys[k]
	if e == nil {
		e = &modelKey{}
		m.keys[k] = e
	}
	if e.adds == 0 {
		e.queued = now
	}
	e.adds++
	if o.Note != nil {
		e.notes += o.Note.(string)
	}
	delay := int64(o.After)
	if o.RateLimited {
		delay = max(delay, base<<min(e.fails, 20))
		e.fails++
	}
	wasWaiting := e.ready || e.delayed
	old := e.priority
	if !wasWaiting {
		e.priority = o.Priority
	} else {
		e.priority = max(e.priority, o.Priority)
	}
	switch {
	case e.ready:
		if e.priority != old && !e.working {
			m.seq++
			e.order = m.seq
		}
	case delay > 0:
		if !e.delayed || now+delay < e.due {
			e.due = now + delay
		}
		e.delayed = true
	default:
		m.makeReady(e, now)
	}
}

func (m *model) makeReady(e *modelKey, since int64) {
	m.seq++
	e.ready, e.delayed, e.since, e.order = true, false, since, m.seq
}

func (m *model) promote(now int64) {
	var due []*modelKey
	for _, e := range m.keys {
		if e.delayed && e.due <= now {
			due = append(due, e)
		}
	}
	slices.SortFunc(due, func(a, b *modelKey) int { return cmp.Compare(a.due, b.due) })
	for _, e := range due {
		m.makeReady(e, e.due)
	}
}

// first is the key that must be given next: the head of the priority whose head has waited most, with its start.
func (m *model) first() (int, bool) {
	heads := map[int]int{}
	for k, e := range m.keys {
		if !e.ready || e.working {
			continue
		}
		if h, ok := heads[e.priority]; !ok || e.order < m.keys[h].order {
			heads[e.priority] = k
		}
	}
	best, found := 0, false
	score := func(k int) int64 { return m.keys[k].since - int64(m.keys[k].priority)*m.aging }
	for p, k := range heads {
		if !found || score(k) < score(best) || score(k) == score(best) && p > m.keys[best].priority {
			best, found = k, true
		}
	}
	return best, found
}

func (m *model) count() (ready, delayed, working int) {
	for _, e := range m.keys {
		if e.working {
			working++
		} else if e.ready {
			ready++
		}
		if e.delayed {
			delayed++
		}
	}
	return
}

func note(item Item[int]) string {
	s, _ := item.Note.(string)
	return s
}

// TestCoreAgainstModel runs both through the same random history.
func TestCoreAgainstModel(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 3))
		var c core[int]
		c.init(Config[int]{
			Aging: time.Microsecond, RateLimit: RateLimit{Base: 100, Max: time.Hour},
			Merge: func(waiting, added any) any { return waiting.(string) + added.(string) },
		})
		m := &model{aging: 1000, keys: map[int]*modelKey{}}
		var held []Item[int]
		now := int64(1)
		for step := range 1000 {
			now += 1 + int64(r.IntN(200)) // never twice the same due time by chance: see After
			switch op := r.IntN(10); {
			case op < 5:
				o := Options{Priority: r.IntN(4) - 1, RateLimited: r.IntN(6) == 0}
				if r.IntN(3) == 0 {
					o.After = time.Duration(r.IntN(1<<40)) >> r.IntN(40)
				}
				if r.IntN(2) == 0 {
					o.Note = string(rune('a' + r.IntN(26)))
				}
				k := r.IntN(20)
				c.add(k, o, now, true)
				m.add(k, o, now, 100)
			case op < 8:
				m.promote(now)
				c.promote(now)
				want, ok := m.first()
				item, got := c.take(now, true)
				if ok != got || ok && item.Key != want {
					t.Fatalf("seed %d, step %d: took %+v, %v; the model %d, %v", seed, step, item, got, want, ok)
				}
				if ok {
					e := m.keys[want]
					if item.Priority != e.priority || item.Failures != e.fails || item.Waited != time.Duration(now-e.since) ||
						item.Adds != e.adds || item.Queued != time.Duration(now-e.queued) || note(item) != e.notes {
						t.Fatalf("seed %d, step %d: took %+v; the model has %+v", seed, step, item, e)
					}
					e.ready, e.working = false, true
					e.adds, e.notes = 0, ""
					held = append(held, item)
				}
			case op < 9 && len(held) > 0:
				i := r.IntN(len(held))
				item := held[i]
				held = slices.Delete(held, i, i+1)
				c.done(item.slot, item.turn, now, true)
				c.done(item.slot, item.turn, now, true)
				e := m.keys[item.Key]
				if e.working = false; e.ready {
					m.seq++
					e.order = m.seq
				}
			case op == 9:
				k := r.IntN(20)
				c.forget(k)
				if e := m.keys[k]; e != nil {
					e.fails = 0
				}
			}
			ready, delayed, working := m.count()
			s := c.snapshot(now)
			if s.Ready != ready || s.Delayed != delayed || s.Working != working || len(held) != working {
				t.Fatalf("seed %d, step %d: %+v, the model has %d, %d, %d", seed, step, s, ready, delayed, working)
			}
		}
		for _, item := range held {
			c.done(item.slot, item.turn, now, true)
		}
		c.promote(never - 1)
		for {
			item, ok := c.take(now, true)
			if !ok {
				break
			}
			c.forget(item.Key)
			c.done(item.slot, item.turn, now, true)
		}
		for k := range 20 {
			c.forget(k)
		}
		if len(c.index) != 0 {
			t.Fatalf("seed %d: %d keys are kept for nothing", seed, len(c.index))
		}
	}
}
