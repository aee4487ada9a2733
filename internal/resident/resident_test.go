//go:build linux

package resident_test

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/keelson-project/keelson/internal/resident"
)

// fileKB is how much of this process' memory is mapped from files.
func fileKB(t *testing.T) int {
	t.Helper()
	f, err := os.Open("/proc/self/status")
	if err != nil {
		t.Skip(err)
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "RssFile:"); ok {
			kb, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(rest), " kB"))
			if err != nil {
				t.Fatal(err)
			}
			return kb
		}
	}
	t.Skip("no RssFile")
	return 0
}

func TestReleaseCode(t *testing.T) {
	before := fileKB(t)
	resident.ReleaseCode()
	after := fileKB(t)
	t.Logf("%d KiB, then %d KiB", before, after)
	if after >= before {
		t.Errorf("%d KiB of files are mapped, before it were %d", after, before)
	}
	if got := strings.Repeat("x", 3); got != "xxx" { // the code is still there
		t.Error(got)
	}
}
