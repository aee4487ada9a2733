// Package histogram counts how long things take, for metrics in the text format of Prometheus.
package histogram

import (
	"fmt"
	"io"
	"sort"
	"sync/atomic"
	"time"
)

// Durations is a histogram of them. It is safe for concurrent use.
type Durations struct {
	bounds []float64
	counts []atomic.Uint64 // of those up to a bound that no earlier one has; the last has none
	sum    atomic.Int64    // in nanoseconds
}

// New makes one with the upper bounds of its buckets, in seconds and in order.
func New(bounds ...float64) *Durations {
	return &Durations{bounds: bounds, counts: make([]atomic.Uint64, len(bounds)+1)}
}

// Observe adds one.
func (d *Durations) Observe(took time.Duration) {
	d.counts[sort.SearchFloat64s(d.bounds, took.Seconds())].Add(1)
	d.sum.Add(int64(took))
}

// Write writes the samples of a metric; labels are NAME="VALUE", separated by commas.
func (d *Durations) Write(w io.Writer, name, labels string) {
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
