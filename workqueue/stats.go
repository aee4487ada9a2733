package workqueue

import (
	"math/bits"
	"time"
)

// Stats is a snapshot of what a Queue does, for metrics.
type Stats struct {
	// Ready, Delayed and Working keys now. A key that is worked on may be wanted again later: it counts twice then.
	Ready, Delayed, Working int
	// ReadyBy is Ready by priority. It has an entry of zero for priorities in recent use.
	ReadyBy map[int]int
	// Adds is how many calls of Add there were, Retries how many of them had to wait, and Enqueued how often a key was
	// wanted that was not already: less than Adds, since keys that wait are not added twice.
	Adds, Retries, Enqueued uint64
	// Waited is how long keys were ready before they were given, Worked the time from there to Done.
	Waited, Worked Histogram
	// Unfinished is the sum of the times that keys now in work have taken, LongestRunning the largest of them.
	Unfinished, LongestRunning time.Duration
}

// Histogram of durations. Counts[i] counts those below Bound(i) that do not belong to an earlier one; the last
// counts the rest. While a queue is used more often than every microsecond, not every operation reads the clock:
// durations are then wrong by microseconds, and by a millisecond at most where that ends. Count is always exact.
type Histogram struct {
	Counts [31]uint64
	Count  uint64
	Sum    time.Duration
}

// Bound of a bucket: 1 us for the first, and twice as much for each that follows (the 30th: 537 s). The last
// bucket, Counts[30], has no bound.
func (Histogram) Bound(i int) time.Duration { return time.Microsecond << i }

func (h *Histogram) observe(d time.Duration) {
	h.Count++
	h.Sum += d
	i := 0
	if d >= time.Microsecond {
		i = min(bits.Len64(uint64(d/time.Microsecond)), len(h.Counts)-1)
	}
	h.Counts[i]++
}

// counters are the parts of Stats that core keeps.
type counters struct {
	adds, retries, enqueued uint64
	waited, worked          Histogram
}

// Stats takes a snapshot. It visits the keys in work.
func (q *Queue[K]) Stats() Stats {
	q.lockAll()
	defer q.unlock()
	return q.core.snapshot(q.clock.read(q.epoch, true))
}

func (c *core[K]) snapshot(now int64) Stats {
	s := Stats{
		Ready: c.depth, Delayed: len(c.due), Working: c.working, ReadyBy: make(map[int]int, len(c.levels.by)),
		Adds: c.stats.adds, Retries: c.stats.retries, Enqueued: c.stats.enqueued,
		Waited: c.stats.waited, Worked: c.stats.worked,
	}
	for priority, at := range c.levels.by {
		s.ReadyBy[priority] = c.levels.all[at].count
	}
	for at := c.busy.head; at != none; at = c.slots[at].next {
		d := time.Duration(max(now-c.slots[at].startedAt, 0))
		s.Unfinished += d
		s.LongestRunning = max(s.LongestRunning, d)
	}
	return s
}
