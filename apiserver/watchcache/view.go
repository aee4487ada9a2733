package watchcache

import (
	"context"
	"errors"
	"slices"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// ViewKey names another form of an entry's object: that of Version, as the Definition with that SchemaRevision makes
// it.
type ViewKey struct {
	SchemaRevision int64
	Version        string
}

// view is another form of an entry's object, made once for all who want it.
type view struct {
	key  ViewKey
	done chan struct{} // closed when data and err are final
	data []byte
	err  error
}

// View returns the form of the object that key names. Whoever asks first makes it, of the entry that make is given
// (for a removed object that of its last state); the others wait for that one. A
// failure is told to all who waited and then forgotten; that the maker's own request ended does not count as one.
// A form of the same version by another key is dropped.
func (e *Entry) View(ctx context.Context, key ViewKey, make func(context.Context, *Entry) ([]byte, error)) ([]byte, error) {
	for {
		v, mine := e.claimView(key)
		if mine {
			v.data, v.err = e.makeView(ctx, key, make)
			if v.err != nil {
				e.dropView(v)
			}
			close(v.done)
			return v.data, v.err
		}
		select {
		case <-v.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if v.err == nil || ctx.Err() != nil || !errors.Is(v.err, context.Canceled) && !errors.Is(v.err, context.DeadlineExceeded) {
			return v.data, v.err
		}
	}
}

// makeView of a removed object changes the form of its last state: it is not converted once more to tell of its end.
func (e *Entry) makeView(ctx context.Context, key ViewKey, make func(context.Context, *Entry) ([]byte, error)) ([]byte, error) {
	if e.last == nil {
		return make(ctx, e)
	}
	data, err := e.last.View(ctx, key, make)
	if err != nil {
		return nil, err
	}
	return resource.WithRevision(data, int64(e.Revision))
}

// HasView says whether the form that key names is there already.
func (e *Entry) HasView(key ViewKey) bool {
	for _, v := range e.allViews() {
		if v.key == key && v.ready() {
			return true
		}
	}
	return false
}

// SetView adds a form that was made elsewhere (for many entries at once), unless it is there or being made.
func (e *Entry) SetView(key ViewKey, data []byte) {
	if v, mine := e.claimView(key); mine {
		v.data = data
		close(v.done)
	}
}

func (v *view) ready() bool {
	select {
	case <-v.done:
		return v.err == nil
	default:
		return false
	}
}

func (e *Entry) allViews() []*view {
	if p := e.views.Load(); p != nil {
		return *p
	}
	return nil
}

// claimView returns the view of key, and whether it is new and the caller's to make.
func (e *Entry) claimView(key ViewKey) (v *view, mine bool) {
	for {
		old := e.views.Load()
		var views []*view
		if old != nil {
			views = *old
		}
		if i := slices.IndexFunc(views, func(v *view) bool { return v.key == key }); i >= 0 {
			return views[i], false
		}
		fresh := &view{key: key, done: make(chan struct{})}
		next := []*view{fresh}
		for _, other := range views {
			if other.key.Version != key.Version {
				next = append(next, other)
			}
		}
		if e.views.CompareAndSwap(old, &next) {
			return fresh, true
		}
	}
}

func (e *Entry) dropView(v *view) {
	for {
		old := e.views.Load()
		if old == nil || !slices.Contains(*old, v) {
			return
		}
		next := slices.DeleteFunc(slices.Clone(*old), func(o *view) bool { return o == v })
		if e.views.CompareAndSwap(old, &next) {
			return
		}
	}
}
