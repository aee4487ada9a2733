// Package library holds the loads that bench compares Keelson's client libraries with their peers by: client-go and
// controller-runtime, in the same process and the same run. A file per library.
package library

import (
	"context"
	"flag"
	"fmt"
	"testing"
)

// Scenario is one library under one or several loads.
type Scenario interface {
	// Name is what -scenarios selects it by. It begins with lib-.
	Name() string
	// Loads are put on both libraries in turns, one after the other.
	Loads() []Load
}

// Load is one load, on Keelson's library and on the peer's. Both return values by the IDs of report.LibraryMeasures.
// A nil Peer has no like of it.
type Load struct {
	Keelson, Peer func(context.Context) (map[string]float64, error)
}

// Options of the scenarios.
type Options struct {
	Keelson string // the server's binary, for those that need a server
	Objects int    // that an informer holds
}

// Scenarios returns them in their order. One that is an io.Closer is to be closed after its loads.
func Scenarios(o Options) []Scenario {
	return []Scenario{
		&Start{}, Workqueue{}, &Informer{Keelson: o.Keelson, Objects: o.Objects}, &Reconcile{Keelson: o.Keelson}, Client{}, Packages{},
	}
}

// tries is how often a benchmark is run for one value. The quickest counts: other work on the machine only adds.
const tries = 20

// Prepare makes benchmarks short. It is called once, after flag.Parse.
func Prepare() error {
	testing.Init()
	return flag.Set("test.benchtime", "50ms")
}

// benchmark measures n operations per iteration of bench, and keeps what one of them takes under id, id-bytes and
// id-allocs.
func benchmark(id string, n int64, bench func(b *testing.B)) func(context.Context) (map[string]float64, error) {
	return func(ctx context.Context) (map[string]float64, error) {
		values := map[string]float64{}
		for range tries {
			r := testing.Benchmark(bench)
			if r.N == 0 || ctx.Err() != nil {
				return nil, fmt.Errorf("%s was ended", id)
			}
			took := float64(r.T.Nanoseconds()) / float64(int64(r.N)*n)
			if best, ok := values[id]; !ok || took < best {
				values[id] = took
			}
			values[id+"-bytes"] = float64(r.AllocedBytesPerOp() / n)
			values[id+"-allocs"] = float64(r.AllocsPerOp() / n)
		}
		return values, nil
	}
}
