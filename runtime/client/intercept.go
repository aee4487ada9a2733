package client

import (
	"context"
	"fmt"
	"slices"

	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Verb is what a Call does; the words are those of Kubernetes' authorization.
type Verb string

// The verbs. Apply is a patch to the server; here it is a verb of its own.
const (
	VerbGet              Verb = "get"
	VerbList             Verb = "list"
	VerbWatch            Verb = "watch"
	VerbCreate           Verb = "create"
	VerbUpdate           Verb = "update"
	VerbPatch            Verb = "patch"
	VerbApply            Verb = "apply"
	VerbDelete           Verb = "delete"
	VerbDeleteCollection Verb = "deletecollection"
)

// Writes says whether the verb changes anything.
func (v Verb) Writes() bool { return v != VerbGet && v != VerbList && v != VerbWatch }

// Call is one call of a Client's method, as an Interceptor sees it. What an Interceptor changes in it before next,
// next sees. The slices of options may be appended to.
type Call struct {
	Verb        Verb
	Subresource string // "status", "scale", ...; "" for the object itself
	Kind        schema.GroupVersionKind
	// Key names the object. Of a collection it has the namespace only, as the options say, "" for all. To change it
	// changes what Get reads; elsewhere the object and the options count.
	Key ObjectKey
	// Object is what the method was given: an Object, an ObjectList where the verb is List or Watch.
	Object kruntime.Object
	// Body of the subresource, where it is not the object.
	Body  Object
	Patch Patch

	ListOptions   []ListOption   // of List, Watch and DeleteCollection
	WriteOptions  []WriteOption  // of Create, Update, Patch and Apply
	DeleteOptions []DeleteOption // of Delete and DeleteCollection

	// Watch is what the verb of this name has opened, once next has returned.
	Watch *Watch
}

// String is the call in a line, such as "update Pod default/web".
func (c *Call) String() string {
	kind := c.Kind.Kind
	if c.Subresource != "" {
		kind += "/" + c.Subresource
	}
	name := c.Key.Name
	if c.Key.Namespace != "" {
		name = c.Key.Namespace + "/" + name
	}
	if name == "" {
		return fmt.Sprintf("%s %s", c.Verb, kind)
	}
	return fmt.Sprintf("%s %s %s", c.Verb, kind, name)
}

// Interceptor stands between a Client's caller and the Client. It calls next to go on, once, never or as often as it
// likes; what it returns the caller gets.
type Interceptor func(ctx context.Context, call *Call, next func(context.Context) error) error

// Intercept is c with interceptors before each call: the first sees a call first. Scheme, GVKFor and MappingFor are
// not calls.
func Intercept(c Client, interceptors ...Interceptor) Client {
	for _, i := range slices.Backward(interceptors) {
		c = &intercepted{c, i}
	}
	return c
}

type intercepted struct {
	Client
	interceptor Interceptor
}

// call has the interceptor decide about a call, whose last step is do.
func (c *intercepted) call(ctx context.Context, call *Call, do func(context.Context) error) error {
	var err error
	if call.Kind, err = c.GVKFor(call.Object); err != nil {
		return err
	}
	return c.interceptor(ctx, call, do)
}

func (c *intercepted) Get(ctx context.Context, key ObjectKey, obj Object) error {
	call := &Call{Verb: VerbGet, Key: key, Object: obj}
	return c.call(ctx, call, func(ctx context.Context) error { return c.Client.Get(ctx, call.Key, obj) })
}

func (c *intercepted) List(ctx context.Context, list ObjectList, opts ...ListOption) error {
	call := &Call{Verb: VerbList, Object: list, Key: ObjectKey{Namespace: listOptionsOf(opts).namespace}, ListOptions: slices.Clip(opts)}
	return c.call(ctx, call, func(ctx context.Context) error { return c.Client.List(ctx, list, call.ListOptions...) })
}

func (c *intercepted) Watch(ctx context.Context, list ObjectList, opts ...ListOption) (*Watch, error) {
	call := &Call{Verb: VerbWatch, Object: list, Key: ObjectKey{Namespace: listOptionsOf(opts).namespace}, ListOptions: slices.Clip(opts)}
	err := c.call(ctx, call, func(ctx context.Context) (err error) {
		call.Watch, err = c.Client.Watch(ctx, list, call.ListOptions...)
		return err
	})
	if err != nil && call.Watch != nil {
		call.Watch.Close()
		call.Watch = nil
	}
	return call.Watch, err
}

func (c *intercepted) Create(ctx context.Context, obj Object, opts ...WriteOption) error {
	return c.write(ctx, &Call{Verb: VerbCreate, Object: obj}, opts, func(ctx context.Context, call *Call) error {
		return c.Client.Create(ctx, obj, call.WriteOptions...)
	})
}

func (c *intercepted) Update(ctx context.Context, obj Object, opts ...WriteOption) error {
	return c.write(ctx, &Call{Verb: VerbUpdate, Object: obj}, opts, func(ctx context.Context, call *Call) error {
		return c.Client.Update(ctx, obj, call.WriteOptions...)
	})
}

func (c *intercepted) Patch(ctx context.Context, obj Object, patch Patch, opts ...WriteOption) error {
	return c.write(ctx, &Call{Verb: VerbPatch, Object: obj, Patch: patch}, opts, func(ctx context.Context, call *Call) error {
		return c.Client.Patch(ctx, obj, call.Patch, call.WriteOptions...)
	})
}

func (c *intercepted) Apply(ctx context.Context, obj Object, opts ...WriteOption) error {
	return c.write(ctx, &Call{Verb: VerbApply, Object: obj}, opts, func(ctx context.Context, call *Call) error {
		return c.Client.Apply(ctx, obj, call.WriteOptions...)
	})
}

func (c *intercepted) write(ctx context.Context, call *Call, opts []WriteOption, do func(context.Context, *Call) error) error {
	call.Key, call.WriteOptions = KeyOf(call.Object.(Object)), slices.Clip(opts)
	return c.call(ctx, call, func(ctx context.Context) error { return do(ctx, call) })
}

func (c *intercepted) Delete(ctx context.Context, obj Object, opts ...DeleteOption) error {
	call := &Call{Verb: VerbDelete, Object: obj, Key: KeyOf(obj), DeleteOptions: slices.Clip(opts)}
	return c.call(ctx, call, func(ctx context.Context) error { return c.Client.Delete(ctx, obj, call.DeleteOptions...) })
}

func (c *intercepted) DeleteAllOf(ctx context.Context, obj Object, opts ...DeleteAllOfOption) error {
	call := &Call{Verb: VerbDeleteCollection, Object: obj}
	for _, opt := range opts {
		switch opt := opt.(type) {
		case ListOption:
			call.ListOptions = append(call.ListOptions, opt)
		case DeleteOption:
			call.DeleteOptions = append(call.DeleteOptions, opt)
		}
	}
	call.Key.Namespace = listOptionsOf(call.ListOptions).namespace
	return c.call(ctx, call, func(ctx context.Context) error {
		opts := make([]DeleteAllOfOption, 0, len(call.ListOptions)+len(call.DeleteOptions))
		for _, opt := range call.ListOptions {
			opts = append(opts, opt)
		}
		for _, opt := range call.DeleteOptions {
			opts = append(opts, opt)
		}
		return c.Client.DeleteAllOf(ctx, obj, opts...)
	})
}

func (c *intercepted) Status() SubResourceClient { return c.SubResource("status") }

func (c *intercepted) SubResource(name string) SubResourceClient {
	return interceptedSub{c, c.Client.SubResource(name), name}
}

type interceptedSub struct {
	c    *intercepted
	next SubResourceClient
	name string
}

func (s interceptedSub) Get(ctx context.Context, obj, body Object) error {
	call := &Call{Verb: VerbGet, Subresource: s.name, Object: obj, Key: KeyOf(obj), Body: body}
	return s.c.call(ctx, call, func(ctx context.Context) error { return s.next.Get(ctx, obj, body) })
}

func (s interceptedSub) Create(ctx context.Context, obj, body Object, opts ...WriteOption) error {
	return s.c.write(ctx, &Call{Verb: VerbCreate, Subresource: s.name, Object: obj, Body: body}, opts, func(ctx context.Context, call *Call) error {
		return s.next.Create(ctx, obj, call.Body, call.WriteOptions...)
	})
}

func (s interceptedSub) Update(ctx context.Context, obj Object, opts ...WriteOption) error {
	return s.c.write(ctx, &Call{Verb: VerbUpdate, Subresource: s.name, Object: obj}, opts, func(ctx context.Context, call *Call) error {
		return s.next.Update(ctx, obj, call.WriteOptions...)
	})
}

func (s interceptedSub) Patch(ctx context.Context, obj Object, patch Patch, opts ...WriteOption) error {
	return s.c.write(ctx, &Call{Verb: VerbPatch, Subresource: s.name, Object: obj, Patch: patch}, opts, func(ctx context.Context, call *Call) error {
		return s.next.Patch(ctx, obj, call.Patch, call.WriteOptions...)
	})
}

func (s interceptedSub) Apply(ctx context.Context, obj Object, opts ...WriteOption) error {
	return s.c.write(ctx, &Call{Verb: VerbApply, Subresource: s.name, Object: obj}, opts, func(ctx context.Context, call *Call) error {
		return s.next.Apply(ctx, obj, call.WriteOptions...)
	})
}
