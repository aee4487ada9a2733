package watchcache_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/watchcache"
)

var (
	prefixes   = []string{root + "widgets/", root + "example.com/gadgets/", root + "services/specs/"}
	namespaces = []string{"a", "b"}
	colors     = []string{"red", "green", "blue"}
)

// storm is one random run: writers, watchers and readers on a cache that is restarted, over a store whose watch
// is cut and whose history is compacted.
type storm struct {
	*world
	t       *testing.T
	faulty  *faulty
	configs []*watchcache.Config
	writing atomic.Bool
	allowed atomic.Int64 // how many writes may have been made by now

	mu    sync.RWMutex
	cache *watchcache.Cache // the present one

	recordings []*recording
	snapshots  []snapshotRecord
	expired    atomic.Int64
}

type snapshotRecord struct {
	prefix string
	rev    storage.Revision
	state  map[string]storage.Revision
}

func TestPromisesHoldInAStorm(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { runStorm(t, seed) })
	}
}

func runStorm(t *testing.T, seed uint64) {
	before := runtime.NumGoroutine()
	s := &storm{world: newWorld(t), t: t}
	s.faulty = newFaulty(s.world.Store)
	for _, p := range prefixes {
		s.configs = append(s.configs, config(p))
	}
	s.writing.Store(true)
	stop := s.startCache()

	var writers, others sync.WaitGroup
	for i := range uint64(3) {
		writers.Go(func() { s.write(rand.New(rand.NewPCG(seed, i))) })
	}
	for i := range uint64(12) {
		rnd := rand.New(rand.NewPCG(seed, 100+i))
		r := s.newRecording(rnd)
		others.Go(func() { s.watch(rnd, r) })
	}
	for i := range uint64(3) {
		others.Go(func() { s.read(rand.New(rand.NewPCG(seed, 200+i))) })
	}
	rnd := rand.New(rand.NewPCG(seed, 300))
	for step := 0; step < 60; step++ {
		s.await(s.acknowledged() + storage.Revision(s.allow(20+rnd.IntN(40))))
		switch rnd.IntN(4) {
		case 0:
			stop()
			stop = s.startCache()
		case 1:
			s.faulty.cutWatches(storage.ErrUnavailable)
		case 2:
			s.faulty.cutWatches(storage.ErrCompacted) // a gap, as far as the cache can tell
		case 3:
			err := s.Compact(t.Context(), s.acknowledged()-storage.Revision(rnd.IntN(60)))
			if err != nil && !errors.Is(err, storage.ErrCompacted) {
				t.Error(err)
			}
		}
	}
	s.writing.Store(false)
	writers.Wait()
	others.Wait()
	stop()
	s.validate()
	t.Logf("%d writes, %d snapshots, %d watches expired", len(s.history()), len(s.snapshots), s.expired.Load())
	s.Close()
	awaitGoroutines(t, before)
}

func (s *storm) startCache() (stop func()) {
	c := watchcache.New(s.faulty, watchcache.Options{Prefix: root, HistoryEvents: 24, PageSize: 5})
	stop = run(s.t, c)
	s.mu.Lock()
	s.cache = c
	s.mu.Unlock()
	return stop
}

// open returns a resource of the present cache.
func (s *storm) open(prefix string) *watchcache.Resource {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, cfg := range s.configs {
		if cfg.Prefix == prefix {
			return s.cache.Open(cfg)
		}
	}
	panic(prefix)
}

// await waits until a write was acknowledged at rev, or nobody writes any more.
func (s *storm) await(rev storage.Revision) {
	for s.acknowledged() < rev && s.writing.Load() {
		runtime.Gosched()
	}
}

// allow lets the writers go on, and returns how much further they will surely get.
func (s *storm) allow(n int) int {
	s.allowed.Add(int64(n))
	return n / 2
}

func (s *storm) write(rnd *rand.Rand) {
	for s.writing.Load() {
		if s.allowed.Add(-1) < 0 {
			s.allowed.Add(1)
			runtime.Gosched()
			continue
		}
		key := prefixes[rnd.IntN(len(prefixes))] + namespaces[rnd.IntN(2)] + "/" + fmt.Sprint(rnd.IntN(8))
		if rnd.IntN(20) == 0 {
			s.expire(key, key[:len(key)-1]+"0", key[:len(key)-1]+"1", prefixes[0]+"a/3")
			continue
		}
		color := ""
		if rnd.IntN(4) > 0 {
			color = colors[rnd.IntN(len(colors))]
		}
		if _, err := s.set(s.t.Context(), key, color); err != nil {
			s.t.Error(err)
			return
		}
		if rnd.IntN(8) == 0 {
			runtime.Gosched()
		}
	}
}

func (s *storm) newRecording(rnd *rand.Rand) *recording {
	r := &recording{prefix: prefixes[rnd.IntN(len(prefixes))]}
	switch rnd.IntN(3) {
	case 0:
		r.prefix += namespaces[rnd.IntN(2)] + "/"
	case 1:
		r.prefix += namespaces[rnd.IntN(2)] + "/"
		r.key = r.prefix + fmt.Sprint(rnd.IntN(8))
	}
	if rnd.IntN(2) == 0 {
		r.color = colors[rnd.IntN(len(colors))]
	}
	s.recordings = append(s.recordings, r)
	return r
}

// watch keeps a logical watch going, in sessions that end for many reasons, until nothing is written any more
// and it has seen everything.
func (s *storm) watch(rnd *rand.Rand, r *recording) {
	ctx := s.t.Context()
	base := resourceOf(r.prefix)
	from := storage.Revision(-1)
	for {
		if from < 0 { // relist
			snap, err := s.open(base).Snapshot(ctx, watchcache.Freshness{Latest: rnd.IntN(2) == 0})
			if err != nil {
				if !s.excused(err) {
					return
				}
				continue
			}
			from = snap.Revision()
		}
		o := watchcache.WatchOptions{From: from, Prefix: r.prefix, Key: r.key}
		if r.color != "" {
			o.Match = ofColor(r.color)
		}
		w, err := s.open(base).Watch(ctx, o)
		if errors.Is(err, watchcache.ErrExpired) {
			s.expired.Add(1)
			from = -1
			continue
		}
		if err != nil {
			if !s.excused(err) {
				return
			}
			continue
		}
		session := r.begin(from)
		err = s.follow(ctx, rnd, w, session)
		w.Stop()
		from = session.upTo()
		switch {
		case err == nil:
			return
		case errors.Is(err, watchcache.ErrExpired):
			s.expired.Add(1)
			from = -1
		case !s.excused(err):
			return
		}
	}
}

// excused says whether err may happen when caches are restarted.
func (s *storm) excused(err error) bool {
	for _, ok := range []error{watchcache.ErrClosed, watchcache.ErrTimeout, errSession, storage.ErrUnavailable} {
		if errors.Is(err, ok) {
			return true
		}
	}
	s.t.Error(err)
	return false
}

var errSession = errors.New("the watcher had enough")

// follow reads until it has seen everything (nil), or has had enough.
func (s *storm) follow(ctx context.Context, rnd *rand.Rand, w *watchcache.Watcher, session *session) error {
	patience := 1 + rnd.IntN(200)
	lazy := rnd.IntN(3) == 0
	for {
		short, cancel := context.WithTimeout(ctx, time.Duration(1+rnd.IntN(5))*time.Millisecond)
		events, upTo, err := w.Next(short, nil)
		cancel()
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		session.batches = append(session.batches, batch{events, upTo})
		if !s.writing.Load() && upTo >= s.acknowledged() {
			return nil
		}
		if patience -= len(events); patience < 0 && s.writing.Load() {
			return errSession
		}
		if lazy {
			s.await(s.acknowledged() + storage.Revision(rnd.IntN(20)))
		}
	}
}

// read takes snapshots of all kinds.
func (s *storm) read(rnd *rand.Rand) {
	for s.writing.Load() {
		prefix := prefixes[rnd.IntN(len(prefixes))]
		acked := s.acknowledged()
		f := watchcache.Freshness{Latest: rnd.IntN(2) == 0}
		if rnd.IntN(3) == 0 {
			f.AtLeast = acked
		}
		snap, err := s.open(prefix).Snapshot(s.t.Context(), f)
		if err != nil {
			if !s.excused(err) {
				return
			}
			continue
		}
		if (f.Latest || f.AtLeast > 0) && snap.Revision() < acked {
			s.t.Errorf("linearizable: a read after revision %d was acknowledged is of %d", acked, snap.Revision())
		}
		rec := snapshotRecord{prefix: prefix, rev: snap.Revision(), state: map[string]storage.Revision{}}
		for e := range snap.Range(prefix, "") {
			rec.state[e.Key] = e.Revision
		}
		s.mu.Lock()
		s.snapshots = append(s.snapshots, rec)
		s.mu.Unlock()
		runtime.Gosched()
	}
}

func (s *storm) validate() {
	for _, r := range s.recordings {
		if err := r.validate(s.world); err != nil {
			s.t.Errorf("watch of %s %s %s: %v", r.prefix, r.key, r.color, err)
		}
	}
	step := max(1, len(s.snapshots)/300) // the model is slow: a sample
	for i := 0; i < len(s.snapshots); i += step {
		rec := s.snapshots[i]
		want := s.stateAt(rec.prefix, rec.rev)
		same := len(want) == len(rec.state)
		for key, wr := range want {
			same = same && rec.state[key] == wr.rev
		}
		if !same {
			s.t.Errorf("snapshot of %s at %d\n got %v\nwant %v", rec.prefix, rec.rev, rec.state, want)
		}
	}
}

// resourceOf cuts the namespace off.
func resourceOf(prefix string) string {
	for _, p := range prefixes {
		if strings.HasPrefix(prefix, p) {
			return p
		}
	}
	return prefix
}

// awaitGoroutines fails if more goroutines than that stay.
func awaitGoroutines(t *testing.T, before int) {
	t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for runtime.NumGoroutine() > before && time.Now().Before(deadline) {
		runtime.Gosched()
	}
	if n := runtime.NumGoroutine(); n > before {
		buf := make([]byte, 1<<16)
		t.Errorf("%d goroutines before, %d after:\n%s", before, n, buf[:runtime.Stack(buf, true)])
	}
}
