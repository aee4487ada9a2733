package workqueue

import (
	"sync/atomic"
	"time"
)

// sampler reads the clock for the queue. Reading costs about as much as the rest of an operation, so while operations
// come less than a microsecond apart, only one in many reads it and the others take the time of the last reading.
// A timer ends that after a millisecond without a reading, so that times are never wrong by much more. It runs only
// while the queue is that busy.
type sampler struct {
	now     int64 // the last reading, in nanoseconds since the queue's epoch
	skip    int   // how many more operations need not read
	skipped int   // what skip was after the last reading
	streak  int   // how many readings in a row found that operations come so quickly
	cool    *time.Timer
	cold    atomic.Bool // cool has fired: read, and begin a new streak
}

const (
	hot       = int64(time.Microsecond)
	hotStreak = 8
	hotSkips  = 31
	hotFor    = time.Millisecond
)

// read returns the time; exact: not that of an earlier reading.
func (s *sampler) read(epoch time.Time, exact bool) int64 {
	if s.skip > 0 && !exact && !s.cold.Load() {
		s.skip--
		return s.now
	}
	return s.reread(epoch)
}

func (s *sampler) reread(epoch time.Time) int64 {
	now := int64(time.Since(epoch))
	if s.cold.Load() {
		s.cold.Store(false)
		s.streak = 0
	}
	if now-s.now < hot*int64(s.skipped-s.skip+1) {
		s.streak++
	} else {
		s.streak = 0
	}
	s.now, s.skip, s.skipped = now, 0, 0
	if s.streak >= hotStreak {
		s.skip, s.skipped = hotSkips, hotSkips
		if s.streak == hotStreak {
			s.cool.Reset(hotFor)
		}
	}
	return now
}
