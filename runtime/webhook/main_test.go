package webhook_test

import (
	"fmt"
	"net/http"
	"os"
	goruntime "runtime"
	"runtime/pprof"
	"testing"
	"time"
)

// TestMain finds goroutines that the tests have left.
func TestMain(m *testing.M) {
	before := goruntime.NumGoroutine()
	code := m.Run()
	http.DefaultClient.CloseIdleConnections()
	for deadline := time.Now().Add(10 * time.Second); code == 0 && goruntime.NumGoroutine() > before; goruntime.Gosched() {
		if time.Now().After(deadline) {
			fmt.Fprintf(os.Stderr, "%d goroutines, %d before the tests\n", goruntime.NumGoroutine(), before)
			_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
			code = 1
		}
	}
	os.Exit(code)
}
