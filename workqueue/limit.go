package workqueue

import (
	"math"
	"time"
)

// limiter computes the delays of RateLimit. It is pure: the time is passed in.
type limiter struct {
	base, max int64
	interval  int64 // between two tokens; zero: no bucket
	burst     int64 // the time that a full bucket has taken to fill
	credit    int64 // the time that what is in the bucket has taken; negative: taken in advance
	at        int64 // when that was so
}

// limit of the bucket's times, so that sums do not overflow: 73 years.
const limit = never / 4

func (l *limiter) init(cfg RateLimit) {
	l.base, l.max = int64(cfg.Base), int64(cfg.Max)
	if l.base <= 0 {
		l.base = int64(5 * time.Millisecond)
	}
	if l.max <= 0 {
		l.max = int64(1000 * time.Second)
	}
	l.max = max(l.max, l.base)
	if cfg.PerSecond > 0 {
		interval := min(float64(time.Second)/cfg.PerSecond, float64(limit))
		l.interval = max(int64(math.Round(interval)), 1)
		l.burst = int64(min(float64(max(cfg.Burst, 1))*float64(l.interval), float64(limit)))
		l.credit = l.burst
	}
}

// delay is how long a key with that many failures before this one has to wait. It takes a token.
func (l *limiter) delay(failures int, now int64) int64 {
	d := l.max
	if failures < 62 && l.base <= l.max>>failures {
		d = l.base << failures
	}
	if l.interval == 0 {
		return d
	}
	l.credit = max(min(l.burst, l.credit+now-l.at)-l.interval, -limit)
	l.at = now
	return max(d, -l.credit)
}
