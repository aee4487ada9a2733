package watchcache_test

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/watchcache"
)

const root = "/registry/"

// config of a resource whose objects are small JSON with a name, a namespace and labels.
func config(prefix string) *watchcache.Config {
	return &watchcache.Config{
		Prefix: prefix,
		Decode: func(kv storage.KeyValue) ([]byte, resource.Projection, error) {
			data, err := resource.WithRevision(kv.Value, int64(kv.ModRevision))
			if err != nil {
				return nil, resource.Projection{}, err
			}
			return data, resource.Project(data, nil), nil
		},
	}
}

// object is the stored value at key, with one label.
func object(key, color string) []byte {
	rest := strings.Split(strings.TrimPrefix(key, root), "/")
	return fmt.Appendf(nil, `{"kind":"T","metadata":{"labels":{"color":%q},"name":%q,"namespace":%q}}`,
		color, rest[len(rest)-1], rest[len(rest)-2])
}

func ofColor(color string) func(*watchcache.Entry) bool {
	return func(e *watchcache.Entry) bool { return e.Projection.Labels.Get("color") == color }
}

// world is a store together with the dumb model of what was written to it: a list.
type world struct {
	storage.Store
	mu     sync.Mutex
	writes []write
	acked  storage.Revision
}

type write struct {
	rev   storage.Revision
	key   string
	color string // "" for a removal
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{Store: newLogStore()}
	t.Cleanup(func() { w.Close() })
	return w
}

// set writes key whatever is there; color "" removes it. It returns the revision, zero where there was nothing
// to remove.
func (w *world) set(ctx context.Context, key, color string) (storage.Revision, error) {
	var expected storage.Revision
	for {
		var rev storage.Revision
		var err error
		if color == "" {
			rev, err = w.Delete(ctx, key, expected)
		} else {
			rev, err = w.Put(ctx, key, object(key, color), expected, storage.PutOptions{})
		}
		var conflict *storage.ConflictError
		switch {
		case err == nil:
			w.mu.Lock()
			w.writes = append(w.writes, write{rev, key, color})
			w.acked = max(w.acked, rev)
			w.mu.Unlock()
			return rev, nil
		case !errors.As(err, &conflict):
			return 0, err
		case conflict.Current == nil && color == "":
			return 0, nil
		case conflict.Current == nil:
			expected = 0
		default:
			expected = conflict.Current.ModRevision
		}
	}
}

// expire removes several keys in one revision.
func (w *world) expire(keys ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	rev, removed := w.Store.(*logStore).expire(keys...)
	for _, key := range removed {
		w.writes = append(w.writes, write{rev, key, ""})
		w.acked = max(w.acked, rev)
	}
}

func (w *world) mustSet(t testing.TB, key, color string) storage.Revision {
	t.Helper()
	rev, err := w.set(t.Context(), key, color)
	if err != nil {
		t.Fatal(err)
	}
	return rev
}

func (w *world) acknowledged() storage.Revision {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.acked
}

// history is what was written, in order.
func (w *world) history() []write {
	w.mu.Lock()
	defer w.mu.Unlock()
	sort.SliceStable(w.writes, func(i, j int) bool { return w.writes[i].rev < w.writes[j].rev })
	return w.writes
}

// stateAt is the model's state of a prefix: key to write.
func (w *world) stateAt(prefix string, rev storage.Revision) map[string]write {
	state := map[string]write{}
	for _, wr := range w.history() {
		if wr.rev > rev || !strings.HasPrefix(wr.key, prefix) {
			continue
		}
		if state[wr.key] = wr; wr.color == "" {
			delete(state, wr.key)
		}
	}
	return state
}

// seen is an event as the model and recordings write it down.
type seen struct {
	rev   storage.Revision
	typ   watchcache.EventType
	key   string
	color string
}

// expected is what a watch from (exclusive) to (inclusive) must deliver.
func (w *world) expected(prefix, key, color string, from, to storage.Revision) []seen {
	var out []seen
	state := map[string]string{}
	for _, wr := range w.history() {
		if !strings.HasPrefix(wr.key, prefix) || key != "" && wr.key != key {
			continue
		}
		old := state[wr.key]
		state[wr.key] = wr.color
		if wr.rev <= from || wr.rev > to {
			continue
		}
		was := old != "" && (color == "" || old == color)
		is := wr.color != "" && (color == "" || wr.color == color)
		switch {
		case is && was:
			out = append(out, seen{wr.rev, watchcache.Modified, wr.key, wr.color})
		case is:
			out = append(out, seen{wr.rev, watchcache.Added, wr.key, wr.color})
		case was:
			out = append(out, seen{wr.rev, watchcache.Deleted, wr.key, old})
		}
	}
	return out
}

// run runs the cache until stop is called, which waits for it, or the test ends.
func run(t testing.TB, c *watchcache.Cache) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := c.Run(ctx); err != nil {
			t.Error("Run:", err)
		}
	}()
	stop = func() { cancel(); <-ended }
	t.Cleanup(stop)
	return stop
}

// faulty is a store whose watches can be cut, and which can be cut off altogether.
type faulty struct {
	storage.Store
	mu   sync.Mutex
	down error
	hold chan struct{} // not nil: lists are answered when it is closed
	cut  chan struct{}
	err  error
}

func newFaulty(s storage.Store) *faulty { return &faulty{Store: s, cut: make(chan struct{})} }

// cutWatches ends the open watches with err.
func (f *faulty) cutWatches(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
	close(f.cut)
	f.cut = make(chan struct{})
}

// setDown makes reads, and watches that begin, fail with err; nil brings them back.
func (f *faulty) setDown(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = err
}

func (f *faulty) isDown() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.down
}

func (f *faulty) Revision(ctx context.Context) (storage.Revision, error) {
	if err := f.isDown(); err != nil {
		return 0, err
	}
	return f.Store.Revision(ctx)
}

func (f *faulty) List(ctx context.Context, prefix string, o storage.ListOptions) (storage.ListResponse, error) {
	if err := f.isDown(); err != nil {
		return storage.ListResponse{}, err
	}
	resp, err := f.Store.List(ctx, prefix, o)
	f.mu.Lock()
	hold := f.hold
	f.mu.Unlock()
	if hold != nil {
		<-hold
	}
	return resp, err
}

func (f *faulty) Watch(ctx context.Context, prefix string, o storage.WatchOptions) <-chan storage.WatchResponse {
	f.mu.Lock()
	cut := f.cut
	f.mu.Unlock()
	inner, cancel := context.WithCancel(ctx)
	from := f.Store.Watch(inner, prefix, o)
	out := make(chan storage.WatchResponse)
	go func() {
		defer close(out)
		defer func() {
			cancel()
			for range from {
			}
		}()
		for {
			select {
			case resp, ok := <-from:
				if !ok {
					return
				}
				select {
				case out <- resp:
				case <-ctx.Done():
					return
				}
			case <-cut:
				f.mu.Lock()
				err := f.err
				f.mu.Unlock()
				select {
				case out <- storage.WatchResponse{Err: err}:
				case <-ctx.Done():
				}
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}
