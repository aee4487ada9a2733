package embedded

import (
	"context"
	"fmt"
	"sync"

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

type watch struct {
	stream mvcc.WatchStream
	id     mvcc.WatchID
}

// Watch implements storage.Store. etcd's own buffer (128 responses) takes bursts; a slower consumer makes etcd move
// the watcher to its unsynced group, from where it catches up out of the history: no event is lost, no writer waits.
func (s *Store) Watch(ctx context.Context, prefix string, o storage.WatchOptions) <-chan storage.WatchResponse {
	out := make(chan storage.WatchResponse)
	select {
	case <-s.closing:
		go func() { defer close(out); deliver(ctx, out, storage.WatchResponse{Err: storage.ErrClosed}) }()
		return out
	default:
	}
	w := &watch{stream: s.server.Watchable().NewWatchStream()}
	var err error
	w.id, err = w.stream.Watch(ctx, clientv3.AutoWatchID, []byte(prefix), rangeEnd(prefix), int64(o.From))
	s.watches.add(w)
	s.work.Add(1)
	go func() {
		defer s.work.Done()
		defer close(out)
		defer s.watches.remove(w)
		defer w.stream.Close()
		if err != nil {
			deliver(ctx, out, storage.WatchResponse{Err: fmt.Errorf("watch %s: %w", prefix, storeError(err))})
			return
		}
		s.forward(ctx, w, prefix, out)
	}()
	return out
}

// forward passes on what etcd sends until the watch, its context or the store ends.
func (s *Store) forward(ctx context.Context, w *watch, prefix string, out chan<- storage.WatchResponse) {
	for {
		select {
		case r, ok := <-w.stream.Chan():
			if !ok {
				deliver(ctx, out, storage.WatchResponse{Err: fmt.Errorf("watch %s: %w", prefix, storage.ErrUnavailable)})
				return
			}
			if r.CompactRevision != 0 {
				deliver(ctx, out, storage.WatchResponse{Err: fmt.Errorf("watch %s: %w", prefix, storage.ErrCompacted)})
				return
			}
			select {
			case out <- response(&r):
			case <-ctx.Done():
				return
			case <-s.closing:
				return
			}
		case <-ctx.Done():
			return
		case <-s.closing:
			deliver(ctx, out, storage.WatchResponse{Err: storage.ErrClosed})
			return
		}
	}
}

// deliver sends the last response of a watch to who still wants it.
func deliver(ctx context.Context, out chan<- storage.WatchResponse, r storage.WatchResponse) {
	select {
	case out <- r:
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

// RequestProgress implements storage.Store. etcd answers for watchers that are up to date; one that is not will
// deliver events soon, which say the same.
func (s *Store) RequestProgress(context.Context) error {
	s.watches.mu.Lock()
	defer s.watches.mu.Unlock()
	for w := range s.watches.open {
		w.stream.RequestProgress(w.id)
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
