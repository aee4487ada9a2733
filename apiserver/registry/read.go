package registry

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/watchcache"
)

// Get returns one object in the target's version. resourceVersion "" reads the latest state, "0" whatever is at
// hand, N a state not older than N. Errors: NotFound, BadRequest, Timeout, and those of the store.
func (r *Registry) Get(ctx context.Context, t Target, resourceVersion string) ([]byte, error) {
	fresh, err := freshness(resourceVersion)
	if err != nil {
		return nil, err
	}
	e, at, err := r.readerOf(&t).Get(ctx, t.key(t.Name), fresh)
	if err != nil {
		return nil, t.readError(err, fresh.AtLeast, at)
	}
	if e == nil {
		return nil, t.notFound(t.Name)
	}
	data, err := t.encodeEntry(ctx, e)
	return data, t.showError(e.Key, err)
}

// Entry returns the cached entry of one object at its latest state, nil where there is none.
func (r *Registry) Entry(ctx context.Context, d *resource.Definition, namespace, name string) (*watchcache.Entry, error) {
	t := Target{Def: d, Namespace: namespace, Name: name}
	e, _, err := r.reader(d).Get(ctx, t.key(name), watchcache.Freshness{Latest: true})
	return e, t.storeError(err)
}

func freshness(resourceVersion string) (watchcache.Freshness, error) {
	rev, err := ParseRevision(resourceVersion)
	if err != nil {
		return watchcache.Freshness{}, plainError("resourceVersion: " + err.Error()) // lists have looked at it before
	}
	return watchcache.Freshness{Latest: resourceVersion == "", AtLeast: rev}, nil
}

func (t *Target) readError(err error, asked, current storage.Revision) error {
	if errors.Is(err, watchcache.ErrTimeout) && asked > 0 {
		return tooLargeRevision(asked, current)
	}
	return t.storeError(err)
}

// ListOptions select and cut a list; see metav1.ListOptions for their meaning.
type ListOptions struct {
	Selection
	ResourceVersion      string
	ResourceVersionMatch metav1.ResourceVersionMatch
	Limit                int64
	Continue             string
}

// List is the answer to a list request: entries by reference, so that a long list costs pointers until it is
// written out.
type List struct {
	Revision  storage.Revision
	Continue  string
	Shards    string // the selector of shards that was applied; "" for none
	Remaining *int64 // objects after the last one, where that is known (no selector)
	items     []*watchcache.Entry
	deleted   bool // they are gone, and shown as far as that goes
	target    Target
}

// Len is the number of objects in the list.
func (l *List) Len() int { return len(l.items) }

// Entries yields the cached entries of the list.
func (l *List) Entries() iter.Seq[*watchcache.Entry] {
	return func(yield func(*watchcache.Entry) bool) {
		for _, e := range l.items {
			if !yield(e) {
				return
			}
		}
	}
}

// Objects yields the objects in the target's version, encoded.
func (l *List) Objects(ctx context.Context) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, e := range l.items {
			if l.deleted {
				if !yield(l.target.lastForm(ctx, e), nil) {
					return
				}
				continue
			}
			data, err := l.target.encodeEntry(ctx, e)
			if !yield(data, l.target.showError(e.Key, err)) || err != nil {
				return
			}
		}
	}
}

// List reads a collection. Errors: BadRequest, Expired (410), Timeout, StorageReadError (500) where objects cannot be
// shown in the target's version, and those of the store.
func (r *Registry) List(ctx context.Context, t Target, o ListOptions) (*List, error) {
	l, err := r.collect(ctx, t, o)
	if err != nil {
		return nil, err
	}
	if o.Shards != nil {
		l.Shards = o.Shards.String()
	}
	return l, t.prepare(ctx, l.items)
}

// collect is List without what it takes to show the objects.
func (r *Registry) collect(ctx context.Context, t Target, o ListOptions) (*List, error) {
	sel, err := t.makeSelector(ctx, &o.Selection)
	if err != nil {
		return nil, err
	}
	fresh, err := freshness(o.ResourceVersion)
	if err != nil {
		return nil, err
	}
	reader := r.readerOf(&t)
	start := ""
	exact := storage.Revision(0)
	switch {
	case o.Continue != "":
		if start, exact, err = decodeContinue(o.Continue, t.prefix()); err != nil {
			return nil, err
		}
	case o.ResourceVersionMatch == metav1.ResourceVersionMatchExact:
		exact = fresh.AtLeast
	case o.ResourceVersionMatch == "" && o.Limit > 0 && fresh.AtLeast > 0:
		exact = fresh.AtLeast // Kubernetes' rule for a first page at a revision
	}
	if exact > 0 {
		if s, ok := reader.SnapshotAt(exact); ok {
			return t.listSnapshot(ctx, s, sel, start, o.Limit)
		}
		return r.listStore(ctx, &t, sel, start, exact, o.Limit)
	}
	if exact < 0 { // an inconsistent continuation: go on at the latest state
		fresh = watchcache.Freshness{Latest: true}
	}
	s, err := reader.Snapshot(ctx, fresh)
	if err != nil {
		current := storage.Revision(0)
		if s != nil {
			current = s.Revision()
		}
		return nil, t.readError(err, fresh.AtLeast, current)
	}
	return t.listSnapshot(ctx, s, sel, start, o.Limit)
}

func (t *Target) listSnapshot(ctx context.Context, s *watchcache.Snapshot, sel *selector, start string, limit int64) (*List, error) {
	l := &List{Revision: s.Revision(), target: *t}
	if sel.name != "" && (t.Namespace != "" || !t.Def.Namespaced) {
		if e := s.Get(t.key(sel.name)); e != nil && sel.matches(e) {
			l.items = append(l.items, e)
		}
		return l, nil
	}
	prefix := t.prefix()
	if sel.converts != nil {
		if err := sel.converts.prepare(ctx, slices.Collect(s.Range(prefix, start))); err != nil {
			return nil, err
		}
	}
	if sel.all() && limit == 0 && prefix == t.Def.Prefix {
		l.items = make([]*watchcache.Entry, 0, s.Len())
	}
	rest := int64(0)
	for e := range s.Range(prefix, start) {
		if !sel.matches(e) {
			continue
		}
		if limit > 0 && int64(len(l.items)) == limit {
			if rest++; !sel.all() {
				break
			}
			continue
		}
		l.items = append(l.items, e)
	}
	if rest > 0 {
		l.cut(prefix, sel, rest)
		s.Keep()
	}
	return l, nil
}

// cut ends a page: rest objects follow its last item.
func (l *List) cut(prefix string, sel *selector, rest int64) {
	l.Continue = encodeContinue(l.items[len(l.items)-1].Key, prefix, l.Revision)
	if sel.all() {
		l.Remaining = &rest
	}
}

// storePage is how many keys one read of the store's history fetches.
const storePage = 500

// listStore reads a page from the store's history, for revisions that the cache does not hold any more.
func (r *Registry) listStore(ctx context.Context, t *Target, sel *selector, start string, at storage.Revision, limit int64) (*List, error) {
	l := &List{Revision: at, target: *t}
	cfg := r.decoder(t.Def)
	prefix := t.prefix()
	for {
		page, err := r.store.List(ctx, prefix, storage.ListOptions{Revision: at, Limit: storePage, Start: start})
		if errors.Is(err, storage.ErrFutureRevision) {
			current, _ := r.store.Revision(ctx)
			return nil, tooLargeRevision(at, current)
		}
		if err != nil {
			return nil, t.storeError(err)
		}
		for i, kv := range page.KVs {
			data, p, err := cfg(kv)
			if err != nil {
				continue // as in the cache: what cannot be read is not listed
			}
			e := &watchcache.Entry{Key: kv.Key, Revision: kv.ModRevision, Created: kv.CreateRevision, Data: data, Projection: p}
			if !sel.matches(e) {
				continue
			}
			if limit > 0 && int64(len(l.items)) == limit {
				l.cut(prefix, sel, page.Remaining+int64(len(page.KVs)-i))
				return l, nil
			}
			l.items = append(l.items, e)
		}
		if page.Remaining == 0 || len(page.KVs) == 0 {
			return l, nil
		}
		start = page.KVs[len(page.KVs)-1].Key + "\x00"
	}
}

// continueToken has the form of Kubernetes' own, so that a client can move between servers in mid-list.
type continueToken struct {
	APIVersion      string `json:"v"`
	ResourceVersion int64  `json:"rv"`
	StartKey        string `json:"start"`
}

func encodeContinue(lastKey, prefix string, rev storage.Revision) string {
	raw, _ := json.Marshal(continueToken{"meta.k8s.io/v1", int64(rev), strings.TrimPrefix(lastKey, prefix) + "\x00"})
	return base64.RawURLEncoding.EncodeToString(raw)
}

func decodeContinue(token, prefix string) (start string, at storage.Revision, err error) {
	bad := func(why any) (string, storage.Revision, error) {
		return "", 0, apierrors.NewBadRequest(fmt.Sprintf("invalid continue token: continue key is not valid: %v", why))
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return bad(err)
	}
	var c continueToken
	if err := json.Unmarshal(raw, &c); err != nil {
		return bad(err)
	}
	if c.APIVersion != "meta.k8s.io/v1" {
		return bad(fmt.Sprintf("server does not recognize this encoded version %q", c.APIVersion))
	}
	if c.ResourceVersion == 0 {
		return bad("incorrect encoded start resourceVersion (version meta.k8s.io/v1)")
	}
	if c.StartKey == "" {
		return bad("encoded start key empty (version meta.k8s.io/v1)")
	}
	// A key that tries to leave the prefix is refused, whatever it would have read.
	for _, part := range strings.Split(strings.TrimSuffix(c.StartKey, "\x00"), "/") {
		if part == ".." || part == "." {
			return bad(fmt.Sprintf("encoded start key %q", c.StartKey))
		}
	}
	return prefix + strings.TrimPrefix(c.StartKey, "/"), storage.Revision(c.ResourceVersion), nil
}
