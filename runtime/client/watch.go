package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/keelson-project/keelson/informer"
)

// Source is the client as informers see it.
func (d *Direct) Source() informer.Source { return source{d} }

type source struct{ d *Direct }

func (s source) request(ctx context.Context, scope informer.Scope, opts metav1.ListOptions, as string) (request, error) {
	m, err := s.d.kinds.find(ctx, scope.GVK)
	if err != nil {
		return request{}, err
	}
	r := request{method: http.MethodGet, path: m.path(scope.Namespace, "", ""), query: listQuery(opts), accept: jsonType, once: true}
	if scope.MetadataOnly {
		r.accept = as + "," + jsonType
	}
	return r, nil
}

// List reads one page.
func (s source) List(ctx context.Context, scope informer.Scope, opts metav1.ListOptions) (informer.Page, error) {
	r, err := s.request(ctx, scope, opts, metadataList)
	if err != nil {
		return informer.Page{}, err
	}
	data, _, err := s.d.do(ctx, r)
	if err != nil {
		return informer.Page{}, s.failed(scope, err)
	}
	raw, items, err := splitList(data)
	if err != nil {
		return informer.Page{}, fmt.Errorf("list of %v: %w", scope, err)
	}
	var metadata metav1.ListMeta
	if err := utiljson.Unmarshal(raw, &metadata); err != nil {
		return informer.Page{}, fmt.Errorf("list of %v: %w", scope, err)
	}
	return informer.Page{Items: items, ResourceVersion: metadata.ResourceVersion, Continue: metadata.Continue}, nil
}

// Watch opens a stream.
func (s source) Watch(ctx context.Context, scope informer.Scope, opts metav1.ListOptions) (informer.Stream, error) {
	opts.Watch = true
	r, err := s.request(ctx, scope, opts, metadataType)
	if err != nil {
		return nil, err
	}
	st, err := s.d.stream(ctx, r)
	if err != nil {
		return nil, s.failed(scope, err)
	}
	return st, nil
}

func (s source) failed(scope informer.Scope, err error) error {
	if wrongPlace(err) {
		s.d.kinds.forget(scope.GVK)
	}
	return err
}

// stream is an open watch, as bytes.
type stream struct {
	opener context.Context //nolint:containedctx // ends the stream; compared with Next's, which mostly is the same
	ctx    context.Context //nolint:containedctx // of the request: it outlives the call that opened it, as the body does
	end    context.CancelFunc
	body   io.Closer
	frames frames
	once   sync.Once
}

func (d *Direct) stream(opener context.Context, r request) (*stream, error) {
	ctx, end := context.WithCancel(opener)
	resp, err := d.open(ctx, r) //nolint:bodyclose // Close does
	if err != nil {
		end()
		return nil, err
	}
	s := &stream{opener: opener, ctx: ctx, end: end, body: resp.Body, frames: frames{r: resp.Body}}
	context.AfterFunc(ctx, s.Close) // once, not for each event
	return s, nil
}

// Next waits for the next event; see informer.Stream.
func (s *stream) Next(ctx context.Context) (informer.Event, error) {
	if ctx != s.opener {
		stop := context.AfterFunc(ctx, s.Close)
		defer stop()
	}
	typ, object, err := s.frames.next()
	if err != nil {
		switch {
		case ctx.Err() != nil:
			err = context.Cause(ctx)
		case s.ctx.Err() != nil: // closed, or the opener's context ended
			err = context.Cause(s.ctx)
		case errors.Is(err, io.EOF):
			err = io.EOF
		}
		return informer.Event{}, err
	}
	return informer.Event{Type: typ, Object: object}, nil
}

// Close ends the stream.
func (s *stream) Close() {
	s.once.Do(func() {
		s.end()
		_ = s.body.Close()
	})
}

// Watch is an open stream of changes, used by one goroutine.
type Watch struct {
	stream *stream
	gvk    schema.GroupVersionKind
	fresh  func() Object
}

// Watch opens a stream of changes to the collection that list and opts name, with bookmarks.
func (d *Direct) Watch(ctx context.Context, list ObjectList, opts ...ListOption) (*Watch, error) {
	o := listOptionsOf(opts)
	t, err := d.target(ctx, list, ObjectKey{Namespace: o.namespace}, false)
	if err != nil {
		return nil, err
	}
	fresh, err := d.itemsOf(list, t.gvk)
	if err != nil {
		return nil, err
	}
	o.ListOptions.Watch, o.AllowWatchBookmarks = true, true
	r := request{method: http.MethodGet, path: t.path(o.namespace, "", ""), query: listQuery(o.ListOptions), accept: jsonType}
	if _, ok := list.(*metav1.PartialObjectMetadataList); ok {
		r.accept = metadataType + "," + jsonType
	}
	st, err := d.stream(ctx, r)
	if err != nil {
		if wrongPlace(err) {
			d.kinds.forget(t.gvk)
		}
		return nil, err
	}
	return &Watch{st, t.gvk, fresh}, nil
}

// itemsOf makes new items of a list.
func (d *Direct) itemsOf(list kruntime.Object, gvk schema.GroupVersionKind) (func() Object, error) {
	switch list.(type) {
	case kruntime.Unstructured:
		return func() Object { return &unstructured.Unstructured{} }, nil
	case *metav1.PartialObjectMetadataList:
		return func() Object { return &metav1.PartialObjectMetadata{} }, nil
	}
	item, err := d.scheme.New(gvk)
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	if _, ok := item.(Object); !ok {
		return nil, fmt.Errorf("client: %T has no metadata", item)
	}
	kind := reflect.TypeOf(item).Elem()
	return func() Object { return reflect.New(kind).Interface().(Object) }, nil
}

// Next waits for the next change: ADDED, MODIFIED, DELETED, or BOOKMARK, whose object has nothing but a
// resourceVersion. Errors: io.EOF where the server ended the watch in order, a *apierrors.StatusError where it
// said why not (reason Expired: list again), ctx's.
func (w *Watch) Next(ctx context.Context) (watch.EventType, Object, error) {
	event, err := w.stream.Next(ctx)
	if err != nil {
		return "", nil, err
	}
	if event.Type == watch.Error {
		var status metav1.Status
		if err := utiljson.Unmarshal(event.Object, &status); err != nil {
			return "", nil, fmt.Errorf("watch: %w", err)
		}
		return "", nil, &apierrors.StatusError{ErrStatus: status}
	}
	obj := w.fresh()
	if err := decode(event.Object, event.ContentType, obj); err != nil {
		return "", nil, fmt.Errorf("watch: %w", err)
	}
	obj.GetObjectKind().SetGroupVersionKind(w.gvk)
	return event.Type, obj, nil
}

// Close ends the watch. Closing twice is harmless.
func (w *Watch) Close() { w.stream.Close() }
