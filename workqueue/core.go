package workqueue

import (
	"math"
	"time"
)

// state of a key that the queue knows. idle <-> delayed -> ready -> working -> idle, and working -> again -> ready.
type state uint8

const (
	idle    state = iota // only its failures are kept
	delayed              // in the heap of due times
	ready                // in the list of its priority
	working              // a worker has it; it may be in the heap of due times as well
	again                // a worker has it, and it is to be ready after Done
)

const never = int64(math.MaxInt64)

// core is the queue as a plain data structure: no lock, clock or goroutine. Times are nanoseconds since some
// epoch and never go back. Entries live in slots and are linked by index, so that nothing is allocated once
// the slices have grown.
type core[K comparable] struct {
	index map[K]int32 // the slot of each known key
	slots []entry[K]
	free  int32 // head of the list of unused slots, linked by next; none: empty

	levels map[int]*level
	recent *level   // the one that level found last
	order  []*level // the levels that hold keys: a heap by score of their first key
	due    []int32  // the slots that wait for their time: a heap by due
	aging  int64
	limit  limiter
	merge  func(waiting, added any) any

	depth, working int // keys in state ready; keys in states working and again
	stats          counters
}

const none = int32(-1)

// entry is what the queue knows of one key.
type entry[K comparable] struct {
	key        K
	state      state
	prev, next int32  // neighbours in its level's list, or the list of unused slots
	pos        int32  // place in the heap of due times; none: not there
	turn       uint32 // counts uses by workers, so that a stale Item is known
	failures   int32
	adds       int32 // of the wish that waits: how many Adds made it
	priority   int   // of the wish that waits
	note       any   // of the wish that waits
	queuedAt   int64 // when the first of these Adds was
	due        int64 // when it becomes ready, where pos is set
	readyAt    int64
	startedAt  int64 // zero: not known, Stats counts from its first snapshot after
	readyTimed bool  // readyAt was read from the clock, not assumed
	startTimed bool
}

func (c *core[K]) init(cfg Config[K]) {
	c.index = map[K]int32{}
	c.levels = map[int]*level{}
	c.free = none
	c.aging = int64(cfg.Aging)
	if c.aging <= 0 {
		c.aging = int64(100 * time.Millisecond)
	}
	c.limit.init(cfg.RateLimit)
	c.merge = cfg.Merge
	if c.merge == nil {
		c.merge = func(_, added any) any { return added }
	}
}

// add wants key at now plus the delays of opts. It returns whether a key became ready.
func (c *core[K]) add(key K, opts Options, now int64, timed bool) bool {
	c.stats.adds++
	at := c.find(key)
	e := &c.slots[at]
	c.note(e, opts.Note, now)
	delay := max(int64(opts.After), 0)
	if opts.RateLimited {
		c.stats.retries++
		delay = max(delay, c.limit.delay(int(e.failures), now))
		e.failures++
	}
	if delay > 0 {
		c.later(at, opts.Priority, saturate(now, delay))
		return false
	}
	switch e.state {
	case ready:
		c.raise(at, opts.Priority)
		return false
	case again:
		e.priority = max(e.priority, opts.Priority)
		return false
	case working:
		if e.pos != none {
			opts.Priority = max(opts.Priority, e.priority)
			c.undelay(at)
		}
		e.state, e.priority = again, opts.Priority
		e.readyAt, e.readyTimed = now, timed
		return false
	case delayed:
		opts.Priority = max(opts.Priority, e.priority)
		c.undelay(at)
	}
	e.priority = opts.Priority
	e.readyAt, e.readyTimed = now, timed
	c.push(at)
	return true
}

// note counts an Add for the wish that waits, and keeps what it has to say.
func (c *core[K]) note(e *entry[K], note any, now int64) {
	if e.adds == 0 {
		e.queuedAt = now
	}
	if e.adds < math.MaxInt32 {
		e.adds++
	}
	if note != nil {
		if e.note != nil {
			note = c.merge(e.note, note)
		}
		e.note = note
	}
}

// later wants the key of a slot at due, unless it is wanted earlier already.
func (c *core[K]) later(at int32, priority int, due int64) {
	e := &c.slots[at]
	switch {
	case e.state == ready:
		c.raise(at, priority)
		return
	case e.state == again:
		e.priority = max(e.priority, priority)
		return
	case e.pos == none:
		e.priority, e.due = priority, due
		c.dueInsert(at)
	default:
		e.priority = max(e.priority, priority)
		if due < e.due {
			e.due = due
			c.dueUp(int(e.pos))
		}
	}
	if e.state == idle {
		e.state = delayed
	}
}

// promote makes what is due by now ready and returns how many keys became ready.
func (c *core[K]) promote(now int64) int {
	count := 0
	for len(c.due) > 0 {
		at := c.due[0]
		e := &c.slots[at]
		if e.due > now {
			break
		}
		c.undelay(at)
		e.readyAt, e.readyTimed = e.due, true
		if e.state == working {
			e.state = again
			continue
		}
		c.push(at)
		count++
	}
	return count
}

// nextDue is when promote has something to do next.
func (c *core[K]) nextDue() int64 {
	if len(c.due) == 0 {
		return never
	}
	return c.slots[c.due[0]].due
}

// take gives the first key of the level that is first in order.
func (c *core[K]) take(now int64, timed bool) (Item[K], bool) {
	if len(c.order) == 0 {
		return Item[K]{}, false
	}
	at := c.order[0].head
	c.remove(at)
	e := &c.slots[at]
	e.state = working
	e.turn++
	c.working++
	e.startedAt, e.startTimed = 0, timed
	if timed {
		e.startedAt = now
	}
	item := Item[K]{
		Key: e.key, Priority: e.priority, Adds: int(e.adds), Failures: int(e.failures), Note: e.note,
		Queued: time.Duration(max(now-e.queuedAt, 0)), slot: at, turn: e.turn,
	}
	e.adds = 0
	if e.note != nil {
		e.note = nil
	}
	if timed && e.readyTimed {
		item.Waited = time.Duration(max(now-e.readyAt, 0))
		c.stats.waited.observe(item.Waited)
	}
	return item, true
}

// done ends the work on a slot. It returns whether a key became ready.
func (c *core[K]) done(at int32, turn uint32, now int64, timed bool) bool {
	if int(at) >= len(c.slots) {
		return false
	}
	e := &c.slots[at]
	if e.turn != turn || e.state != working && e.state != again {
		return false
	}
	c.working--
	if timed && e.startTimed {
		c.stats.worked.observe(time.Duration(max(now-e.startedAt, 0)))
	}
	switch {
	case e.state == again:
		c.push(at)
		return true
	case e.pos != none:
		e.state = delayed
	default:
		e.state = idle
		c.release(at)
	}
	return false
}

func (c *core[K]) forget(key K) {
	if at, ok := c.index[key]; ok {
		c.slots[at].failures = 0
		c.release(at)
	}
}

func (c *core[K]) failures(key K) int {
	if at, ok := c.index[key]; ok {
		return int(c.slots[at].failures)
	}
	return 0
}

// dropDelayed forgets every wish whose time has not come.
func (c *core[K]) dropDelayed() {
	for len(c.due) > 0 {
		at := c.due[0]
		c.undelay(at)
		e := &c.slots[at]
		e.adds, e.note = 0, nil
		if e.state == delayed {
			e.state = idle
			c.release(at)
		}
	}
}

// find returns the slot of key, a new one where it has none.
func (c *core[K]) find(key K) int32 {
	if at, ok := c.index[key]; ok {
		return at
	}
	at := c.free
	if at == none {
		at = int32(len(c.slots))
		c.slots = append(c.slots, entry[K]{})
	} else {
		c.free = c.slots[at].next
	}
	e := &c.slots[at]
	e.key, e.state, e.pos = key, idle, none
	c.index[key] = at
	return at
}

// release frees a slot of which nothing need be kept. The turn stays: it tells old Items from new ones.
func (c *core[K]) release(at int32) {
	e := &c.slots[at]
	if e.state != idle || e.failures > 0 {
		return
	}
	delete(c.index, e.key)
	var zero K
	e.key, e.next = zero, c.free
	c.free = at
}

func saturate(a, b int64) int64 {
	if a > never-1-b {
		return never - 1
	}
	return a + b
}
