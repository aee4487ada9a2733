package runtime

import (
	"bytes"
	"fmt"
	"io"
	"os"
	goruntime "runtime"
	"runtime/metrics"
	"strconv"
)

// writeProcessMetrics writes what dashboards for controllers show of their process, under the names of Prometheus'
// collectors. What the system does not tell is left out.
func writeProcessMetrics(w io.Writer) {
	gauge := func(name, kind, help string, value any) {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n%s %v\n", name, help, name, kind, name, value)
	}
	gauge("go_goroutines", "gauge", "Goroutines that there are.", goruntime.NumGoroutine())
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	if metrics.Read(heap); heap[0].Value.Kind() == metrics.KindUint64 {
		gauge("go_memstats_alloc_bytes", "gauge", "Bytes of objects on the heap.", heap[0].Value.Uint64())
	}
	if cpu, resident, ok := ofProcess(); ok {
		gauge("process_cpu_seconds_total", "counter", "User and system CPU time.", cpu)
		gauge("process_resident_memory_bytes", "gauge", "Resident memory.", resident)
	}
}

// ofProcess is what Linux tells of this process: proc(5) has the numbers of the fields.
func ofProcess() (cpuSeconds float64, residentBytes uint64, ok bool) {
	const ticksPerSecond = 100
	data, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0, 0, false
	}
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:]) // the name before it may have any character
	number := func(field int) uint64 {
		if field-3 >= len(fields) {
			return 0
		}
		n, _ := strconv.ParseUint(string(fields[field-3]), 10, 64)
		return n
	}
	return float64(number(14)+number(15)) / ticksPerSecond, number(24) * uint64(os.Getpagesize()), true //nolint:gosec // a size
}
