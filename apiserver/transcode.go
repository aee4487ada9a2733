package apiserver

import (
	"context"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/apiserver/storage"
)

// transcoding is a store in which kube-apiserver has written, too: it keeps built-in kinds as protobuf, and here they are
// read as the canonical JSON that this server writes (which kube-apiserver reads as well). What cannot be read is passed
// on as it is: whoever decodes it knows the key to complain of.
type transcoding struct {
	storage.Store
	kinds map[string]*resource.Definition // the built-in ones, by key prefix; those of the keeper where one keeps others
}

func newTranscoding(s storage.Store, catalog *resource.Catalog) *transcoding {
	t := &transcoding{Store: s, kinds: map[string]*resource.Definition{}}
	for d := range catalog.All() {
		if !d.Custom && d.Keeper == nil {
			t.kinds[d.Prefix] = d
		}
	}
	return t
}

// Get implements storage.Store.
func (t *transcoding) Get(ctx context.Context, key string, o storage.GetOptions) (storage.GetResponse, error) {
	r, err := t.Store.Get(ctx, key, o)
	if r.KV != nil && resource.IsProtobuf(r.KV.Value) {
		kv := *r.KV
		kv.Value = t.value(kv.Key, kv.Value)
		r.KV = &kv
	}
	return r, err
}

// List implements storage.Store.
func (t *transcoding) List(ctx context.Context, prefix string, o storage.ListOptions) (storage.ListResponse, error) {
	r, err := t.Store.List(ctx, prefix, o)
	for i := range r.KVs { // the slice is ours, the values are not
		if kv := &r.KVs[i]; resource.IsProtobuf(kv.Value) {
			kv.Value = t.value(kv.Key, kv.Value)
		}
	}
	return r, err
}

// Put implements storage.Store: a conflict shows what stands at the key.
func (t *transcoding) Put(ctx context.Context, key string, value []byte, expected storage.Revision, o storage.PutOptions) (storage.Revision, error) {
	rev, err := t.Store.Put(ctx, key, value, expected, o)
	return rev, t.conflict(err)
}

// Delete implements storage.Store.
func (t *transcoding) Delete(ctx context.Context, key string, expected storage.Revision) (storage.Revision, error) {
	rev, err := t.Store.Delete(ctx, key, expected)
	return rev, t.conflict(err)
}

// Watch implements storage.Store. Its channel has the room of one response, which is being read while the next is
// waited for.
func (t *transcoding) Watch(ctx context.Context, prefix string, o storage.WatchOptions) <-chan storage.WatchResponse {
	in, out := t.Store.Watch(ctx, prefix, o), make(chan storage.WatchResponse, 1)
	go func() {
		defer close(out)
		for r := range in {
			t.events(&r)
			select {
			case out <- r:
			case <-ctx.Done():
				for range in { // its sender ends with ctx
				}
				return
			}
		}
	}()
	return out
}

// events transcodes those of a response. The slice may be shared with other watches: it is copied before it is changed.
func (t *transcoding) events(r *storage.WatchResponse) {
	copied := false
	for i := range r.Events {
		if !resource.IsProtobuf(r.Events[i].KV.Value) {
			continue
		}
		if !copied {
			r.Events, copied = slices.Clone(r.Events), true
		}
		kv := &r.Events[i].KV
		kv.Value = t.value(kv.Key, kv.Value)
	}
}

func (t *transcoding) conflict(err error) error {
	if lost, ok := err.(*storage.ConflictError); ok && lost.Current != nil && resource.IsProtobuf(lost.Current.Value) { //nolint:errorlint // as backends return it
		kv := *lost.Current
		kv.Value = t.value(kv.Key, kv.Value)
		return &storage.ConflictError{Key: lost.Key, Expected: lost.Expected, Current: &kv}
	}
	return err
}

// value returns the JSON of a value in protobuf.
func (t *transcoding) value(key string, value []byte) []byte {
	d := t.kindOf(key)
	if d == nil {
		return value
	}
	envelope, err := resource.OpenProtobuf(value)
	if err != nil {
		return value
	}
	gv, err := schema.ParseGroupVersion(envelope.APIVersion)
	if err != nil {
		return value
	}
	v := d.Version(gv.Version)
	if v == nil {
		return value
	}
	obj, err := resource.DecodeProtobuf(envelope, v)
	if err != nil {
		return value
	}
	v.Schema.Prune(obj) // into the form that is stored here
	v.Schema.Default(obj)
	if data, err := resource.Encode(obj); err == nil {
		return data
	}
	return value
}

// kindOf finds the kind whose objects are kept under a key's prefix: of two or three parts.
func (t *transcoding) kindOf(key string) *resource.Definition {
	end := 0
	for range 4 {
		i := strings.IndexByte(key[end:], '/')
		if i < 0 {
			return nil
		}
		end += i + 1
		if d := t.kinds[key[:end]]; d != nil {
			return d
		}
	}
	return nil
}
