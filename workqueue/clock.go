package workqueue

import "time"

// sampler reads the clock for the queue. Reading costs about as much as the rest of an operation, so while
// operations come less than a microsecond apart, only one in eight reads it and the others know the time of the
// last reading; what they do is then left out of the durations that Stats reports. At ordinary rates every
// operation is timed.
type sampler struct {
	now  int64 // the last reading, in nanoseconds since the queue's epoch
	skip int   // how many more operations need not read
}

const (
	hot      = int64(time.Microsecond)
	hotSkips = 7
)

// read returns the time and whether it was read just now; exact insists.
func (s *sampler) read(epoch time.Time, exact bool) (int64, bool) {
	if s.skip > 0 && !exact {
		s.skip--
		return s.now, false
	}
	now := int64(time.Since(epoch))
	s.skip = 0
	if now-s.now < hot*(hotSkips+1) {
		s.skip = hotSkips
	}
	s.now = now
	return now, true
}
