package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/storage/etcd/embedded"
	"github.com/keelson-project/keelson/apiserver/storage/storagetest"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashVariable); dir != "" {
		writeUntilKilled(dir)
	}
	os.Exit(storagetest.Main(m))
}

func TestContract(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Store {
		return open(t, embedded.Config{Dir: t.TempDir(), NoFsync: true})
	})
}

func open(t testing.TB, c embedded.Config) *embedded.Store {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s, err := embedded.Open(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func put(t *testing.T, s storage.Store, key, value string, expected storage.Revision) storage.Revision {
	t.Helper()
	rev, err := s.Put(t.Context(), key, []byte(value), expected, storage.PutOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return rev
}

// TestReopen: all that was written is there after each Close, with its history, and revisions go on.
func TestReopen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "there", "yet")
	var history storagetest.History
	var last storage.Revision
	for life := range 4 {
		s := open(t, embedded.Config{Dir: dir})
		if now, err := s.Revision(t.Context()); err != nil || now < last {
			t.Fatalf("life %d begins at revision %d (%v), after %d", life, now, err, last)
		}
		for _, e := range history {
			at := e.KV.ModRevision
			got, err := s.List(t.Context(), "/", storage.ListOptions{Revision: at})
			if want := history.List("/", at); err != nil || fmt.Sprint(got.KVs) != fmt.Sprint(want) {
				t.Errorf("life %d at revision %d: got %v (%v), want %v", life, at, got.KVs, err, want)
			}
		}
		key := fmt.Sprint("/life/", life)
		made := put(t, s, key, "1", 0)
		last = put(t, s, key, "2", made)
		if n := len(history); n > 0 && made <= history[n-1].KV.ModRevision {
			t.Errorf("life %d wrote revision %d, which is not new", life, made)
		}
		history = append(history,
			storage.Event{Type: storage.EventPut, KV: storage.KeyValue{Key: key, Value: []byte("1"), CreateRevision: made, ModRevision: made}},
			storage.Event{Type: storage.EventPut, KV: storage.KeyValue{Key: key, Value: []byte("2"), CreateRevision: made, ModRevision: last}})
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLogBeginsAfterSnapshot: etcd replays its log from a snapshot on, from the first opening on. Replaying it from its
// first entry ends, on a slow machine, in a panic of raft ("error scanning unapplied entries"), which TestCrash met.
func TestLogBeginsAfterSnapshot(t *testing.T) {
	dir := t.TempDir()
	put(t, open(t, embedded.Config{Dir: dir}), "/a", "1", 0)
	snapshots, err := filepath.Glob(filepath.Join(dir, "member", "snap", "*.snap"))
	if err != nil || len(snapshots) == 0 {
		t.Errorf("no snapshot was made (%v)", err)
	}
}

// TestMemoryDoesNotHoldTheLog: what was written and replaced is on the disk, and not in memory as well.
func TestMemoryDoesNotHoldTheLog(t *testing.T) {
	s := open(t, embedded.Config{Dir: t.TempDir(), NoFsync: true})
	value := strings.Repeat("x", 256<<10)
	rev := put(t, s, "/a", value, 0)
	before := heap()
	for range 600 {
		rev = put(t, s, "/a", value, rev)
	}
	if grown := heap() - before; grown > 64<<20 {
		t.Errorf("150 MiB were written, of which %d MiB are in memory", grown>>20)
	}
}

// heap is what is alive in memory.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestFilesArePrivate: secrets are in there, but for etcd's snapshots, which hold the membership only.
func TestFilesArePrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := open(t, embedded.Config{Dir: dir})
	put(t, s, "/secret", "1", 0)
	files := 0
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if entry.IsDir() {
			want = 0o700
		}
		if filepath.Ext(path) == ".snap" {
			return nil
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s: mode %o, want %o", path, got, want)
		}
		files++
		return nil
	})
	if err != nil || files < 5 {
		t.Errorf("%d files: %v", files, err)
	}
}

// TestOpenAfterKill: what a process leaves that is killed while it opens the directory is no reason to refuse it.
func TestOpenAfterKill(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".touch", "keelson.lock"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "member.new", "member", "wal"), 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, open(t, embedded.Config{Dir: dir}), "/a", "1", 0)
}

func TestOpenRefuses(t *testing.T) {
	if _, err := embedded.Open(t.Context(), embedded.Config{}); err == nil {
		t.Error("no directory: no error")
	}
	foreign := t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, "thesis.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := embedded.Open(t.Context(), embedded.Config{Dir: foreign}); !errors.Is(err, embedded.ErrForeign) {
		t.Errorf("a directory of something else: got error %v, want %q", err, embedded.ErrForeign)
	}
	if entries, err := os.ReadDir(foreign); err != nil || len(entries) != 1 {
		t.Errorf("a directory of something else now holds %v (%v)", entries, err)
	}
	dir := t.TempDir()
	first := open(t, embedded.Config{Dir: dir})
	if _, err := embedded.Open(t.Context(), embedded.Config{Dir: dir}); !errors.Is(err, embedded.ErrInUse) {
		t.Errorf("a directory in use: got error %v, want %q", err, embedded.ErrInUse)
	}
	put(t, first, "/a", "still works", 0)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, embedded.Config{Dir: dir})
}

func TestMaxValueBytes(t *testing.T) {
	const most = 2 << 20
	s := open(t, embedded.Config{Dir: t.TempDir(), NoFsync: true, MaxValueBytes: most})
	rev := put(t, s, "/a", string(make([]byte, most)), 0)
	_, err := s.Put(t.Context(), "/a", make([]byte, most+1), rev, storage.PutOptions{})
	if !errors.Is(err, storage.ErrTooLarge) {
		t.Errorf("one byte more: got error %v, want %q", err, storage.ErrTooLarge)
	}
	if got, err := s.Get(t.Context(), "/a", storage.GetOptions{}); err != nil || got.KV == nil || len(got.KV.Value) != most {
		t.Errorf("afterwards: got %v, want %d bytes", err, most)
	}
}

// TestNoSpace: what is refused for lack of space did not happen; a full store can be read and deleted from, and takes
// writes again once that has made room.
func TestNoSpace(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	s := open(t, embedded.Config{Dir: t.TempDir(), NoFsync: true, QuotaBytes: 8 << 20, CompactEvery: 20 * time.Millisecond})
	value := make([]byte, 1<<20)
	var made storagetest.History
	for {
		key := fmt.Sprint("/large/", len(made))
		rev, err := s.Put(ctx, key, value, 0, storage.PutOptions{})
		if errors.Is(err, storage.ErrNoSpace) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, storage.Event{Type: storage.EventPut, KV: storage.KeyValue{Key: key, ModRevision: rev}})
	}
	if r, err := s.List(ctx, "/large/", storage.ListOptions{}); err != nil || len(r.KVs) != len(made) {
		t.Errorf("%d values were acknowledged, %d are there (%v)", len(made), len(r.KVs), err)
	}
	for _, e := range made {
		if _, err := s.Delete(ctx, e.KV.Key, e.KV.ModRevision); err != nil {
			t.Fatalf("deleting from a full store: %v", err)
		}
	}
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for { // maintenance makes room in its own time
		_, err := s.Put(ctx, "/large/again", value, 0, storage.PutOptions{})
		if err == nil {
			return
		}
		if !errors.Is(err, storage.ErrNoSpace) {
			t.Fatalf("everything was deleted, and the store takes no writes: %v", err)
		}
		<-again.C
	}
}

func BenchmarkPut(b *testing.B) {
	s := open(b, embedded.Config{Dir: b.TempDir()})
	v := make([]byte, 1600)
	var n atomic.Int64
	b.SetParallelism(16)
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if _, err := s.Put(b.Context(), fmt.Sprint("/registry/x/", n.Add(1)), v, 0, storage.PutOptions{}); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
