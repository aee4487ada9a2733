package storagetest_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// bend is a broken promise, and the clauses that have to notice it.
type bend struct {
	store   bent
	clauses []string
}

func bends() map[string]bend {
	all := map[string]bend{}
	for _, some := range []map[string]bend{bentReads(), bentWrites(), bentWatches(), bentRest()} {
		for name, b := range some {
			all[name] = b
		}
	}
	return all
}

func bentReads() map[string]bend {
	list := func(change func(prefix *string, o *storage.ListOptions), after func(*storage.ListResponse)) bent {
		return bent{list: func(ctx context.Context, s storage.Store, prefix string, o storage.ListOptions) (storage.ListResponse, error) {
			change(&prefix, &o)
			r, err := s.List(ctx, prefix, o)
			after(&r)
			return r, err
		}}
	}
	same, asIs := func(*string, *storage.ListOptions) {}, func(*storage.ListResponse) {}
	return map[string]bend{
		"stale reads": {bent{get: func(ctx context.Context, s storage.Store, key string, o storage.GetOptions) (storage.GetResponse, error) {
			if now, _ := s.Revision(ctx); o.Revision == 0 && now > 1 {
				o.Revision = now - 1
			}
			return s.Get(ctx, key, o)
		}}, []string{"Get/WhatWasPut", "Get/Linearizable", "Watch/WhatCameIsRead", "Random"}},
		"reads of the latest only": {bent{get: func(ctx context.Context, s storage.Store, key string, _ storage.GetOptions) (storage.GetResponse, error) {
			return s.Get(ctx, key, storage.GetOptions{})
		}}, []string{"Get/Repeatable", "Get/FutureRevision", "Compact/ForgetsEarlierReads", "Random"}},
		"no limit":         {list(func(_ *string, o *storage.ListOptions) { o.Limit = 0 }, asIs), []string{"List/LimitAndRemaining", "Random"}},
		"no start":         {list(func(_ *string, o *storage.ListOptions) { o.Start = "" }, asIs), []string{"List/Start", "List/PagesOfOneRevision"}},
		"no rest":          {list(same, func(r *storage.ListResponse) { r.Remaining = 0 }), []string{"List/LimitAndRemaining", "List/PagesOfOneRevision", "Random"}},
		"slashes ignored":  {list(func(p *string, _ *storage.ListOptions) { *p = strings.TrimSuffix(*p, "/") }, asIs), []string{"List/PrefixBoundaries"}},
		"pages of now":     {list(func(_ *string, o *storage.ListOptions) { o.Revision = 0 }, asIs), []string{"List/PagesOfOneRevision", "List/Repeatable"}},
		"order from above": {list(same, func(r *storage.ListResponse) { reverse(r.KVs) }), []string{"List/ByteOrder"}},
	}
}

func reverse[T any](s []T) {
	for i, j := 0, len(s)-1; i < j; i, j = i+1, j-1 {
		s[i], s[j] = s[j], s[i]
	}
}

func bentWrites() map[string]bend {
	// whatever writes as if the caller had expected what is there.
	whatever := func(ctx context.Context, s storage.Store, key string) storage.Revision {
		if r, err := s.Get(ctx, key, storage.GetOptions{}); err == nil && r.KV != nil {
			return r.KV.ModRevision
		}
		return 0
	}
	return map[string]bend{
		"last write wins": {bent{put: func(ctx context.Context, s storage.Store, key string, value []byte, _ storage.Revision, o storage.PutOptions) (storage.Revision, error) {
			return s.Put(ctx, key, value, whatever(ctx, s, key), o)
		}}, []string{"Put/Create", "Put/Update", "Races/OneCreates", "Races/NoLostUpdate", "Conflict", "Random"}},
		"deletes whatever is there": {bent{delete: func(ctx context.Context, s storage.Store, key string, _ storage.Revision) (storage.Revision, error) {
			return s.Delete(ctx, key, whatever(ctx, s, key))
		}}, []string{"Delete/Existing", "Conflict", "Random"}},
		"conflicts without current": {bent{put: func(ctx context.Context, s storage.Store, key string, value []byte, expected storage.Revision, o storage.PutOptions) (storage.Revision, error) {
			rev, err := s.Put(ctx, key, value, expected, o)
			if errors.Is(err, storage.ErrConflict) {
				err = &storage.ConflictError{Key: key, Expected: expected}
			}
			return rev, err
		}}, []string{"Put/Create", "Races/NoLostUpdate", "Random"}},
		"keys live on": {bent{put: func(ctx context.Context, s storage.Store, key string, value []byte, expected storage.Revision, _ storage.PutOptions) (storage.Revision, error) {
			return s.Put(ctx, key, value, expected, storage.PutOptions{})
		}}, []string{"TTL"}},
		"too large": {bent{put: func(ctx context.Context, s storage.Store, key string, value []byte, expected storage.Revision, o storage.PutOptions) (storage.Revision, error) {
			if len(value) > 2<<20 {
				return 0, storage.ErrUnavailable
			}
			return s.Put(ctx, key, value, expected, o)
		}}, []string{"Put/TooLarge"}},
	}
}

// passing is a watch whose responses pass through a function, which returns false for those to leave out.
func passing(change func(*storage.WatchResponse) bool) bent {
	return bent{watch: func(ctx context.Context, s storage.Store, prefix string, o storage.WatchOptions) <-chan storage.WatchResponse {
		return pass(ctx, s.Watch(ctx, prefix, o), change)
	}}
}

func pass(ctx context.Context, in <-chan storage.WatchResponse, change func(*storage.WatchResponse) bool) <-chan storage.WatchResponse {
	out := make(chan storage.WatchResponse)
	go func() {
		defer close(out)
		for r := range in {
			if !change(&r) {
				continue
			}
			select {
			case out <- r:
			case <-ctx.Done():
			}
		}
	}()
	return out
}

// singly is a watch that delivers each event in a response of its own, as long as that is wanted.
func singly(buffer int, deliver func(ctx context.Context, out chan<- storage.WatchResponse, r storage.WatchResponse)) bent {
	return bent{watch: func(ctx context.Context, s storage.Store, prefix string, o storage.WatchOptions) <-chan storage.WatchResponse {
		out := make(chan storage.WatchResponse, buffer)
		go func() {
			defer close(out)
			for r := range s.Watch(ctx, prefix, o) {
				for _, e := range r.Events {
					deliver(ctx, out, storage.WatchResponse{Revision: e.KV.ModRevision, Events: []storage.Event{e}})
				}
				deliver(ctx, out, storage.WatchResponse{Revision: r.Revision, Err: r.Err})
			}
		}()
		return out
	}}
}

// ahead says of each event that more has been delivered than was.
func ahead(ctx context.Context, out chan<- storage.WatchResponse, r storage.WatchResponse) {
	r.Revision += storage.Revision(2 * len(r.Events))
	select {
	case out <- r:
	case <-ctx.Done():
	}
}

// forgetful delivers what there is room for.
func forgetful(_ context.Context, out chan<- storage.WatchResponse, r storage.WatchResponse) {
	select {
	case out <- r:
	default:
	}
}

func bentWatches() map[string]bend {
	return map[string]bend{
		"lost events": {passing(func(r *storage.WatchResponse) bool {
			var kept []storage.Event
			for _, e := range r.Events {
				if e.KV.ModRevision%7 != 3 {
					kept = append(kept, e)
				}
			}
			r.Events = kept
			return true
		}), []string{"Watch/FromThePast", "Watch/Resumable", "Watch/SlowConsumer", "Random"}},
		"events twice": {passing(func(r *storage.WatchResponse) bool { r.Events = append(r.Events, r.Events...); return true }), []string{"Watch/Events", "Random"}},
		"events backwards": {passing(func(r *storage.WatchResponse) bool {
			r.Events = append([]storage.Event{}, r.Events...)
			reverse(r.Events)
			return true
		}), []string{"Watch/FromThePast", "Random"}},
		"ahead of events": {singly(0, ahead), []string{"Watch/FromThePast", "Progress/NotBeforeEvents"}},
		"no deletes": {passing(func(r *storage.WatchResponse) bool {
			for i := range r.Events {
				r.Events[i].Type = storage.EventPut
			}
			return true
		}), []string{"Watch/Events"}},
		"no history": {bent{watch: func(ctx context.Context, s storage.Store, prefix string, _ storage.WatchOptions) <-chan storage.WatchResponse {
			return s.Watch(ctx, prefix, storage.WatchOptions{})
		}}, []string{"Watch/FromThePast", "Watch/Resumable", "Compact/WatchFromBefore"}},
		"begins later": {bent{watch: func(ctx context.Context, s storage.Store, prefix string, o storage.WatchOptions) <-chan storage.WatchResponse {
			rev, _ := s.Revision(ctx)
			return s.Watch(ctx, prefix, storage.WatchOptions{From: max(o.From, rev+2)})
		}}, []string{"Watch/FromZero$", "Watch/FromTheNext"}},
		"wide prefix": {bent{watch: func(ctx context.Context, s storage.Store, prefix string, o storage.WatchOptions) <-chan storage.WatchResponse {
			return s.Watch(ctx, strings.TrimSuffix(prefix, "/"), o)
		}}, []string{"Watch/PrefixBoundaries"}},
		"losing what is not read": {singly(10, forgetful), []string{"Watch/SlowConsumer", "Progress/SlowConsumer"}},
		"not closed": {bent{watch: func(ctx context.Context, s storage.Store, prefix string, o storage.WatchOptions) <-chan storage.WatchResponse {
			out := make(chan storage.WatchResponse)
			go func() {
				for r := range s.Watch(ctx, prefix, o) {
					out <- r
				}
			}()
			return out
		}}, []string{"Watch/CancelIdle", "Watch/CanceledBefore"}},
		"ends in silence": {passing(func(r *storage.WatchResponse) bool { return r.Err == nil }), []string{"Close/EndsWatches", "Compact/WatchFromBefore"}},
	}
}

func bentRest() map[string]bend {
	var closed atomic.Bool
	return map[string]bend{
		"no progress":         {bent{request: func() error { return nil }}, []string{"Progress/FromTheNext", "Progress/AllWatches"}},
		"no compaction":       {bent{compact: func(context.Context, storage.Store, storage.Revision) error { return nil }}, []string{"Compact/ForgetsEarlierReads", "Compact/WatchFromBefore", "Compact/Twice"}},
		"compacts the newest": {bent{compact: func(ctx context.Context, s storage.Store, rev storage.Revision) error { return s.Compact(ctx, rev+1) }}, []string{"Compact/ForgetsEarlierReads", "Compact/WatchFromItsRevision"}},
		"Close does nothing":  {bent{close: func(storage.Store) error { return nil }}, []string{"Close/EndsWatches", "Close/CallsAfter"}},
		"Close not repeatable": {bent{close: func(s storage.Store) error {
			if closed.Swap(true) {
				return storage.ErrClosed
			}
			return s.Close()
		}}, []string{"Close/Twice"}},
	}
}
