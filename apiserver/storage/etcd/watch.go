package etcd

import (
	"context"
	"fmt"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// Watch implements storage.Store. The client resumes by itself over short interruptions; where it cannot (history is
// gone, no leader), the watch ends with an error and the consumer decides.
func (s *Store) Watch(ctx context.Context, prefix string, o storage.WatchOptions) <-chan storage.WatchResponse {
	out := make(chan storage.WatchResponse)
	ctx, cancel := context.WithCancel(ctx)
	from, err := o.From, error(nil)
	if from == 0 {
		// The server would begin whenever the request reaches it; the contract says: now.
		from, err = s.Revision(ctx)
		from++
	}
	s.work.Add(1)
	go func() {
		defer s.work.Done()
		defer cancel()
		defer close(out)
		if err != nil {
			deliver(ctx, out, storage.WatchResponse{Err: err})
			return
		}
		events := s.client.Watch(clientv3.WithRequireLeader(ctx), prefix,
			clientv3.WithPrefix(), clientv3.WithRev(int64(from)), clientv3.WithProgressNotify())
		s.forward(ctx, prefix, events, out)
	}()
	return out
}

func (s *Store) forward(ctx context.Context, prefix string, events clientv3.WatchChan, out chan<- storage.WatchResponse) {
	for {
		select {
		case r, ok := <-events:
			last := !ok || r.Err() != nil
			response := storage.WatchResponse{}
			switch {
			case ctx.Err() != nil:
				return
			case !ok:
				response.Err = fmt.Errorf("watch %s: %w", prefix, storage.ErrUnavailable)
			case r.Err() != nil:
				response.Err = fmt.Errorf("watch %s: %w", prefix, s.storeError(r.Err()))
			case r.Created:
				continue
			default:
				response = convert(&r)
			}
			if !deliver(ctx, out, response) || last {
				return
			}
		case <-s.closing:
			deliver(ctx, out, storage.WatchResponse{Err: storage.ErrClosed})
			return
		case <-ctx.Done():
			return
		}
	}
}

// deliver sends a response to who still wants it.
func deliver(ctx context.Context, out chan<- storage.WatchResponse, r storage.WatchResponse) bool {
	select {
	case out <- r:
		return true
	case <-ctx.Done():
		return false
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

// RequestProgress implements storage.Store.
func (s *Store) RequestProgress(ctx context.Context) error {
	if err := s.client.RequestProgress(clientv3.WithRequireLeader(ctx)); err != nil {
		return fmt.Errorf("request progress: %w", s.storeError(err))
	}
	return nil
}
