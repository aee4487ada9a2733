package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// Direct is a Client whose every call is a request to the server. Source makes informers of it. Its methods are
// safe for concurrent use.
type Direct struct {
	base      *url.URL
	transport http.RoundTripper
	who       *identity
	timeout   time.Duration
	scheme    *kruntime.Scheme
	owner     string
	onWarning func(ctx context.Context, text string) // nil: nobody
	kinds     *mapper
}

var _ Client = (*Direct)(nil)

// New makes a Direct. It sends nothing. Errors: a Config that makes no sense, or names files that cannot be read.
func New(cfg Config, opts Options) (*Direct, error) {
	base, err := cfg.base()
	if err != nil {
		return nil, err
	}
	transport, err := cfg.transport()
	if err != nil {
		return nil, err
	}
	if opts.Scheme == nil {
		opts.Scheme = kruntime.NewScheme()
	}
	d := &Direct{
		base: base, transport: transport, who: newIdentity(cfg), timeout: cfg.Timeout, scheme: opts.Scheme, owner: opts.FieldOwner,
		onWarning: opts.OnWarning,
	}
	d.kinds = newMapper(d.discover)
	return d, nil
}

// discover gets a document of discovery.
func (d *Direct) discover(ctx context.Context, path string, into any) error {
	data, _, err := d.do(ctx, request{method: http.MethodGet, path: path, accept: jsonType})
	if err == nil {
		err = decodeJSON(data, into)
	}
	return err
}

// Scheme of the typed objects.
func (d *Direct) Scheme() *kruntime.Scheme { return d.scheme }

// FieldOwner of writes that name none.
func (d *Direct) FieldOwner() string { return d.owner }

// GVKFor is the group, version and kind of an object or list; of a list, the kind of its items.
func (d *Direct) GVKFor(obj kruntime.Object) (schema.GroupVersionKind, error) {
	gvk := obj.GetObjectKind().GroupVersionKind()
	switch obj.(type) {
	case kruntime.Unstructured, *metav1.PartialObjectMetadata, *metav1.PartialObjectMetadataList:
		if gvk.Kind == "" || gvk.Version == "" {
			return gvk, fmt.Errorf("client: a %T without apiVersion or kind", obj)
		}
	default:
		gvks, _, err := d.scheme.ObjectKinds(obj)
		if err != nil {
			return gvk, fmt.Errorf("client: %w", err)
		}
		if len(gvks) > 1 && gvk.Kind != "" {
			gvks = []schema.GroupVersionKind{gvk}
		}
		gvk = gvks[0]
	}
	if meta.IsListType(obj) {
		gvk.Kind = strings.TrimSuffix(gvk.Kind, "List")
	}
	return gvk, nil
}

// MappingFor is where the server serves a kind. Errors: *meta.NoKindMatchError, and those of discovery.
func (d *Direct) MappingFor(ctx context.Context, gvk schema.GroupVersionKind) (Mapping, error) {
	k, err := d.kinds.find(ctx, gvk)
	if err != nil {
		return Mapping{}, err
	}
	return k.Mapping, nil
}

// VersionsOf a resource are those in which the server serves it, preferred ones first; none where it does not. It asks
// the server each time. Errors: those of discovery.
func (d *Direct) VersionsOf(ctx context.Context, gr schema.GroupResource) ([]Served, error) {
	return d.kinds.resource(ctx, gr)
}

// path of a collection, or of an object where name is not "".
func (m Mapping) path(namespace, name, subresource string) string {
	var b strings.Builder
	b.WriteString(groupPath(m.Resource.Group) + "/" + m.Resource.Version)
	if m.Namespaced && namespace != "" {
		b.WriteString("/namespaces/" + namespace)
	}
	b.WriteString("/" + m.Resource.Resource)
	for _, part := range []string{name, subresource} {
		if part != "" {
			b.WriteString("/" + part)
		}
	}
	return b.String()
}

// target is an object's place on the server.
type target struct {
	gvk schema.GroupVersionKind
	*kind
	key ObjectKey
	// answer is what the server answers with, where that is not of gvk: a subresource.
	answer schema.GroupVersionKind
}

func (d *Direct) target(ctx context.Context, obj kruntime.Object, key ObjectKey, named bool) (target, error) {
	gvk, err := d.GVKFor(obj)
	if err != nil {
		return target{}, err
	}
	m, err := d.kinds.find(ctx, gvk)
	if err != nil {
		return target{}, err
	}
	switch {
	case named && key.Name == "":
		err = fmt.Errorf("client: %s: the name is empty", gvk.Kind)
	case named && m.Namespaced && key.Namespace == "":
		err = fmt.Errorf("client: %s %s: the namespace is empty", gvk.Kind, key.Name)
	case strings.ContainsAny(key.Namespace+key.Name, "/%?#"), key.Name == "..", key.Name == ".", key.Namespace == "..":
		err = fmt.Errorf("client: %s: %q is no name", gvk.Kind, key)
	}
	return target{gvk: gvk, kind: m, key: key}, err
}

// exchange sends r about t and decodes the answer into obj, where that is not nil.
func (d *Direct) exchange(ctx context.Context, t target, r request, obj kruntime.Object) error {
	r.accept = acceptable(obj)
	data, contentType, err := d.do(ctx, r)
	if err != nil {
		if wrongPlace(err) {
			d.kinds.forget(t.gvk)
		}
		return err
	}
	if obj == nil {
		return nil
	}
	if err := decode(data, contentType, obj); err != nil {
		return &Error{r.method, r.path, fmt.Errorf("decoding the answer: %w", err)}
	}
	if t.answer.Kind != "" {
		name(obj, t.answer)
		return nil
	}
	t.learn(contentType, obj)
	name(obj, t.gvk)
	return nil
}

// learn that the server speaks protobuf. Metadata it can have in protobuf of objects that it has in JSON only.
func (k *kind) learn(contentType string, obj kruntime.Object) {
	if !isProtobuf(contentType) || k.protobuf.Load() {
		return
	}
	switch obj.(type) {
	case *metav1.PartialObjectMetadata, *metav1.PartialObjectMetadataList:
		return
	}
	k.protobuf.Store(true)
}

// name writes the kind into an object, or a list and its items, which servers leave out or give as that of
// PartialObjectMetadata.
func name(obj kruntime.Object, gvk schema.GroupVersionKind) {
	if !meta.IsListType(obj) {
		obj.GetObjectKind().SetGroupVersionKind(gvk)
		return
	}
	_ = meta.EachListItem(obj, func(item kruntime.Object) error {
		item.GetObjectKind().SetGroupVersionKind(gvk)
		return nil
	})
	gvk.Kind += "List"
	obj.GetObjectKind().SetGroupVersionKind(gvk)
}

// defaults of a write.
func (d *Direct) writeOptions(opts []WriteOption) WriteOptions {
	o := WriteOptions{FieldOwner: d.owner}
	for _, opt := range opts {
		opt.applyToWrite(&o)
	}
	return o
}

// setBody encodes obj, which is of kind gvk, for t. Servers that have shown that they speak protobuf get it, but where
// fields are to be validated: in protobuf there are no names that could be wrong.
func (r *request) setBody(t target, obj Object, gvk schema.GroupVersionKind, o *WriteOptions) (err error) {
	r.body, r.contentType, err = encode(obj, gvk, t.kind.protobuf.Load() && o.FieldValidation == "")
	return err
}

// put sends obj, or a patch of it, to its place.
func (d *Direct) put(ctx context.Context, method, subresource string, obj Object, patch Patch, opts []WriteOption) error {
	t, err := d.target(ctx, obj, KeyOf(obj), true)
	if err != nil {
		return err
	}
	o := d.writeOptions(opts)
	r := request{method: method, path: t.path(t.key.Namespace, t.key.Name, subresource), query: o.query(patch != nil)}
	if patch == nil {
		err = r.setBody(t, obj, t.gvk, &o)
	} else {
		r.contentType = string(patch.Type())
		r.body, err = patch.Data(obj)
	}
	if err != nil {
		return err
	}
	if r.contentType == string(types.ApplyPatchType) && o.FieldOwner == "" {
		return errors.New("client: Apply needs a FieldOwner")
	}
	return d.exchange(ctx, t, r, obj)
}

// applyPatch is an object as a server-side apply patch.
type applyPatch struct{ gvk schema.GroupVersionKind }

func (applyPatch) Type() types.PatchType { return types.ApplyPatchType }
func (p applyPatch) Data(obj Object) ([]byte, error) {
	obj.SetManagedFields(nil) // the server refuses them in an apply
	data, _, err := encode(obj, p.gvk, false)
	return data, err
}

// Known is MappingFor without asking the server.
func (d *Direct) Known(gvk schema.GroupVersionKind) (Mapping, bool) {
	if k := d.kinds.known(gvk); k != nil {
		return k.Mapping, true
	}
	return Mapping{}, false
}
