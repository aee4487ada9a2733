package embedded

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/storage/mvcc"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// watches are the open ones, so that progress can be asked of all.
type watches struct {
	mu   sync.Mutex
	open map[*watch]struct{}
}

// watch is one watcher on a stream of its own: etcd then tells whether it, rather than all of a stream, is up to date.
type watch struct {
	stream mvcc.WatchStream
	id     mvcc.WatchID
	from   storage.Revision // zero: from when it began
	asked  chan struct{}    // progress was asked for; one is as good as many
}

// Watch implements storage.Store. etcd's own buffer (128 responses) takes bursts; a slower consumer makes etcd move
// the watcher to its unsynced group, from where it catches up out of the history: no event is lost, no writer waits.
func (s *Store) Watch(ctx context.Context, prefix string, o storage.WatchOptions) <-chan storage.WatchResponse {
	out := make(chan storage.WatchResponse)
	if err := s.enter(ctx); err != nil {
		go func() { defer close(out); deliverLast(ctx, out, prefix, err) }()
		return out
	}
	defer s.leave()
	start, end := keyRange(prefix)
	w := &watch{stream: s.server.Watchable().NewWatchStream(), from: o.From, asked: make(chan struct{}, 1)}
	id, err := w.stream.Watch(ctx, clientv3.AutoWatchID, start, end, int64(o.From))
	w.id = id
	s.watches.add(w)
	s.work.Add(1)
	go func() {
		defer close(out)
		if err == nil {
			err = s.follow(ctx, w, out)
		}
		s.watches.remove(w)
		w.stream.Close()
		s.work.Done()
		// The store is not needed for the rest: Close does not wait for who does not read.
		deliverLast(ctx, out, prefix, err)
	}()
	return out
}

// progressRetry is how long etcd is given to bring a watcher up to date, which it does every 100 ms.
const progressRetry = 50 * time.Millisecond

// follow passes on what etcd sends until the watch or the store ends; it returns nil when ctx did.
func (s *Store) follow(ctx context.Context, w *watch, out chan<- storage.WatchResponse) error {
	var owed storage.Revision // the progress that was asked for and has not been delivered; zero: none
	retry := time.NewTimer(0)
	defer retry.Stop()
	for {
		var next storage.WatchResponse
		select {
		case r, ok := <-w.stream.Chan():
			switch {
			case !ok:
				return storage.ErrUnavailable
			case r.CompactRevision != 0:
				return storage.ErrCompacted
			}
			next = response(&r)
			s.awaitReadable(next.Revision)
		case <-w.asked:
			// etcd has nothing to say of a watcher that begins with the next revision, nor of one in the future.
			owed = storage.Revision(s.server.KV().Rev())
			if owed >= w.from {
				retry.Reset(0)
				continue
			}
			if owed != w.from-1 {
				owed = 0
				continue
			}
			next.Revision = owed
		case <-retry.C:
			if owed > 0 {
				w.stream.RequestProgress(w.id) // it does nothing while the watcher is not up to date
				retry.Reset(progressRetry)
			}
			continue
		case <-ctx.Done():
			return nil
		case <-s.closing:
			return storage.ErrClosed
		}
		select {
		case out <- next:
		case <-ctx.Done():
			return nil
		case <-s.closing:
			return storage.ErrClosed
		}
		if next.Revision >= owed {
			owed = 0
		}
	}
}

// awaitReadable returns once reads answer with rev or what came after it. etcd tells watchers of a transaction in the moment
// before it ends; who then reads, and finds the object as it was, would take the work that the event made for done.
func (s *Store) awaitReadable(rev storage.Revision) {
	for pause := time.Duration(0); storage.Revision(s.server.KV().Rev()) < rev; pause += time.Microsecond {
		time.Sleep(pause) // etcd offers nothing to wait for; the transaction ends whatever happens here
	}
}

// deliverLast sends the error that ended a watch, if one did, to who still wants it.
func deliverLast(ctx context.Context, out chan<- storage.WatchResponse, prefix string, err error) {
	if err == nil || ctx.Err() != nil {
		return
	}
	select {
	case out <- storage.WatchResponse{Err: fmt.Errorf("watch %s: %w", prefix, storeError(ctx, err))}:
	case <-ctx.Done():
	}
}

func response(r *mvcc.WatchResponse) storage.WatchResponse {
	out := storage.WatchResponse{Revision: storage.Revision(r.Revision)}
	if n := len(r.Events); n > 0 {
		out.Events = make([]storage.Event, n)
		// A watcher that catches up gets events in batches that may end before the store's revision.
		out.Revision = storage.Revision(r.Events[n-1].Kv.ModRevision)
	}
	for i, e := range r.Events {
		out.Events[i] = storage.Event{Type: storage.EventPut, KV: keyValue(e.Kv)}
		if e.Type == mvccpb.Event_DELETE {
			out.Events[i].Type = storage.EventDelete
		}
	}
	return out
}

// RequestProgress implements storage.Store.
func (s *Store) RequestProgress(ctx context.Context) error {
	if err := s.enter(ctx); err != nil {
		return fmt.Errorf("request progress: %w", err)
	}
	defer s.leave()
	s.watches.mu.Lock()
	defer s.watches.mu.Unlock()
	for w := range s.watches.open {
		select {
		case w.asked <- struct{}{}:
		default: // it has not taken notice of the last request, which is as good as this one
		}
	}
	return nil
}

func (ws *watches) add(w *watch) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.open == nil {
		ws.open = map[*watch]struct{}{}
	}
	ws.open[w] = struct{}{}
}

func (ws *watches) remove(w *watch) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	delete(ws.open, w)
}
