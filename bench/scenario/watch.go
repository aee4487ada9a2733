package scenario

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/keelson-project/keelson/bench/load"
)

// Watch has many watchers of one type. First all workers create objects as fast as they can, for the rate; then one
// creates them at a slow pace, for the time from sending a write to reading its event.
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
	// Writes wait when they are so far ahead of the watchers: kube-apiserver ends watches that fall behind further.
	const writes, lead = 1000, 64
	want := int64(writes * env.Sizes.Watchers)
	var seen atomic.Int64
	done := make(chan struct{})
	watchers, err := env.Client.Watch(ctx, env.Sizes.Watchers, t.Collection()+"?watch=true", func(_ int, b []byte) {
		// Deletion of the object that install left may come first.
		if bytes.Contains(b[:min(len(b), 30)], []byte(`"ADDED"`)) && bytes.Contains(b, []byte(`"gadget-`)) {
			if seen.Add(1) == want {
				close(done)
			}
		}
	})
	if err != nil {
		return err
	}
	start := time.Now()
	used, err := env.cpu(func() error {
		if _, err := load.Parallel(ctx, env.Sizes.Workers, writes, func(ctx context.Context, i int) error {
			if err := caughtUp(ctx, &seen, int64((i-lead)*env.Sizes.Watchers)); err != nil {
				return err
			}
			return create(ctx, env, t, i)
		}); err != nil {
			return err
		}
		return arrived(ctx, done, &seen, want)
	})
	took := time.Since(start)
	values["watch-rate"] = float64(want) / took.Seconds()
	values["watch-cpu"] = micros(used) / float64(want)
	if err != nil {
		return fmt.Errorf("%w (watches: %v)", err, watchers.Close())
	}
	return watchers.Close()
}

func watchDelay(ctx context.Context, env *Env, t load.Type, values map[string]float64) error {
	const first, writes, pace = 100_000, 300, 20 * time.Millisecond
	var sent [writes]atomic.Int64 // when, in nanoseconds
	delays := make([][]time.Duration, env.Sizes.Watchers)
	var seen atomic.Int64
	want := int64(writes * env.Sizes.Watchers)
	done := make(chan struct{})
	watchers, err := env.Client.Watch(ctx, env.Sizes.Watchers, t.Collection()+"?watch=true&resourceVersion=0", func(w int, b []byte) {
		i, ok := seq(b)
		if !ok || i < first {
			return // stored before
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

// caughtUp waits until so many events have been seen, at most a minute.
func caughtUp(ctx context.Context, seen *atomic.Int64, want int64) error {
	if seen.Load() >= want {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for seen.Load() < want {
		select {
		case <-ctx.Done():
			return fmt.Errorf("watchers do not keep up: %w", ctx.Err())
		case <-tick.C:
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
