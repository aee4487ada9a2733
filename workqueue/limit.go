package workqueue

import "time"

// limiter computes the delays of RateLimit. It is pure: the time is passed in.
type limiter struct {
	base, max int64
	interval  float64 // nanoseconds between two tokens; zero: no bucket
	burst     float64
	tokens    float64 // may be negative: taken in advance
	at        int64   // when tokens was counted
}

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
		l.interval = float64(time.Second) / cfg.PerSecond
		l.burst = float64(max(cfg.Burst, 1))
		l.tokens = l.burst
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
	l.tokens = min(l.burst, l.tokens+float64(now-l.at)/l.interval) - 1
	l.at = now
	if l.tokens >= 0 {
		return d
	}
	return max(d, int64(min(-l.tokens*l.interval, float64(never/2))))
}
