package runtime

import (
	"fmt"
	"io"
	"sort"
	"sync/atomic"
	"time"
)

// durations is a histogram of them. It is safe for concurrent use.
type durations struct {
	bounds []float64       // in seconds, in order
	counts []atomic.Uint64 // of those up to a bound that no earlier one has; the last has none
	sum    atomic.Int64    // in nanoseconds
}

func newDurations(bounds ...float64) *durations {
	return &durations{bounds: bounds, counts: make([]atomic.Uint64, len(bounds)+1)}
}

func (d *durations) observe(took time.Duration) {
	d.counts[sort.SearchFloat64s(d.bounds, took.Seconds())].Add(1)
	d.sum.Add(int64(took))
}

// write writes it in the text format of Prometheus.
func (d *durations) write(w io.Writer, name, labels string) {
	total := uint64(0)
	for i := range d.counts {
		total += d.counts[i].Load()
		bound := "+Inf"
		if i < len(d.bounds) {
			bound = fmt.Sprint(d.bounds[i])
		}
		fmt.Fprintf(w, "%s_bucket{%s,le=%q} %d\n", name, labels, bound, total)
	}
	fmt.Fprintf(w, "%s_sum{%s} %g\n", name, labels, time.Duration(d.sum.Load()).Seconds())
	fmt.Fprintf(w, "%s_count{%s} %d\n", name, labels, total)
}
