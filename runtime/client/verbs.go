package client

import (
	"context"
	"encoding/json"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Get reads the object of key into obj.
func (d *Direct) Get(ctx context.Context, key ObjectKey, obj Object) error {
	t, err := d.target(ctx, obj, key, true)
	if err != nil {
		return err
	}
	return d.exchange(ctx, t, request{method: http.MethodGet, path: t.path(key.Namespace, key.Name, "")}, obj)
}

// List reads a collection, or the page of it that Limit and Continue ask for.
func (d *Direct) List(ctx context.Context, list ObjectList, opts ...ListOption) error {
	o := listOptionsOf(opts)
	t, err := d.target(ctx, list, ObjectKey{Namespace: o.namespace}, false)
	if err != nil {
		return err
	}
	return d.exchange(ctx, t, request{method: http.MethodGet, path: t.path(o.namespace, "", ""), query: listQuery(o.ListOptions)}, list)
}

func listOptionsOf(opts []ListOption) listOptions {
	var o listOptions
	for _, opt := range opts {
		opt.applyToList(&o)
	}
	return o
}

// Create makes the object; its name may be left to the server by generateName.
func (d *Direct) Create(ctx context.Context, obj Object, opts ...WriteOption) error {
	t, err := d.target(ctx, obj, KeyOf(obj), obj.GetGenerateName() == "")
	if err != nil {
		return err
	}
	o := d.writeOptions(opts)
	r := request{method: http.MethodPost, path: t.path(obj.GetNamespace(), "", ""), query: o.query(false)}
	if err := r.setBody(t, obj, t.gvk, &o); err != nil {
		return err
	}
	return d.exchange(ctx, t, r, obj)
}

// Update replaces the object.
func (d *Direct) Update(ctx context.Context, obj Object, opts ...WriteOption) error {
	return d.put(ctx, http.MethodPut, "", obj, nil, opts)
}

// Patch changes the object as the patch says.
func (d *Direct) Patch(ctx context.Context, obj Object, patch Patch, opts ...WriteOption) error {
	return d.put(ctx, http.MethodPatch, "", obj, patch, opts)
}

// Apply makes or changes the object by server-side apply.
func (d *Direct) Apply(ctx context.Context, obj Object, opts ...WriteOption) error {
	return d.apply(ctx, "", obj, opts)
}

func (d *Direct) apply(ctx context.Context, subresource string, obj Object, opts []WriteOption) error {
	gvk, err := d.GVKFor(obj)
	if err != nil {
		return err
	}
	return d.put(ctx, http.MethodPatch, subresource, obj, applyPatch{gvk}, opts)
}

// DeleteAllOf deletes the objects of obj's kind that opts choose.
func (d *Direct) DeleteAllOf(ctx context.Context, obj Object, opts ...DeleteAllOfOption) error {
	var list listOptions
	var o metav1.DeleteOptions
	deletes := 0
	for _, opt := range opts {
		switch opt := opt.(type) {
		case ListOption:
			opt.applyToList(&list)
		case DeleteOption:
			opt.applyToDelete(&o)
			deletes++
		}
	}
	t, err := d.target(ctx, obj, ObjectKey{Namespace: list.namespace}, false)
	if err != nil {
		return err
	}
	r := request{method: http.MethodDelete, path: t.path(list.namespace, "", ""), query: listQuery(list.ListOptions)}
	if err := r.setDelete(o, deletes); err != nil {
		return err
	}
	return d.exchange(ctx, t, r, nil)
}

func (r *request) setDelete(o metav1.DeleteOptions, given int) (err error) {
	if given == 0 {
		return nil
	}
	o.APIVersion, o.Kind = "v1", "DeleteOptions"
	r.contentType = jsonType
	r.body, err = json.Marshal(o)
	return err
}

// Status is the subresource "status".
func (d *Direct) Status() SubResourceClient { return subresource{d, "status"} }

// SubResource works on a subresource, such as "scale".
func (d *Direct) SubResource(name string) SubResourceClient { return subresource{d, name} }

type subresource struct {
	d    *Direct
	name string
}

func (s subresource) Get(ctx context.Context, obj, body Object) error {
	return s.exchange(ctx, http.MethodGet, obj, body, nil)
}

func (s subresource) Create(ctx context.Context, obj, body Object, opts ...WriteOption) error {
	o := s.d.writeOptions(opts)
	return s.exchange(ctx, http.MethodPost, obj, body, &o)
}

// exchange sends body, where there are WriteOptions, and decodes the answer into it.
func (s subresource) exchange(ctx context.Context, method string, obj, body Object, o *WriteOptions) error {
	t, err := s.d.target(ctx, obj, KeyOf(obj), true)
	if err != nil {
		return err
	}
	r := request{method: method, path: t.path(t.key.Namespace, t.key.Name, s.name)}
	of := t.gvk
	if body == nil {
		body = obj
	} else if of, err = s.d.GVKFor(body); err != nil {
		return err
	} else {
		t.answer = of
	}
	if o != nil {
		r.query = o.query(false)
		if err := r.setBody(t, body, of, o); err != nil {
			return err
		}
	}
	return s.d.exchange(ctx, t, r, body)
}

func (s subresource) Update(ctx context.Context, obj Object, opts ...WriteOption) error {
	return s.d.put(ctx, http.MethodPut, s.name, obj, nil, opts)
}

func (s subresource) Patch(ctx context.Context, obj Object, patch Patch, opts ...WriteOption) error {
	return s.d.put(ctx, http.MethodPatch, s.name, obj, patch, opts)
}

func (s subresource) Apply(ctx context.Context, obj Object, opts ...WriteOption) error {
	return s.d.apply(ctx, s.name, obj, opts)
}
