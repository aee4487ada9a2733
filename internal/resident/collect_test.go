package resident_test

import (
	"runtime/debug"
	"testing"

	"github.com/keelson-project/keelson/internal/resident"
)

func TestCollectEarly(t *testing.T) {
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	t.Setenv("GOGC", "100")
	resident.CollectEarly()
	if got := debug.SetGCPercent(100); got != 100 {
		t.Errorf("GOGC was overridden: %d", got)
	}
	t.Setenv("GOGC", "")
	resident.CollectEarly()
	if got := debug.SetGCPercent(100); got != 50 {
		t.Errorf("collection begins at %d %%, not at 50", got)
	}
}
