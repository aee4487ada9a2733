//go:build linux

package resident_test

import (
	"bufio"
	"net"
	"os"
	goruntime "runtime"
	"strconv"
	"strings"
	"sync"
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
	// What the loader has written is still there: threads of C are made, and memory is mapped, through its tables.
	var threads sync.WaitGroup
	for range 64 {
		threads.Go(func() {
			goruntime.LockOSThread()
			blocks := make([][]byte, 0, 64)
			for range 64 {
				blocks = append(blocks, make([]byte, 1<<18))
			}
			goruntime.KeepAlive(blocks)
		})
	}
	threads.Wait()
	if _, err := net.DefaultResolver.LookupHost(t.Context(), "localhost"); err != nil {
		t.Log(err) // through the C library, where the program has one
	}
}
