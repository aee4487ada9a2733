package runtime

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/keelson-project/keelson/workqueue"
)

// writeQueueMetrics writes what the controllers' queues count, under client-go's names and with its meanings. The
// depth is by priority, as controller-runtime has it; sums over that label are the whole.
func writeQueueMetrics(w io.Writer, controllers []*Controller) {
	queues := make([]queueStats, len(controllers))
	for i, c := range controllers {
		queues[i] = queueStats{fmt.Sprintf("name=%q,controller=%q", c.name, c.name), c.queue.Load().Stats()}
	}
	family := func(name, kind, help string, each func(name string, q queueStats)) {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
		for _, q := range queues {
			each(name, q)
		}
	}
	family("workqueue_depth", "gauge", "Keys that are ready, by priority.", func(name string, q queueStats) {
		for _, priority := range slices.Sorted(maps.Keys(q.ReadyBy)) {
			fmt.Fprintf(w, "%s{%s,priority=\"%d\"} %d\n", name, q.labels, priority, q.ReadyBy[priority])
		}
	})
	counter := func(name, help string, of func(workqueue.Stats) uint64) {
		family(name, "counter", help, func(name string, q queueStats) {
			fmt.Fprintf(w, "%s{%s} %d\n", name, q.labels, of(q.Stats))
		})
	}
	counter("workqueue_adds_total", "How often a key was wanted that was not already.",
		func(s workqueue.Stats) uint64 { return s.Enqueued })
	counter("workqueue_retries_total", "Adds with a delay, those after failures among them.",
		func(s workqueue.Stats) uint64 { return s.Retries })
	gauge := func(name, help string, of func(workqueue.Stats) time.Duration) {
		family(name, "gauge", help, func(name string, q queueStats) {
			fmt.Fprintf(w, "%s{%s} %g\n", name, q.labels, of(q.Stats).Seconds())
		})
	}
	gauge("workqueue_unfinished_work_seconds", "Sum of the times that the keys in work have taken so far.",
		func(s workqueue.Stats) time.Duration { return s.Unfinished })
	gauge("workqueue_longest_running_processor_seconds", "The largest of these.",
		func(s workqueue.Stats) time.Duration { return s.LongestRunning })
	family("workqueue_queue_duration_seconds", "histogram", "How long keys were ready before work on them began.",
		func(name string, q queueStats) { writeHistogram(w, name, q.labels, &q.Waited) })
	family("workqueue_work_duration_seconds", "histogram", "How long work on a key took.",
		func(name string, q queueStats) { writeHistogram(w, name, q.labels, &q.Worked) })
}

// queueStats is what a queue counts, and the labels of whose it is.
type queueStats struct {
	labels string
	workqueue.Stats
}

func writeHistogram(w io.Writer, name, labels string, h *workqueue.Histogram) {
	total := uint64(0)
	for i := range len(h.Counts) - 1 {
		total += h.Counts[i]
		fmt.Fprintf(w, "%s_bucket{%s,le=\"%g\"} %d\n", name, labels, h.Bound(i).Seconds(), total)
	}
	fmt.Fprintf(w, "%s_bucket{%s,le=\"+Inf\"} %d\n", name, labels, h.Count)
	fmt.Fprintf(w, "%s_sum{%s} %g\n", name, labels, h.Sum.Seconds())
	fmt.Fprintf(w, "%s_count{%s} %d\n", name, labels, h.Count)
}
