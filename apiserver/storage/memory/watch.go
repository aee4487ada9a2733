package memory

import (
	"context"
	"fmt"
	"sort"
	"strings"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// Watch implements storage.Store. Each watch is a goroutine with a position in the log; who reads slowly falls
// behind in the log, and nobody waits for it.
func (s *Store) Watch(ctx context.Context, prefix string, o storage.WatchOptions) <-chan storage.WatchResponse {
	out := make(chan storage.WatchResponse)
	s.mu.Lock()
	from := o.From
	if from == 0 {
		from = s.revision + 1
	}
	s.mu.Unlock()
	go func() {
		defer close(out)
		s.follow(ctx, prefix, from, out)
	}()
	return out
}

// maxEvents bounds one response of a watch that catches up.
const maxEvents = 1000

func (s *Store) follow(ctx context.Context, prefix string, next storage.Revision, out chan<- storage.WatchResponse) {
	for {
		r, wake, more := s.after(prefix, next)
		if r.Revision >= next || r.Err != nil {
			select {
			case out <- r:
			case <-ctx.Done():
				return
			}
			if r.Err != nil {
				return
			}
			next = r.Revision + 1
		}
		if more {
			continue
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return
		}
		if r, asked := s.progress(next); asked {
			select {
			case out <- r:
			case <-ctx.Done():
				return
			}
		}
	}
}

// after collects what changed under prefix from next on. more says that the response is not all there is.
func (s *Store) after(prefix string, next storage.Revision) (r storage.WatchResponse, wake <-chan struct{}, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		r.Err = storage.ErrClosed
	case next <= s.compacted:
		r.Err = storage.ErrCompacted
	}
	if r.Err != nil {
		r.Err = fmt.Errorf("watch %s: %w", prefix, r.Err)
		return r, s.wake, false
	}
	r.Revision = s.revision
	i := sort.Search(len(s.log), func(i int) bool { return s.log[i].KV.ModRevision >= next })
	for ; i < len(s.log); i++ {
		if !strings.HasPrefix(s.log[i].KV.Key, prefix) {
			continue
		}
		if len(r.Events) == maxEvents {
			r.Revision = s.log[i].KV.ModRevision - 1
			return r, s.wake, true
		}
		r.Events = append(r.Events, s.log[i])
	}
	return r, s.wake, false
}

// progress says, after a wake-up without a change, that somebody asked for progress.
func (s *Store) progress(next storage.Revision) (storage.WatchResponse, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return storage.WatchResponse{Revision: s.revision}, !s.closed && s.revision == next-1
}

// Revision implements storage.Store.
func (s *Store) Revision(ctx context.Context) (storage.Revision, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.revision, s.readable(ctx, 0)
}

// RequestProgress implements storage.Store.
func (s *Store) RequestProgress(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.readable(ctx, 0); err != nil {
		return err
	}
	s.awake()
	return nil
}

// Close implements storage.Store.
func (s *Store) Close() error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		s.expiry.stop()
		s.awake()
	}
	s.mu.Unlock()
	s.expiry.running.Wait()
	return nil
}
