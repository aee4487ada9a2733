package storagetest

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/keelson-project/keelson/apiserver/storage"
)

func random() []clause {
	return []clause{{"Random", randomCalls}}
}

// seed of all that is random here, though not of who comes first.
const seed = 4711

const (
	randomWriters = 4
	randomReaders = 2
	randomWrites  = 150 // of each writer
	randomReads   = 200 // of each reader
)

// melee is a time in which many write, read and watch, and everything is recorded. Its fields are shared by
// goroutines, which therefore never end the test themselves.
type melee struct {
	t     *trial
	first storage.Revision // the store's when it began

	acked atomic.Int64  // the newest revision that anybody was told of
	over  chan struct{} // closed when the writers are done; final is set then
	final storage.Revision
}

// randomCalls: whatever many do at once, the store is one map with one history.
func randomCalls(t *trial) {
	t.Logf("seed %d", seed)
	m := &melee{t: t, first: t.revision(), over: make(chan struct{})}
	m.acked.Store(int64(m.first))

	slow := t.watch("/r/", 0)
	writes, reads := make([][]write, randomWriters), make([][]read, randomReaders)
	watched := make([]Watched, 12)
	var writers, others sync.WaitGroup
	for i := range watched {
		others.Go(func() { watched[i] = m.follow(i) })
	}
	for i := range reads {
		others.Go(func() { reads[i] = m.read(i) })
	}
	for i := range writes {
		writers.Go(func() { writes[i] = m.write(i) })
	}
	writers.Wait()
	m.final = t.revision()
	close(m.over)
	others.Wait()
	t.requestProgress()
	slow.until(m.final)

	h, err := historyOf(writes, m.first)
	if err != nil {
		t.Fatal(err)
	}
	slow.check(h)
	for _, err := range verdicts(h, writes, reads, watched) {
		t.Errorf("a promise was broken: %v", err)
	}
	for i, w := range watched {
		if w.Revision() < m.final {
			t.Errorf("%v: watcher %d, on %q from %d, reached %d of %d", ErrReliable, i, w.Prefix, w.From, w.Revision(), m.final)
		}
	}
	t.Logf("%d changes by %d writers; %d reads", len(h), randomWriters, randomReaders*randomReads)
}

func randomKey(r *rand.Rand) string { return fmt.Sprintf("/r/%d/%d", r.IntN(3), r.IntN(3)) }

func randomPrefix(r *rand.Rand) string {
	return [...]string{"/r/", "/r/0/", "/r/1/", "/r/1/2", ""}[r.IntN(5)]
}

// floor is a revision that was acknowledged by now.
func (m *melee) floor() storage.Revision { return storage.Revision(m.acked.Load()) }

func (m *melee) acknowledge(rev storage.Revision) {
	for {
		was := m.acked.Load()
		if int64(rev) <= was || m.acked.CompareAndSwap(was, int64(rev)) {
			return
		}
	}
}

// write makes random writes, with expectations that mostly are what the writer knows last.
func (m *melee) write(writer int) []write {
	r := rand.New(rand.NewPCG(seed, uint64(writer)))
	known := map[string]storage.Revision{}
	var out []write
	for i := range randomWrites {
		key := randomKey(r)
		w := write{floor: m.floor(), key: key, value: fmt.Sprint(writer, "-", i), expected: known[key], remove: r.IntN(4) == 0}
		if r.IntN(10) == 0 {
			w.expected = storage.Revision(r.Int64N(int64(w.floor) + 10))
		}
		if w.remove {
			w.rev, w.err = m.t.tryDelete(key, w.expected)
		} else {
			w.rev, w.err = m.t.tryPut(key, w.value, w.expected)
		}
		out = append(out, w)
		switch current := w.current(); {
		case w.err == nil && w.remove:
			delete(known, key)
		case w.err == nil:
			known[key] = w.rev
		case current == nil:
			delete(known, key)
		default:
			known[key] = current.ModRevision
		}
		if w.err == nil {
			m.acknowledge(w.rev)
		}
	}
	return out
}

// read makes random reads of the latest state and of earlier ones.
func (m *melee) read(reader int) []read {
	r := rand.New(rand.NewPCG(seed, 100+uint64(reader)))
	var out []read
	for range randomReads {
		rd := read{floor: m.floor()}
		if r.IntN(2) == 0 {
			rd.options.Revision = m.first + storage.Revision(r.Int64N(int64(rd.floor-m.first)+1))
		}
		ctx, cancel := m.t.soon()
		if r.IntN(2) == 0 {
			rd.key = randomKey(r)
			rd.got, rd.err = m.t.store.Get(ctx, rd.key, storage.GetOptions{Revision: rd.options.Revision})
		} else {
			rd.prefix, rd.options.Limit = randomPrefix(r), r.IntN(4)
			if r.IntN(3) == 0 {
				rd.options.Start = randomKey(r)
			}
			rd.listed, rd.err = m.t.store.List(ctx, rd.prefix, rd.options)
		}
		cancel()
		out = append(out, rd)
	}
	return out
}

// follow watches until it has seen all. Some watchers stay, some leave after some responses and resume, and some
// begin only when something has happened.
func (m *melee) follow(watcher int) Watched {
	r := rand.New(rand.NewPCG(seed, 200+uint64(watcher)))
	all := Watched{Prefix: randomPrefix(r), From: m.first + 1}
	if watcher%3 == 2 {
		all.From = max(m.floor(), m.first+1)
	}
	for next := all.From; ; next = max(next, all.Revision()+1) {
		stay := -1
		if watcher%2 == 1 {
			stay = 1 + r.IntN(20)
		}
		responses, done := m.watchSome(all.Prefix, next, stay)
		all.Responses = append(all.Responses, responses...)
		if done {
			return all
		}
	}
}

// watchSome takes so many responses, all if it is negative. done says that there is nothing to come.
func (m *melee) watchSome(prefix string, from storage.Revision, n int) (out []storage.WatchResponse, done bool) {
	ctx, cancel := m.t.soon()
	defer cancel()
	responses := m.t.store.Watch(ctx, prefix, storage.WatchOptions{From: from})
	over, target := m.over, storage.Revision(1<<62)
	for seen := from - 1; seen < target; {
		select {
		case r, ok := <-responses:
			if !ok || r.Err != nil {
				m.t.Errorf("watch on %q from %d: ended with error %v", prefix, from, r.Err)
				return out, true
			}
			out, seen = append(out, r), r.Revision
			if n--; n == 0 && seen < target {
				return out, false
			}
		case <-over:
			over, target, n = nil, m.final, -1
			if err := m.t.store.RequestProgress(ctx); err != nil {
				m.t.Errorf("RequestProgress: %v", err)
			}
		}
	}
	return out, true
}
