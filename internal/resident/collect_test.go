package resident_test

import (
	"context"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keelson-project/keelson/internal/resident"
)

// percent is what GOGC is now.
func percent() int {
	now := debug.SetGCPercent(100)
	debug.SetGCPercent(now)
	return now
}

// collecting runs Collect beside f, in virtual time.
func collecting(t *testing.T, f func()) {
	t.Helper()
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { resident.Collect(ctx) })
		synctest.Wait()
		f()
		cancel()
		wg.Wait()
	})
	if got := percent(); got != 100 {
		t.Errorf("GOGC is %d afterwards, and was 100 before", got)
	}
}

func TestGOGCIsRespected(t *testing.T) {
	t.Setenv("GOGC", "70")
	collecting(t, func() {
		if got := percent(); got != 100 {
			t.Errorf("it was overridden: %d", got)
		}
	})
}

// alive keeps its memory.
var alive []byte

func TestLargeHeapsAreCollectedEarlierThanSmallOnes(t *testing.T) {
	t.Setenv("GOGC", "")
	runtime.GC()
	collecting(t, func() {
		if got := percent(); got < 100 {
			t.Errorf("a small heap is collected at %d %%", got)
		}
	})
	alive = make([]byte, 256<<20)
	defer func() { alive = nil }()
	runtime.GC()
	collecting(t, func() {
		if got := percent(); got != 50 {
			t.Errorf("a heap of 256 MiB is collected at %d %%, not at 50", got)
		}
	})
}

func TestQuietHeapsAreCollected(t *testing.T) {
	t.Setenv("GOGC", "")
	collecting(t, func() {
		debug.SetGCPercent(10000) // nothing else collects
		collections := func() uint32 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return m.NumGC
		}
		time.Sleep(3 * time.Second) // of virtual time
		before := collections()
		for range 16 {
			alive = make([]byte, 1<<20)
		}
		time.Sleep(3 * time.Second)
		if collections() == before {
			t.Error("16 MiB of garbage stay in a quiet heap")
		}
		before = collections()
		time.Sleep(time.Minute)
		if got := collections() - before; got > 0 {
			t.Errorf("a heap in which nothing happened was collected %d times", got)
		}
	})
}
