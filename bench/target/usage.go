package target

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Usage is what the server's processes have used, all of them together (so etcd is included).
type Usage struct {
	CPU  time.Duration // user and system time since they started, in ticks of 10 ms
	RSS  int64         // resident bytes, with mapped files (the database's pages are among them)
	PSS  int64         // the same, with pages that processes share divided among them
	Anon int64         // resident bytes that are not of files: heap and stacks
}

// Usage reads /proc.
func (r *Running) Usage() (Usage, error) {
	var sum Usage
	for _, p := range r.processes {
		u, err := readUsage(p.cmd.Process.Pid)
		if err != nil {
			return sum, err
		}
		sum.CPU += u.CPU
		sum.RSS += u.RSS
		sum.PSS += u.PSS
		sum.Anon += u.Anon
	}
	return sum, nil
}

// CPU is Usage().CPU, for which one small file is read for each process.
func (r *Running) CPU() (time.Duration, error) {
	var sum time.Duration
	for _, p := range r.processes {
		d, err := readCPU(p.cmd.Process.Pid)
		if err != nil {
			return 0, err
		}
		sum += d
	}
	return sum, nil
}

func readUsage(pid int) (Usage, error) {
	cpu, err := readCPU(pid)
	if err != nil {
		return Usage{}, err
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return Usage{}, err
	}
	u := Usage{CPU: cpu}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) != 3 || f[2] != "kB" {
			continue
		}
		kib, err := strconv.ParseInt(f[1], 10, 64)
		if err != nil {
			return Usage{}, fmt.Errorf("smaps_rollup of %d: %w", pid, err)
		}
		switch f[0] {
		case "Rss:":
			u.RSS = kib << 10
		case "Pss:":
			u.PSS = kib << 10
		case "Anonymous:":
			u.Anon = kib << 10
		}
	}
	return u, nil
}

// tick is the unit of /proc/PID/stat: USER_HZ, which Linux fixes at 100 for what user space sees.
const tick = 10 * time.Millisecond

// readCPU returns fields 14 and 15 of /proc/PID/stat, utime and stime. Field 2, the command's name in parentheses,
// may hold anything, so counting starts behind its end.
func readCPU(pid int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	const utime, stime = 14 - 3, 15 - 3 // f[0] is field 3
	if len(f) <= stime {
		return 0, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(f))
	}
	var ticks time.Duration
	for _, s := range []string{f[utime], f[stime]} {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += time.Duration(n)
	}
	return ticks * tick, nil
}
