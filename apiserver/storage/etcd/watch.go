package etcd

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// watches are the open ones, so that progress can be asked of all.
type watches struct {
	mu   sync.Mutex
	open map[*watch]struct{}
}

// watch is one watcher on a stream of its own: etcd reports the progress of a stream when all of its watchers are up
// to date, and one that begins with the next revision is not until something is written.
type watch struct {
	watcher clientv3.Watcher
	prefix  string
	from    storage.Revision
	asked   chan storage.Revision // the newest progress that was asked for
}

// Watch implements storage.Store. The client resumes by itself over short interruptions; where it cannot (history is
// gone, no leader), the watch ends with an error and the consumer decides.
func (s *Store) Watch(ctx context.Context, prefix string, o storage.WatchOptions) <-chan storage.WatchResponse {
	out := make(chan storage.WatchResponse)
	w := &watch{prefix: prefix, from: o.From, asked: make(chan storage.Revision, 1)}
	var err error
	if w.from == 0 {
		// The server would begin whenever the request reaches it; the contract says: now.
		w.from, err = s.Revision(ctx)
		w.from++
	}
	if err == nil {
		w.watcher = clientv3.NewWatcher(s.client)
		err = s.add(w)
	}
	go func() {
		defer close(out)
		if err == nil {
			err = s.follow(ctx, w, out)
			_ = w.watcher.Close() // its errors are those of the watch
			s.remove(w)
		}
		// The store is not needed for the rest: Close does not wait for who does not read.
		deliverLast(ctx, out, prefix, err)
	}()
	return out
}

// progressRetry is how long etcd is given to bring a watcher up to date, which it does every 100 ms.
const progressRetry = 100 * time.Millisecond

// follow passes on what etcd sends until the watch or the store ends; it returns nil when ctx did.
func (s *Store) follow(ctx context.Context, w *watch, out chan<- storage.WatchResponse) error {
	open, cancel := s.untilClosed(ctx)
	defer cancel()
	stream := clientv3.WithRequireLeader(open)
	events := w.watcher.Watch(stream, w.prefix, clientv3.WithPrefix(), clientv3.WithRev(int64(w.from)), clientv3.WithProgressNotify())
	var reached, owed storage.Revision // what was delivered, and the progress that was asked for; zero: none
	retry := time.NewTimer(0)
	defer retry.Stop()
	for {
		var next storage.WatchResponse
		select {
		case r, ok := <-events:
			switch {
			case open.Err() != nil:
				return s.ended(ctx)
			case !ok:
				return storage.ErrUnavailable
			case r.Err() != nil:
				return s.storeError(r.Err())
			case r.Created:
				continue
			}
			next = convert(&r)
		case owed = <-w.asked:
			if owed > reached && owed >= w.from {
				retry.Reset(0)
				continue
			}
			// All of it is known. etcd would say nothing of a watcher that begins with the next revision.
			next.Revision = owed
			owed = 0
			if next.Revision < max(reached, w.from-1) {
				continue
			}
		case <-retry.C:
			if owed > 0 {
				_ = w.watcher.RequestProgress(stream) // where it fails, the watch ends, too
				retry.Reset(progressRetry)
			}
			continue
		case <-open.Done():
			return s.ended(ctx)
		}
		select {
		case out <- next:
		case <-open.Done():
			return s.ended(ctx)
		}
		if reached = next.Revision; reached >= owed {
			owed = 0
		}
	}
}

// ended is why a watch is over: its context is (nil), or the store.
func (s *Store) ended(ctx context.Context) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // the end that was asked for
	}
	return storage.ErrClosed
}

// deliverLast sends the error that ended a watch, if one did, to who still wants it.
func deliverLast(ctx context.Context, out chan<- storage.WatchResponse, prefix string, err error) {
	if err == nil || ctx.Err() != nil {
		return
	}
	select {
	case out <- storage.WatchResponse{Err: fmt.Errorf("watch %s: %w", prefix, err)}:
	case <-ctx.Done():
	}
}

func convert(r *clientv3.WatchResponse) storage.WatchResponse {
	out := storage.WatchResponse{Revision: storage.Revision(r.Header.Revision)}
	if n := len(r.Events); n > 0 {
		out.Events = make([]storage.Event, n)
		// A watch that catches up gets events in batches that may end before the store's revision.
		out.Revision = storage.Revision(r.Events[n-1].Kv.ModRevision)
	}
	for i, e := range r.Events {
		out.Events[i] = storage.Event{Type: storage.EventPut, KV: keyValue(e.Kv)}
		if e.Type == mvccpb.Event_DELETE {
			out.Events[i].Type = storage.EventDelete
			out.Events[i].KV.Value, out.Events[i].KV.CreateRevision = nil, 0
		}
	}
	return out
}

// RequestProgress implements storage.Store. One read finds out what progress is, as the watches are many streams.
func (s *Store) RequestProgress(ctx context.Context) error {
	now, err := s.Revision(ctx)
	if err != nil {
		return fmt.Errorf("request progress: %w", err)
	}
	s.watches.mu.Lock()
	defer s.watches.mu.Unlock()
	for w := range s.watches.open {
		select {
		case was := <-w.asked: // not taken notice of yet
			w.asked <- max(was, now)
		default:
			w.asked <- now
		}
	}
	return nil
}

// add makes a watch known, unless the store is closed.
func (s *Store) add(w *watch) error {
	s.watches.mu.Lock()
	defer s.watches.mu.Unlock()
	if s.closed() {
		return storage.ErrClosed
	}
	if s.watches.open == nil {
		s.watches.open = map[*watch]struct{}{}
	}
	s.watches.open[w] = struct{}{}
	s.work.Add(1)
	return nil
}

func (s *Store) remove(w *watch) {
	s.watches.mu.Lock()
	defer s.watches.mu.Unlock()
	delete(s.watches.open, w)
	s.work.Done()
}
