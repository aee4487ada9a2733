package watchcache

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// readHistory returns the changes after o.From and up to upTo from the store's own history, for a watch that
// begins before the cache's (because the server was restarted, mostly). ErrExpired where the store has
// forgotten them too, and where they would be more than the cache's own history may hold.
func (t *table) readHistory(ctx context.Context, o *WatchOptions, upTo storage.Revision) ([]*change, error) {
	select {
	case t.cache.replays <- struct{}{}:
		defer func() { <-t.cache.replays }()
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-t.cache.done:
		return nil, ErrClosed
	}
	events, err := t.readEvents(ctx, o, upTo)
	if err == nil {
		var before map[string]*Entry
		if before, err = t.readBefore(ctx, o.From, events); err == nil {
			return t.changesOf(events, before), nil
		}
	}
	if errors.Is(err, storage.ErrCompacted) {
		return nil, fmt.Errorf("%w: %d", ErrExpired, o.From)
	}
	return nil, err
}

// readEvents collects the store's events after o.From and up to upTo.
func (t *table) readEvents(ctx context.Context, o *WatchOptions, upTo storage.Revision) ([]storage.Event, error) {
	ctx, cancel := context.WithCancel(ctx)
	prefix := o.Prefix
	if o.Key != "" {
		prefix = o.Key
	}
	responses := t.cache.store.Watch(ctx, prefix, storage.WatchOptions{From: o.From + 1})
	defer func() {
		cancel()
		for range responses { // until the store has let go of the watch
		}
	}()
	// A quiet range reports its progress only when asked.
	delay := 2 * time.Millisecond
	timer := time.NewTimer(delay)
	defer timer.Stop()
	var events []storage.Event
	var size int64
	for {
		select {
		case resp, ok := <-responses:
			if !ok {
				return nil, context.Cause(ctx)
			}
			if resp.Err != nil {
				return nil, resp.Err
			}
			for _, e := range resp.Events {
				if e.KV.ModRevision <= upTo && (o.Key == "" || e.KV.Key == o.Key) {
					events = append(events, e)
					size += int64(len(e.KV.Key)+len(e.KV.Value)) + entryOverhead + changeOverhead
				}
			}
			if len(events) > t.cache.opts.HistoryEvents || size > t.cache.opts.HistoryBytes {
				return nil, fmt.Errorf("%w: %d: too much has happened since", ErrExpired, o.From)
			}
			if resp.Revision >= upTo {
				return events, nil
			}
		case <-timer.C:
			if err := t.cache.store.RequestProgress(ctx); err != nil {
				return nil, err
			}
			delay = min(2*delay, 100*time.Millisecond)
			timer.Reset(delay)
		case <-t.cache.done:
			return nil, ErrClosed
		}
	}
}

// readBefore returns the state at from of those objects that existed then and that the events change.
func (t *table) readBefore(ctx context.Context, from storage.Revision, events []storage.Event) (map[string]*Entry, error) {
	before := map[string]*Entry{}
	if from <= 0 {
		return before, nil
	}
	for i := range events {
		key := events[i].KV.Key
		if _, known := before[key]; known {
			continue
		}
		before[key] = nil
		if events[i].Created() {
			continue
		}
		got, err := t.cache.store.Get(ctx, key, storage.GetOptions{Revision: from})
		if err != nil {
			return nil, err
		}
		if got.KV != nil {
			if e, err := t.decodeKV(*got.KV); err == nil {
				before[key] = e
			}
		}
	}
	return before, nil
}

// changesOf makes changes of events; state has the entries before them, and those after them in the end.
func (t *table) changesOf(events []storage.Event, state map[string]*Entry) []*change {
	changes := make([]*change, 0, len(events))
	for i := range events {
		s := t.decode(&events[i])
		prev := state[s.key]
		state[s.key] = s.entry
		if prev != nil || s.entry != nil {
			changes = append(changes, &change{rev: s.rev, prev: prev, next: s.entry})
		}
	}
	return changes
}
