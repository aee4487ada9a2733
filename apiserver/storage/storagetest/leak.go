package storagetest

import (
	"fmt"
	"os"
	goruntime "runtime"
	"strings"
	"testing"
	"time"
)

// Main runs a package's tests and then fails if they left goroutines behind, which it prints. A backend's package
// calls it from TestMain:
//
//	func TestMain(m *testing.M) { os.Exit(storagetest.Main(m)) }
func Main(m *testing.M) int {
	code := m.Run()
	if left := goroutinesLeft(10 * time.Second); code == 0 && len(left) > 0 {
		fmt.Fprintf(os.Stderr, "FAIL: %d goroutines are left after all tests:\n\n%s\n", len(left), strings.Join(left, "\n\n"))
		return 1
	}
	return code
}

// goroutinesLeft returns the stacks of all goroutines but the caller's and those of the test framework. Goroutines
// end a moment after what they did is done, and nothing tells when: it looks again until none is left, for so long.
func goroutinesLeft(wait time.Duration) []string {
	tick, end := time.NewTicker(10*time.Millisecond), time.NewTimer(wait)
	defer tick.Stop()
	defer end.Stop()
	for {
		left := goroutines()
		if len(left) == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-end.C:
			return left
		}
	}
}

func goroutines() []string {
	stacks := make([]byte, 1<<20)
	for {
		n := goruntime.Stack(stacks, true)
		if n < len(stacks) {
			stacks = stacks[:n]
			break
		}
		stacks = make([]byte, 2*len(stacks))
	}
	var out []string
	for _, stack := range strings.Split(string(stacks), "\n\n")[1:] { // the first is this one
		if !ofFramework(stack) {
			out = append(out, stack)
		}
	}
	return out
}

// ofFramework knows the goroutines that the testing package, profiles and signals need.
func ofFramework(stack string) bool {
	for _, function := range []string{
		"testing.(*M).", "testing.runTests", "testing.tRunner.func", "runtime/pprof.", "runtime/trace.", "os/signal.signal_recv", "os/signal.loop", "runtime.ensureSigM",
	} {
		if strings.Contains(stack, function) {
			return true
		}
	}
	return false
}
