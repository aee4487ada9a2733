package embedded_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/storage/etcd/embedded"
	"github.com/keelson-project/keelson/apiserver/storage/storagetest"
)

// TestCrash kills a process that writes, again and again, and looks for what it had been told was written. Killing a
// process loses nothing that the kernel has: that fsync keeps what a power failure would take is not tested here.
const (
	crashSeed    = 20250101
	crashRounds  = 20
	crashWriters = 6
	crashKeys    = 4 // of each writer

	crashVariable = "KEELSON_CRASH_DIR" // makes the test binary the process to kill
	crashRound    = "KEELSON_CRASH_ROUND"
	crashCompact  = "KEELSON_CRASH_COMPACT" // a revision before which nothing is looked for any more
)

// report is a line that the writing process says: that it opens the store, that it is about to write something (no
// revision yet), or that this was acknowledged.
type report struct {
	Opening  bool             `json:",omitempty"`
	Writer   int              `json:",omitempty"`
	Key      string           `json:",omitempty"`
	Value    string           `json:",omitempty"`
	Remove   bool             `json:",omitempty"`
	Revision storage.Revision `json:",omitempty"`
	Error    string           `json:",omitempty"`
}

func (r report) is(e storage.Event) bool {
	return e.KV.Key == r.Key && string(e.KV.Value) == r.Value && (e.Type == storage.EventDelete) == r.Remove
}

func TestCrash(t *testing.T) {
	t.Logf("seed %d", crashSeed)
	r := rand.New(rand.NewPCG(crashSeed, 0))
	c := &crash{T: t, dir: t.TempDir(), acked: map[storage.Revision]report{}}
	for round := range crashRounds {
		when := killAfter{acks: 1 + r.IntN(400)}
		if r.IntN(4) == 0 { // while it opens what the one before it left, mostly
			when = killAfter{time: time.Duration(r.Int64N(int64(100 * time.Millisecond)))}
		}
		c.run(round, when)
		if round == crashRounds-1 || r.IntN(3) > 0 {
			c.verify()
		}
	}
	t.Logf("%d changes survived %d crashes; %d of them were not acknowledged", len(c.history), crashRounds, c.unacknowledged)
}

// TestCrashBeforeFirstWrite: a directory can be opened however far the first attempt at it has come.
func TestCrashBeforeFirstWrite(t *testing.T) {
	t.Logf("seed %d", crashSeed)
	r := rand.New(rand.NewPCG(crashSeed, 1))
	for range crashRounds / 2 {
		c := &crash{T: t, dir: t.TempDir(), acked: map[storage.Revision]report{}}
		for range 1 + r.IntN(2) {
			c.run(0, killAfter{time: time.Duration(r.Int64N(int64(80 * time.Millisecond)))})
		}
		c.verify()
	}
}

// killAfter is a moment in a process's life, from when it begins to open the store: so many acknowledgements, or some
// time where there are none.
type killAfter struct {
	acks int
	time time.Duration
}

// crash is what the parent knows.
type crash struct {
	*testing.T
	dir string

	history        storagetest.History // up to verified
	verified       storage.Revision
	unacknowledged int

	// Since then:
	acked map[storage.Revision]report
	tried []report // and not acknowledged: it may or may not have happened
}

// run starts a process and kills it.
func (c *crash) run(round int, when killAfter) {
	c.Helper()
	ctx, cancel := context.WithTimeout(c.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), crashVariable+"="+c.dir, fmt.Sprint(crashRound, "=", round), fmt.Sprint(crashCompact, "=", c.verified))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		c.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		c.Fatal(err)
	}
	pending := map[int]report{}
	kill := sync.OnceFunc(func() { _ = cmd.Process.Signal(syscall.SIGKILL) })
	acks := 0
	for lines := json.NewDecoder(stdout); ; {
		var r report
		if lines.Decode(&r) != nil { // the end, or a line that the kill broke off
			break
		}
		switch {
		case r.Error != "":
			c.Errorf("round %d: a write failed: %s", round, r.Error)
		case r.Opening && when.acks == 0:
			defer time.AfterFunc(when.time, kill).Stop()
		case r.Opening:
		case r.Revision == 0:
			pending[r.Writer] = r
		default:
			delete(pending, r.Writer)
			c.acknowledge(r)
			if acks++; acks == when.acks {
				kill()
			}
		}
	}
	_ = cmd.Wait()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL || ctx.Err() != nil {
		c.Fatalf("round %d: the process ended by itself or hung: %v\n%s", round, cmd.ProcessState, stderr.String())
	}
	for _, r := range pending {
		c.tried = append(c.tried, r)
	}
}

func (c *crash) acknowledge(r report) {
	if other, taken := c.acked[r.Revision]; taken || r.Revision <= c.verified {
		c.Errorf("revision %d was acknowledged for %q, after %q, and %d had been reached", r.Revision, r.Key, other.Key, c.verified)
	}
	c.acked[r.Revision] = r
}

// verify opens what is left and compares it with what is known.
func (c *crash) verify() {
	c.Helper()
	s := open(c, embedded.Config{Dir: c.dir})
	defer func() {
		if err := s.Close(); err != nil {
			c.Error(err)
		}
	}()
	now, err := s.Revision(c.Context())
	if err != nil || now < c.verified {
		c.Fatalf("the store is at revision %d (%v), and was at %d", now, err, c.verified)
	}
	c.settle(c.since(s, now), now)

	listed, err := s.List(c.Context(), "", storage.ListOptions{})
	if want := c.history.List("", now); err != nil || fmt.Sprint(listed.KVs) != fmt.Sprint(want) {
		c.Errorf("at revision %d: got %v (%v), want %v", now, listed.KVs, err, want)
	}
	c.verified, c.tried = now, nil
	clear(c.acked)
}

// since reads what happened since the last look.
func (c *crash) since(s storage.Store, now storage.Revision) []storage.Event {
	c.Helper()
	ctx, cancel := context.WithTimeout(c.Context(), 20*time.Second)
	defer cancel()
	w := storagetest.Watched{From: c.verified + 1}
	responses := s.Watch(ctx, w.Prefix, storage.WatchOptions{From: w.From})
	if err := s.RequestProgress(ctx); err != nil {
		c.Fatal(err)
	}
	for w.Revision() < now {
		r, ok := <-responses
		if !ok || r.Err != nil {
			c.Fatalf("reading the history from %d to %d: %v", w.From, now, r.Err)
		}
		w.Responses = append(w.Responses, r)
	}
	if err := w.Check(nil); err != nil {
		c.Error(err)
	}
	return w.Events()
}

// settle takes what happened into the history: all that was acknowledged, and what was tried at most.
func (c *crash) settle(events []storage.Event, now storage.Revision) {
	c.Helper()
	found := 0
	for _, e := range events {
		if r, ok := c.acked[e.KV.ModRevision]; ok {
			if !r.is(e) {
				c.Errorf("revision %d was acknowledged as %+v, and is %v", r.Revision, r, e)
			}
			found++
			continue
		}
		i := 0
		for i < len(c.tried) && !c.tried[i].is(e) {
			i++
		}
		if i == len(c.tried) {
			c.Errorf("revision %d was never tried, or not like this: %v", e.KV.ModRevision, e)
			continue
		}
		c.tried = append(c.tried[:i], c.tried[i+1:]...)
		c.unacknowledged++
	}
	if found != len(c.acked) {
		c.Errorf("%d writes were acknowledged and %d of them are there, at revision %d", len(c.acked), found, now)
	}
	c.history = append(c.history, events...)
}
