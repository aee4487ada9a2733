package watchcache_test

import (
	"context"
	"sort"
	"strings"
	"sync"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// logStore is the simplest storage.Store: a log of all changes, read from the beginning for everything. It
// stands beside the memory backend so that these tests do not depend on another package's state; what it
// promises is storage's contract.
type logStore struct {
	mu        sync.Mutex
	log       []storage.Event
	latest    map[string]*storage.KeyValue // nil where removed
	rev       storage.Revision
	compacted storage.Revision
	closed    bool
	asked     int           // for progress
	changed   chan struct{} // closed and replaced when anything above changes
}

func newLogStore() *logStore {
	return &logStore{rev: 1, latest: map[string]*storage.KeyValue{}, changed: make(chan struct{})}
}

func (s *logStore) bump() { close(s.changed); s.changed = make(chan struct{}) }

// at returns the revision to read at. It requires mu.
func (s *logStore) at(rev storage.Revision) (storage.Revision, error) {
	switch {
	case s.closed:
		return 0, storage.ErrClosed
	case rev == 0:
		return s.rev, nil
	case rev < s.compacted:
		return 0, storage.ErrCompacted
	case rev > s.rev:
		return 0, storage.ErrFutureRevision
	}
	return rev, nil
}

func (s *logStore) state(prefix string, rev storage.Revision) map[string]storage.KeyValue {
	state := map[string]storage.KeyValue{}
	for _, e := range s.log {
		if e.KV.ModRevision > rev {
			break
		}
		if strings.HasPrefix(e.KV.Key, prefix) {
			if state[e.KV.Key] = e.KV; e.Type == storage.EventDelete {
				delete(state, e.KV.Key)
			}
		}
	}
	return state
}

func (s *logStore) Get(_ context.Context, key string, o storage.GetOptions) (storage.GetResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rev, err := s.at(o.Revision)
	if err != nil {
		return storage.GetResponse{}, err
	}
	resp := storage.GetResponse{Revision: rev}
	if kv, ok := s.state(key, rev)[key]; ok {
		resp.KV = &kv
	}
	return resp, nil
}

func (s *logStore) List(_ context.Context, prefix string, o storage.ListOptions) (storage.ListResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rev, err := s.at(o.Revision)
	if err != nil {
		return storage.ListResponse{}, err
	}
	resp := storage.ListResponse{Revision: rev}
	for key, kv := range s.state(prefix, rev) {
		if key >= o.Start {
			resp.KVs = append(resp.KVs, kv)
		}
	}
	sort.Slice(resp.KVs, func(i, j int) bool { return resp.KVs[i].Key < resp.KVs[j].Key })
	if o.Limit > 0 && len(resp.KVs) > o.Limit {
		resp.Remaining = int64(len(resp.KVs) - o.Limit)
		resp.KVs = resp.KVs[:o.Limit]
	}
	return resp, nil
}

// write appends a change if key is as expected.
func (s *logStore) write(e storage.Event, expected storage.Revision) (storage.Revision, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, storage.ErrClosed
	}
	current := s.latest[e.KV.Key]
	is := storage.Revision(0)
	if current != nil {
		is = current.ModRevision
	}
	if is != expected || e.Type == storage.EventDelete && current == nil {
		return 0, &storage.ConflictError{Key: e.KV.Key, Expected: expected, Current: current}
	}
	s.rev++
	e.KV.ModRevision = s.rev
	s.latest[e.KV.Key] = nil
	if e.Type == storage.EventPut {
		e.KV.CreateRevision = s.rev
		if current != nil {
			e.KV.CreateRevision = current.CreateRevision
		}
		s.latest[e.KV.Key] = &e.KV
	}
	s.log = append(s.log, e)
	s.bump()
	return s.rev, nil
}

func (s *logStore) Put(_ context.Context, key string, value []byte, expected storage.Revision, _ storage.PutOptions) (storage.Revision, error) {
	return s.write(storage.Event{Type: storage.EventPut, KV: storage.KeyValue{Key: key, Value: value}}, expected)
}

func (s *logStore) Delete(_ context.Context, key string, expected storage.Revision) (storage.Revision, error) {
	return s.write(storage.Event{Type: storage.EventDelete, KV: storage.KeyValue{Key: key}}, expected)
}

// expire removes several keys in one revision, as the end of a lease does, and returns it and those that existed.
func (s *logStore) expire(keys ...string) (storage.Revision, []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var removed []string
	for _, key := range keys {
		if s.latest[key] != nil {
			s.latest[key] = nil
			removed = append(removed, key)
			kv := storage.KeyValue{Key: key, ModRevision: s.rev + 1}
			s.log = append(s.log, storage.Event{Type: storage.EventDelete, KV: kv})
		}
	}
	if len(removed) > 0 {
		s.rev++
		s.bump()
	}
	return s.rev, removed
}

func (s *logStore) Watch(ctx context.Context, prefix string, o storage.WatchOptions) <-chan storage.WatchResponse {
	out := make(chan storage.WatchResponse)
	s.mu.Lock()
	next, asked := o.From, s.asked
	if next == 0 {
		next = s.rev + 1
	}
	s.mu.Unlock()
	go func() {
		defer close(out)
		for {
			resp, changed := s.since(prefix, next, &asked)
			if changed != nil {
				select {
				case <-changed:
				case <-ctx.Done():
					return
				}
				continue
			}
			select {
			case out <- resp:
			case <-ctx.Done():
				return
			}
			if resp.Err != nil {
				return
			}
			next = resp.Revision + 1
		}
	}()
	return out
}

// since returns what a watch has to say from revision next on, or the channel to wait for.
func (s *logStore) since(prefix string, next storage.Revision, asked *int) (storage.WatchResponse, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return storage.WatchResponse{Err: storage.ErrClosed}, nil
	}
	if next <= s.rev && next < s.compacted {
		return storage.WatchResponse{Err: storage.ErrCompacted}, nil
	}
	resp := storage.WatchResponse{Revision: s.rev}
	from := sort.Search(len(s.log), func(i int) bool { return s.log[i].KV.ModRevision >= next })
	for _, e := range s.log[from:] {
		if strings.HasPrefix(e.KV.Key, prefix) {
			resp.Events = append(resp.Events, e)
		}
	}
	if len(resp.Events) == 0 && (*asked == s.asked || s.rev < next-1) {
		return resp, s.changed
	}
	*asked = s.asked
	return resp, nil
}

func (s *logStore) Revision(context.Context) (storage.Revision, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at(0)
}

func (s *logStore) RequestProgress(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	s.bump()
	return nil
}

func (s *logStore) Compact(_ context.Context, rev storage.Revision) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if rev <= s.compacted {
		return storage.ErrCompacted
	}
	if _, err := s.at(rev); err != nil {
		return err
	}
	s.compacted = rev
	s.bump()
	return nil
}

func (s *logStore) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.bump()
	return nil
}
