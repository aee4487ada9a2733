package histogram_test

import (
	"os"
	"time"

	"github.com/keelson-project/keelson/internal/histogram"
)

func Example() {
	d := histogram.New(0.1, 1)
	for _, took := range []time.Duration{0, 100 * time.Millisecond, 101 * time.Millisecond, time.Minute} {
		d.Observe(took)
	}
	d.Write(os.Stdout, "wait_seconds", `queue="a"`)
	// Output:
	// wait_seconds_bucket{queue="a",le="0.1"} 2
	// wait_seconds_bucket{queue="a",le="1"} 3
	// wait_seconds_bucket{queue="a",le="+Inf"} 4
	// wait_seconds_sum{queue="a"} 60.201
	// wait_seconds_count{queue="a"} 4
}
