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
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer func() { _ = f.Close() }()
	var at mapping
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) == 0:
		case !strings.HasSuffix(fields[0], ":"):
			at = parse(fields, exe)
		case fields[0] == "Anonymous:":
			at.release(fields)
		}
	}
}

// mapping is a range of addresses; its end is zero where it is none of the program's code or constants.
type mapping struct{ from, to uintptr }

// parse reads the first line of a mapping: 00400000-02bfa000 r-xp 00000000 fe:00 1234 /path/of/keelson
func parse(fields []string, exe string) mapping {
	if len(fields) < 6 || fields[5] != exe || strings.Contains(fields[1], "w") {
		return mapping{}
	}
	first, last, _ := strings.Cut(fields[0], "-")
	from, err := strconv.ParseUint(first, 16, 64)
	if err != nil {
		return mapping{}
	}
	to, err := strconv.ParseUint(last, 16, 64)
	if err != nil {
		return mapping{}
	}
	return mapping{uintptr(from), uintptr(to)}
}

// release lets go of a mapping, given its line "Anonymous: 0 kB". One with pages of its own is left alone, read-only or
// not: the loader has written there (the addresses of a library's functions), and the file does not have it.
func (m mapping) release(fields []string) {
	if m.to == 0 || len(fields) < 2 || fields[1] != "0" {
		return
	}
	// A failure leaves the pages where they are.
	_, _, _ = unix.Syscall(unix.SYS_MADVISE, m.from, m.to-m.from, unix.MADV_DONTNEED)
}
