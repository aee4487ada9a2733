package informer_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/keelson-project/keelson/informer"
)

var widgets = schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Widget"}

// collection is a server's collection, as a Source: a map, its whole history, and faults on demand.
type collection struct {
	mu        sync.Mutex
	objects   map[string][]byte // by namespace/name
	revision  int
	history   []recorded
	compacted int           // changes up to here are forgotten
	changed   chan struct{} // closed and replaced with each change
	uids      int
	kicked    chan struct{} // closed and replaced to break all watches

	noStreaming, absent bool
	// fault returns what goes wrong with the next operation ("list", "watch", "next"), nil mostly.
	fault        func(op string) error
	lists, opens int
	pages        map[string][]string // the keys behind continue tokens
}

type recorded struct {
	revision  int
	namespace string
	event     informer.Event
}

// errSilence has a stream say nothing until it is closed.
var errSilence = errors.New("silence")

func newCollection() *collection {
	return &collection{
		objects: map[string][]byte{}, changed: make(chan struct{}), kicked: make(chan struct{}), revision: 1,
		fault: func(string) error { return nil }, pages: map[string][]string{},
	}
}

func encode(ns, name, uid string, revision int, value string) []byte {
	return fmt.Appendf(nil, `{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":%q,"namespace":%q,"uid":%q,"resourceVersion":"%d","managedFields":[{"manager":"test"}]},"spec":{"value":%q}}`,
		name, ns, uid, revision, value)
}

func (c *collection) put(ns, name, value string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := ns + "/" + name
	old, had := c.objects[key]
	c.revision++
	typ, uid := watch.Modified, ""
	if had {
		var o metav1.PartialObjectMetadata
		_ = json.Unmarshal(old, &o)
		uid = string(o.UID)
	} else {
		c.uids++
		typ, uid = watch.Added, strconv.Itoa(c.uids)
	}
	c.objects[key] = encode(ns, name, uid, c.revision, value)
	c.record(ns, typ, c.objects[key])
	return strconv.Itoa(c.revision)
}

func (c *collection) delete(ns, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := ns + "/" + name
	old, had := c.objects[key]
	if !had {
		return
	}
	var o metav1.PartialObjectMetadata
	_ = json.Unmarshal(old, &o)
	c.revision++
	delete(c.objects, key)
	c.record(ns, watch.Deleted, encode(ns, name, string(o.UID), c.revision, "last"))
}

func (c *collection) record(ns string, typ watch.EventType, data []byte) {
	c.history = append(c.history, recorded{c.revision, ns, informer.Event{Type: typ, Object: data}})
	close(c.changed)
	c.changed = make(chan struct{})
}

// kick breaks all watches; forget makes them start from a list again.
func (c *collection) kick(forget bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if forget {
		c.compacted = c.revision
	}
	close(c.kicked)
	c.kicked = make(chan struct{})
}

func (c *collection) List(_ context.Context, scope informer.Scope, opts metav1.ListOptions) (informer.Page, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lists++
	if c.absent {
		return informer.Page{}, apierrors.NewNotFound(schema.GroupResource{Resource: "widgets"}, "")
	}
	if err := c.fault("list"); err != nil {
		return informer.Page{}, err
	}
	keys := c.keys(scope)
	if opts.Continue != "" {
		// A token names the revision and the last key; this server lists exactly or not at all.
		rev, last, _ := strings.Cut(opts.Continue, ":")
		if rev != strconv.Itoa(c.revision) {
			return informer.Page{}, apierrors.NewResourceExpired("token")
		}
		at, _ := slices.BinarySearch(keys, last+"\x00")
		keys = keys[at:]
	}
	page := informer.Page{ResourceVersion: strconv.Itoa(c.revision)}
	if n := int(opts.Limit); n > 0 && n < len(keys) {
		keys = keys[:n]
		page.Continue = page.ResourceVersion + ":" + keys[n-1]
	}
	for _, k := range keys {
		page.Items = append(page.Items, c.objects[k])
	}
	return page, nil
}

// keys of the objects in a scope.
func (c *collection) keys(scope informer.Scope) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(c.objects)), func(key string) bool {
		return scope.Namespace != "" && !strings.HasPrefix(key, scope.Namespace+"/")
	})
}

func (c *collection) Watch(_ context.Context, scope informer.Scope, opts metav1.ListOptions) (informer.Stream, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.opens++
	if c.absent {
		return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "widgets"}, "")
	}
	if err := c.fault("watch"); err != nil {
		return nil, err
	}
	s := &stream{c: c, namespace: scope.Namespace, closed: make(chan struct{}), kicked: c.kicked}
	if opts.SendInitialEvents != nil {
		if c.noStreaming {
			return nil, apierrors.NewInvalid(widgets.GroupKind(), "", nil)
		}
		for _, k := range c.keys(scope) {
			s.ready = append(s.ready, informer.Event{Type: watch.Added, Object: c.objects[k]})
		}
		s.ready = append(s.ready, bookmark(c.revision, true))
		s.revision = c.revision
		return s, nil
	}
	s.revision, _ = strconv.Atoi(opts.ResourceVersion)
	if s.revision < c.compacted {
		return nil, apierrors.NewResourceExpired("too old")
	}
	return s, nil
}

func bookmark(revision int, initial bool) informer.Event {
	annotations := ""
	if initial {
		annotations = `,"annotations":{"k8s.io/initial-events-end":"true"}`
	}
	return informer.Event{Type: watch.Bookmark, Object: fmt.Appendf(nil,
		`{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"resourceVersion":"%d"%s}}`, revision, annotations)}
}

type stream struct {
	c         *collection
	namespace string
	ready     []informer.Event
	revision  int
	closed    chan struct{}
	once      sync.Once
	kicked    chan struct{}
}

func (s *stream) Close() { s.once.Do(func() { close(s.closed) }) }

func (s *stream) Next(ctx context.Context) (informer.Event, error) {
	for {
		event, changed, err := s.poll()
		if err == nil && event.Type != "" {
			return event, nil
		}
		if err != nil && !errors.Is(err, errSilence) {
			return event, err
		}
		kicked := s.kicked
		if errors.Is(err, errSilence) {
			changed, kicked = nil, nil
		}
		select {
		case <-changed:
		case <-kicked:
			return event, io.EOF
		case <-s.closed:
			return event, io.ErrClosedPipe
		case <-ctx.Done():
			return event, ctx.Err()
		}
	}
}

func (s *stream) poll() (event informer.Event, changed chan struct{}, err error) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if err := s.c.fault("next"); err != nil {
		var status apierrors.APIStatus
		if errors.As(err, &status) {
			raw, _ := json.Marshal(status.Status())
			return informer.Event{Type: watch.Error, Object: raw}, nil, nil
		}
		return event, nil, err
	}
	if len(s.ready) > 0 {
		event, s.ready = s.ready[0], s.ready[1:]
		return event, nil, nil
	}
	if s.revision < s.c.compacted {
		return event, nil, apierrors.NewResourceExpired("fell behind")
	}
	at, _ := slices.BinarySearchFunc(s.c.history, s.revision+1, func(r recorded, rev int) int { return r.revision - rev })
	if at < len(s.c.history) {
		r := s.c.history[at]
		s.revision = r.revision
		if s.namespace != "" && r.namespace != s.namespace {
			return bookmark(r.revision, false), nil, nil // as real servers do, if not as often
		}
		if rand.IntN(3) == 0 { // bookmarks, now and then twice
			s.ready = append(s.ready, bookmark(r.revision, false), bookmark(r.revision, false))
		}
		return r.event, nil, nil
	}
	return event, s.c.changed, nil
}
