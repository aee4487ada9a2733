package registry

import (
	"context"
	"errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/watchcache"
)

// WatchOptions select what a watch delivers; see metav1.ListOptions for their meaning.
type WatchOptions struct {
	Selection
	ResourceVersion      string
	ResourceVersionMatch metav1.ResourceVersionMatch
	// InitialEvents: the state is streamed first and closed by a bookmark (KEP-3157), nil means that
	// ResourceVersion decides: "" and "0" begin with the state, without the bookmark.
	InitialEvents *bool
}

// Watch is a running watch: first the entries of Initial, as additions, then what Next of the Watcher gives.
type Watch struct {
	*watchcache.Watcher
	Initial []*watchcache.Entry
	// InitialRevision is that of the state in Initial: the first bookmark's resourceVersion.
	InitialRevision storage.Revision
	// Streamed says that the client waits for a bookmark after Initial.
	Streamed bool
	target   Target
}

// Encode returns an entry's bytes in the version of the watch.
func (w *Watch) Encode(ctx context.Context, e *watchcache.Entry) ([]byte, error) {
	data, err := w.target.encodeEntry(ctx, e)
	return data, w.target.showError(e.Key, err)
}

// Watch begins a watch; the caller stops it. Errors: BadRequest, Expired (410: the client lists again), Timeout,
// and those of the store. Until the watch is stopped, ctx is that of the conversions which a selector takes.
func (r *Registry) Watch(ctx context.Context, t Target, o WatchOptions) (*Watch, error) {
	sel, err := t.makeSelector(ctx, &o.Selection)
	if err != nil {
		return nil, err
	}
	fresh, err := freshness(o.ResourceVersion)
	if err != nil {
		return nil, err
	}
	reader := r.readerOf(&t)
	w := &Watch{target: t}
	from := fresh.AtLeast
	wantState := from == 0
	if o.InitialEvents != nil {
		wantState, w.Streamed = *o.InitialEvents, *o.InitialEvents
	}
	if wantState || from == 0 {
		s, err := reader.Snapshot(ctx, fresh)
		if err != nil {
			return nil, t.readError(err, fresh.AtLeast, 0)
		}
		from = s.Revision()
		w.InitialRevision = from
		if wantState {
			l, err := t.listSnapshot(ctx, s, sel, "", 0)
			if err == nil {
				err = t.prepare(ctx, l.items)
			}
			if err != nil {
				return nil, err
			}
			w.Initial = l.items
		}
	}
	wo := watchcache.WatchOptions{From: from, Prefix: t.prefix(), Match: sel.match()}
	if sel.name != "" && (t.Namespace != "" || !t.Def.Namespaced) {
		wo.Key = t.key(sel.name)
	}
	w.Watcher, err = reader.Watch(ctx, wo)
	switch {
	case errors.Is(err, watchcache.ErrExpired):
		return nil, expired(from, 0)
	case err != nil:
		return nil, t.readError(err, from, 0)
	}
	return w, nil
}

// decoder returns the function by which a Definition's stored values become cache entries.
func (r *Registry) decoder(d *resource.Definition) func(storage.KeyValue) ([]byte, resource.Projection, error) {
	fields := d.SelectableFields
	return func(kv storage.KeyValue) ([]byte, resource.Projection, error) {
		data, err := resource.WithRevision(kv.Value, int64(kv.ModRevision))
		if err != nil {
			return nil, resource.Projection{}, err
		}
		p := resource.Project(data, fields)
		if d.Custom && !p.Generated {
			data, err = generated(data)
		}
		return data, p, err
	}
}

// generated is an encoded object that has no generation, from before there were any, with its first.
func generated(data []byte) ([]byte, error) {
	obj, err := resource.Decode(data)
	if err != nil {
		return nil, err
	}
	metadata(obj)["generation"] = int64(1)
	return resource.Encode(obj)
}
