package workqueue

import (
	"hash/maphash"
	"math"
	"time"
)

// state of a key that the queue knows. idle <-> delayed -> ready -> working -> idle, and working -> again -> ready.
type state uint8

const (
	idle    state = iota // only its failures are kept
	delayed              // in the heap of due times
	ready                // in the list of its level
	working              // a worker has it; it may be in the heap of due times as well
	again                // a worker has it, and it is to be ready after Done
)

const never = int64(math.MaxInt64)

// core is the queue as a plain data structure: no lock, clock or goroutine. Times are nanoseconds since some
// epoch and never go back. Entries live in slots and are linked by index, so that nothing is allocated once
// the slices have grown.
type core[K comparable] struct {
	slots []entry[K]
	free  int32 // head of the list of unused slots, linked by next; none: empty
	table table // finds the slot of a key
	seed  maphash.Seed

	neededAt int64 // when a quarter of the slots was last in use

	levels levels
	due    []int32    // the slots that wait for their time: a heap by when
	groups *groups[K] // nil: not configured
	limit  limiter
	merge  func(waiting, added any) any

	depth   int   // keys in state ready
	busy    list  // keys in states working and again, in the order of their takes
	working int   // how many these are
	turns   int32 // takes so far; see entry.turn
	stats   counters
}

const none = int32(-1)

// entry is what the queue knows of one key. First comes what an Add of a key that waits needs: a line of cache, where
// keys are two strings.
type entry[K comparable] struct {
	key      K
	priority int   // of the wish that waits
	adds     int32 // how many Adds made it
	failures int32
	hash     uint32
	pos      int32 // place in the heap of due times; none: not there
	when     int64 // delayed (pos is set): when it is due; ready and again: since when it is so
	state    state

	level      int32 // ready: where it is
	prev, next int32 // neighbours in the list of its level, in busy, or in the list of unused slots
	turn       int32 // the take that gave it to a worker, so that a stale Item is known
	note       any   // of the wish that waits
	queuedAt   int64 // when the first Add of that wish was
	startedAt  int64 // working and again
}

// list of slots, linked by prev and next.
type list struct{ head, tail int32 }

func (c *core[K]) init(cfg Config[K]) {
	c.free, c.busy = none, list{none, none}
	c.seed = maphash.MakeSeed()
	c.levels.init(cfg.Aging)
	c.limit.init(cfg.RateLimit)
	if cfg.Group != nil {
		c.groups = newGroups(cfg.Group)
	}
	c.merge = cfg.Merge
	if c.merge == nil {
		c.merge = func(_, added any) any { return added }
	}
}

// add wants key at now plus the delays of opts. It returns whether a key became ready.
func (c *core[K]) add(key K, opts *Options, now int64) bool {
	c.stats.adds++
	at := c.find(key, now)
	e := &c.slots[at]
	c.remember(e, opts.Note, now)
	if opts.After > 0 || opts.RateLimited {
		c.later(at, opts.Priority, saturate(now, c.delay(e, opts, now)))
		return false
	}
	priority := opts.Priority
	switch e.state {
	case ready:
		c.raise(at, priority)
		return false
	case again:
		e.priority = max(e.priority, priority)
		return false
	case delayed, working:
		if e.pos != none {
			priority = max(priority, e.priority)
			c.undelay(at)
		}
	}
	c.stats.enqueued++
	e.priority, e.when = priority, now
	if e.state == working {
		e.state = again
		return false
	}
	c.push(at)
	return true
}

// remember counts an Add for the wish that waits, and keeps what it has to say.
func (c *core[K]) remember(e *entry[K], note any, now int64) {
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

// delay is how long an Add is to wait. It counts a failure where it is rate limited.
func (c *core[K]) delay(e *entry[K], opts *Options, now int64) int64 {
	c.stats.retries++
	delay := max(int64(opts.After), 0)
	if opts.RateLimited {
		delay = max(delay, c.limit.delay(int(e.failures), now))
		if e.failures < math.MaxInt32 {
			e.failures++
		}
	}
	return delay
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
		e.priority, e.when = priority, due
		c.dueInsert(at)
	default:
		e.priority = max(e.priority, priority)
		if due < e.when {
			e.when = due
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
		if e.when > now {
			break
		}
		c.undelay(at)
		c.stats.enqueued++
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
	return c.slots[c.due[0]].when
}

// take gives the key whose turn it is. It requires that one is ready.
func (c *core[K]) take(now int64, item *Item[K]) {
	at := c.first()
	c.remove(at)
	e := &c.slots[at]
	c.turns++
	c.working++
	e.state, e.turn, e.startedAt = working, c.turns, now
	c.enlist(&c.busy, at)
	item.Key, item.Priority, item.Adds, item.Failures = e.key, e.priority, int(e.adds), int(e.failures)
	item.Queued, item.Waited = time.Duration(max(now-e.queuedAt, 0)), time.Duration(max(now-e.when, 0))
	item.slot, item.turn = at, e.turn
	e.adds = 0
	if e.note != nil {
		item.Note, e.note = e.note, nil
	}
	c.stats.waited.observe(item.Waited)
}

// done ends the work on a slot. It returns whether a key became ready.
func (c *core[K]) done(at, turn int32, now int64) bool {
	if uint(at) >= uint(len(c.slots)) {
		return false
	}
	e := &c.slots[at]
	if e.turn != turn || e.state != working && e.state != again {
		return false
	}
	c.working--
	c.delist(&c.busy, at)
	c.stats.worked.observe(time.Duration(max(now-e.startedAt, 0)))
	switch {
	case e.state == again:
		c.push(at)
		return true
	case e.pos != none:
		e.state = delayed
	default:
		e.state = idle
		c.release(at, now)
	}
	return false
}

func (c *core[K]) forget(key K, now int64) {
	if at := c.lookup(key); at != none {
		c.slots[at].failures = 0
		c.release(at, now)
	}
}

func (c *core[K]) failures(key K) int {
	if at := c.lookup(key); at != none {
		return int(c.slots[at].failures)
	}
	return 0
}

// dropDelayed forgets every wish whose time has not come.
func (c *core[K]) dropDelayed(now int64) {
	for len(c.due) > 0 {
		at := c.due[0]
		c.undelay(at)
		e := &c.slots[at]
		e.adds, e.note = 0, nil
		if e.state == delayed {
			e.state = idle
			c.release(at, now)
		}
	}
}

// enlist puts a slot at the end of l.
func (c *core[K]) enlist(l *list, at int32) {
	e := &c.slots[at]
	e.prev, e.next = l.tail, none
	if l.tail != none {
		c.slots[l.tail].next = at
	} else {
		l.head = at
	}
	l.tail = at
}

// delist takes a slot out of l.
func (c *core[K]) delist(l *list, at int32) {
	e := &c.slots[at]
	if e.next != none {
		c.slots[e.next].prev = e.prev
	} else {
		l.tail = e.prev
	}
	if e.prev != none {
		c.slots[e.prev].next = e.next
	} else {
		l.head = e.next
	}
}

func saturate(a, b int64) int64 {
	if a > never-1-b {
		return never - 1
	}
	return a + b
}
