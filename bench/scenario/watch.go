package scenario

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/keelson-project/keelson/bench/load"
)

// Watch has many watchers of one type. First all workers create objects as fast as all watchers are told of them, for the
// rate; then one creates them at a slow pace, for the time from sending a write to reading its event.
type Watch struct{}

// Name implements Scenario.
func (Watch) Name() string { return "watch" }

// Run implements Scenario.
func (Watch) Run(ctx context.Context, env *Env) (map[string]float64, error) {
	t := load.Type{Plural: "watched"}
	if err := env.install(ctx, t); err != nil {
		return nil, err
	}
	values := map[string]float64{}
	if err := watchRate(ctx, env, t, values); err != nil {
		return nil, err
	}
	return values, watchDelay(ctx, env, t, values)
}

func watchRate(ctx context.Context, env *Env, t load.Type, values map[string]float64) error {
	const writes = 1000
	n := env.Sizes.Watchers
	all := newAudience(n, writes, env.Sizes.Lead)
	watchers, err := env.Client.Watch(ctx, n, t.Collection()+"?watch=true", func(w int, b []byte) {
		// Deletion of the object that install left may come first.
		if bytes.Contains(b[:min(len(b), 30)], []byte(`"ADDED"`)) && bytes.Contains(b, []byte(`"gadget-`)) {
			all.told(w)
		}
	})
	if err != nil {
		return err
	}
	start := time.Now()
	used, err := env.cpu(func() error {
		if _, err := load.Parallel(ctx, env.Sizes.Workers, writes, func(ctx context.Context, i int) error {
			if err := all.begin(ctx); err != nil {
				return err
			}
			return create(ctx, env, t, i)
		}); err != nil {
			return err
		}
		return arrived(ctx, all.done, &all.seen, int64(writes*n))
	})
	took := time.Since(start)
	values["watch-rate"] = float64(writes*n) / took.Seconds()
	values["watch-cpu"] = micros(used) / float64(writes*n)
	if err != nil {
		return fmt.Errorf("%w (watches: %v)", err, watchers.Close())
	}
	return watchers.Close()
}

// audience is all watchers of a number of events, and bounds how many of these are under way.
type audience struct {
	room   chan struct{}  // holds one for each event that not all have seen
	events []atomic.Int64 // by how many watchers each has been seen, in their order
	next   []int          // by watcher, whose goroutine alone touches it: its next event
	seen   atomic.Int64
	done   chan struct{} // closed when all have seen all
}

func newAudience(watchers, events, lead int) *audience {
	return &audience{
		room: make(chan struct{}, lead), events: make([]atomic.Int64, events), next: make([]int, watchers), done: make(chan struct{}),
	}
}

// begin waits until there is room for another event, at most a minute.
func (a *audience) begin(ctx context.Context) error {
	late := time.NewTimer(time.Minute)
	defer late.Stop()
	select {
	case a.room <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-late.C:
		return errors.New("watchers do not keep up")
	}
}

// told notes that a watcher has seen its next event.
func (a *audience) told(watcher int) {
	i := a.next[watcher]
	a.next[watcher]++
	if a.events[i].Add(1) == int64(len(a.next)) {
		<-a.room
	}
	if a.seen.Add(1) == int64(len(a.next)*len(a.events)) {
		close(a.done)
	}
}

func watchDelay(ctx context.Context, env *Env, t load.Type, values map[string]float64) error {
	const first, writes, pace = 100_000, 300, 20 * time.Millisecond
	var sent [writes]atomic.Int64 // when, in nanoseconds
	delays := make([][]time.Duration, env.Sizes.Watchers)
	var seen atomic.Int64
	want := int64(writes * env.Sizes.Watchers)
	done := make(chan struct{})
	// From now on: a watcher that is still being told of what was stored before would fall behind, see Sizes.Lead.
	now, err := version(ctx, env, t)
	if err != nil {
		return err
	}
	watchers, err := env.Client.Watch(ctx, env.Sizes.Watchers, t.Collection()+"?watch=true&resourceVersion="+now, func(w int, b []byte) {
		i, ok := seq(b)
		if !ok || i < first {
			return
		}
		delays[w] = append(delays[w], time.Duration(time.Now().UnixNano()-sent[i-first].Load()))
		if seen.Add(1) == want {
			close(done)
		}
	})
	if err != nil {
		return err
	}
	err = paced(ctx, writes, pace, func(i int) error {
		sent[i].Store(time.Now().UnixNano())
		return create(ctx, env, t, first+i)
	})
	if err == nil {
		err = arrived(ctx, done, &seen, want)
	}
	if closed := watchers.Close(); err != nil || closed != nil {
		return fmt.Errorf("%w (watches: %w)", err, closed)
	}
	all := slices.Sorted(slices.Values(slices.Concat(delays...)))
	values["delivery-p50"] = millis(all[len(all)/2])
	values["delivery-p99"] = millis(all[len(all)*99/100])
	return nil
}

// paced calls do at a fixed pace, one call after the other.
func paced(ctx context.Context, n int, pace time.Duration, do func(i int) error) error {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for i := range n {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if err := do(i); err != nil {
			return err
		}
	}
	return nil
}

// arrived waits for done, at most two minutes.
func arrived(ctx context.Context, done <-chan struct{}, seen *atomic.Int64, want int64) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(2 * time.Minute):
		return fmt.Errorf("%d of %d events came within two minutes of the last write", seen.Load(), want)
	}
}

func create(ctx context.Context, env *Env, t load.Type, i int) error {
	_, err := env.Client.Do(ctx, load.Request{Method: "POST", Path: t.Collection(), Body: t.Object(name(i), i, i)})
	return err
}

// version is the resourceVersion of the type's collection.
func version(ctx context.Context, env *Env, t load.Type) (string, error) {
	raw, err := env.Client.Read(ctx, load.Request{Path: t.Collection() + "?limit=1"})
	if err != nil {
		return "", err
	}
	var list struct {
		Metadata struct{ ResourceVersion string }
	}
	err = json.Unmarshal(raw, &list)
	return list.Metadata.ResourceVersion, err
}

// seq returns the number that load.Type.Object put in the spec of an event's object.
func seq(event []byte) (int, bool) {
	_, rest, found := bytes.Cut(event, []byte(`"seq":`))
	if !found {
		return 0, false
	}
	end := bytes.IndexAny(rest, ",}")
	if end < 0 {
		return 0, false
	}
	i, err := strconv.Atoi(string(rest[:end]))
	return i, err == nil
}
