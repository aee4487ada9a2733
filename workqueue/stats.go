package workqueue

import (
	"math/bits"
	"time"
)

// Stats is a snapshot of what a Queue does, for metrics. Counts and levels are exact. Durations are measured
// for every key at ordinary rates; while operations come less than a microsecond apart, for a part of them.
type Stats struct {
	Ready, Delayed, Working int    // keys now
	Adds, Retries           uint64 // calls of Add; those that were rate limited
	Waited                  Histogram
	Worked                  Histogram
	// Unfinished is the sum of the times that keys now in work have taken, LongestRunning the largest of them.
	Unfinished, LongestRunning time.Duration
}

// Histogram of durations. Counts[i] counts those below Bound(i) that do not belong to an earlier one; the last
// counts the rest.
type Histogram struct {
	Counts [24]uint64
	Count  uint64
	Sum    time.Duration
}

// Bound of a bucket: 1 us for the first, and twice as much for each that follows (the 23rd: 4.2 s). The last
// bucket, Counts[23], has no bound.
func (Histogram) Bound(i int) time.Duration { return time.Microsecond << i }

func (h *Histogram) observe(d time.Duration) {
	h.Count++
	h.Sum += d
	h.Counts[min(bits.Len64(uint64(d/time.Microsecond)), len(h.Counts)-1)]++
}

// counters are the parts of Stats that core keeps.
type counters struct {
	adds, retries  uint64
	waited, worked Histogram
}

// Stats takes a snapshot. It visits every known key.
func (q *Queue[K]) Stats() Stats {
	q.lock()
	defer q.unlock()
	now, _ := q.clock.read(q.epoch, true)
	return q.core.snapshot(now)
}

func (c *core[K]) snapshot(now int64) Stats {
	s := Stats{
		Ready: c.depth, Delayed: len(c.due), Working: c.working,
		Adds: c.stats.adds, Retries: c.stats.retries, Waited: c.stats.waited, Worked: c.stats.worked,
	}
	for _, at := range c.index {
		e := &c.slots[at]
		if e.state != working && e.state != again {
			continue
		}
		if e.startedAt == 0 {
			e.startedAt = now
		}
		d := time.Duration(max(now-e.startedAt, 0))
		s.Unfinished += d
		s.LongestRunning = max(s.LongestRunning, d)
	}
	return s
}
