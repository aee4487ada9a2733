package memory

import (
	"context"
	"fmt"
	"sort"
	"strings"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// cursor is a watch's place in the log.
type cursor struct {
	prefix string
	next   storage.Revision // the first that has not been delivered
	asked  uint64           // of Store.asked, how many were answered
}

// Watch implements storage.Store. Each watch is a goroutine with a position in the log; who reads slowly falls
// behind in the log, and nobody waits for it.
func (s *Store) Watch(ctx context.Context, prefix string, o storage.WatchOptions) <-chan storage.WatchResponse {
	out := make(chan storage.WatchResponse)
	s.mu.Lock()
	c := cursor{prefix: prefix, next: o.From, asked: s.asked}
	if c.next == 0 {
		c.next = s.revision + 1
	}
	s.mu.Unlock()
	go func() {
		defer close(out)
		s.follow(ctx, c, out)
	}()
	return out
}

// maxEvents bounds one response of a watch that catches up.
const maxEvents = 1000

func (s *Store) follow(ctx context.Context, c cursor, out chan<- storage.WatchResponse) {
	for ctx.Err() == nil {
		r, wake := s.advance(&c)
		if wake != nil {
			select {
			case <-wake:
			case <-ctx.Done():
			}
			continue
		}
		select {
		case out <- r:
		case <-ctx.Done():
		}
		if r.Err != nil {
			return
		}
	}
}

// advance returns the next response of a watch; where there is none yet, it returns what to wait for instead.
func (s *Store) advance(c *cursor) (r storage.WatchResponse, wake <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		r.Err = fmt.Errorf("watch %s: %w", c.prefix, storage.ErrClosed)
		return r, nil
	case c.next < s.compacted:
		r.Err = fmt.Errorf("watch %s from %d: %w", c.prefix, c.next, storage.ErrCompacted)
		return r, nil
	case s.revision < c.next-1, s.revision == c.next-1 && c.asked == s.asked:
		return r, s.wake
	}
	r.Revision, c.asked = s.revision, s.asked
	i := sort.Search(len(s.log), func(i int) bool { return s.log[i].KV.ModRevision >= c.next })
	for ; i < len(s.log); i++ {
		if !strings.HasPrefix(s.log[i].KV.Key, c.prefix) {
			continue
		}
		if len(r.Events) == maxEvents {
			r.Revision = s.log[i].KV.ModRevision - 1
			break
		}
		r.Events = append(r.Events, s.log[i])
	}
	c.next = r.Revision + 1
	return r, nil
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
	s.asked++
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
