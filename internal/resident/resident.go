//go:build linux

// Package resident keeps the memory that a program occupies down to what it uses.
package resident

import (
	"bufio"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ReleaseCode lets go of the pages of the program's own code and constants: most of those that are in memory after its
// start were needed by initialisation alone (the Go packages of Kubernetes' clients register some thousand types), or
// came in with their neighbours. What is needed again comes back from the page cache at a microsecond a piece. It does
// nothing where /proc is not to be read.
func ReleaseCode() {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	f, err := os.Open("/proc/self/maps")
	if err != nil {
		return
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		// 00400000-02bfa000 r-xp 00000000 fe:00 1234    /path/of/keelson
		fields := strings.Fields(lines.Text())
		if len(fields) < 6 || fields[5] != exe || strings.Contains(fields[1], "w") {
			continue // what is writable is not in the file any more
		}
		first, last, _ := strings.Cut(fields[0], "-")
		from, err := strconv.ParseUint(first, 16, 64)
		if err != nil {
			return
		}
		to, err := strconv.ParseUint(last, 16, 64)
		if err != nil {
			return
		}
		// A failure leaves the pages where they are.
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, uintptr(from), uintptr(to-from), unix.MADV_DONTNEED)
	}
}
