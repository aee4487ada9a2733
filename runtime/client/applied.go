package client

import (
	"context"
	"crypto/sha256"
	"reflect"
	"sync"

	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// Current shows an object as a cache has it at this moment: the one of obj's kind, form, namespace and name. It is nil
// where no cache has it; the server is not asked. Neither of the two is changed, by anyone.
type Current func(ctx context.Context, obj Object) (Object, error)

// Applied knows what was applied, so that an Apply which would change nothing need not be sent; a Manager's Client has one.
// That is so where
//
//   - the last Apply for the same object, subresource and owner had the same configuration, and the object is still what
//     the server answered then: the same uid and resourceVersion; or
//   - the object has its managedFields, and they say that the owner applied just these fields, and they have these values.
//
// The first needs a cache that may drop managedFields, but ends with any other write to the object. The second holds
// through other writes, and in a process that has just begun. Both are as right as the cache: where it has not heard of
// the latest write, this Apply is skipped, and the event that tells the cache is the one to reconcile for.
//
// Always sent are dry runs, objects with a resourceVersion (a precondition), and what fails. What was sent is remembered
// for some ten thousand objects; of more, some are sent for nothing. It is safe for concurrent use.
type Applied struct {
	mu   sync.Mutex
	last map[application]outcome
}

// maxApplied bounds what is remembered: some 300 bytes each.
const maxApplied = 16 << 10

// application is one owner's opinion on one object.
type application struct {
	gvk                schema.GroupVersionKind
	key                ObjectKey
	owner, subresource string
	validation         string
}

// outcome of an Apply.
type outcome struct {
	configuration   [sha256.Size]byte
	uid             types.UID
	resourceVersion string
}

// Apply applies obj by c, or does not where that would change nothing: then obj becomes a copy of what current shows.
func (a *Applied) Apply(ctx context.Context, c Client, subresource string, obj Object, current Current, opts ...WriteOption) (sent bool, err error) {
	o := WriteOptions{}
	if d, ok := c.(interface{ FieldOwner() string }); ok {
		o.FieldOwner = d.FieldOwner()
	}
	for _, opt := range opts {
		opt.applyToWrite(&o)
	}
	gvk, err := c.GVKFor(obj)
	if err != nil {
		return false, err
	}
	return a.apply(ctx, gvk, subresource, obj, &o, current, func(ctx context.Context) error {
		if subresource == "" {
			return c.Apply(ctx, obj, opts...)
		}
		return c.SubResource(subresource).Apply(ctx, obj, opts...)
	})
}

// SkipApplied is c, but an Apply that would change nothing is not sent; see Applied. It knows the owner that c has by
// Options.FieldOwner, by the call, or by WithFieldOwner(SkipApplied(c, current), owner); not one that a view below sets.
func SkipApplied(c Client, current Current) Client {
	a, owner := &Applied{}, ""
	if d, ok := c.(interface{ FieldOwner() string }); ok {
		owner = d.FieldOwner()
	}
	return Intercept(c, func(ctx context.Context, call *Call, next func(context.Context) error) error {
		obj, ok := call.Object.(Object)
		if !ok || call.Verb != VerbApply {
			return next(ctx)
		}
		o := WriteOptions{FieldOwner: owner}
		for _, opt := range call.WriteOptions {
			opt.applyToWrite(&o)
		}
		_, err := a.apply(ctx, call.Kind, call.Subresource, obj, &o, current, next)
		return err
	})
}

func (a *Applied) apply(
	ctx context.Context, gvk schema.GroupVersionKind, subresource string, obj Object, o *WriteOptions, current Current, send func(context.Context) error,
) (sent bool, err error) {
	if o.DryRun || obj.GetResourceVersion() != "" || obj.GetName() == "" {
		return true, send(ctx)
	}
	obj.SetManagedFields(nil)
	data, _, err := encode(obj, gvk, false)
	if err != nil {
		return false, err
	}
	which := application{gvk, KeyOf(obj), o.FieldOwner, subresource, o.FieldValidation}
	sum := sha256.Sum256(data)
	now, err := current(ctx, obj)
	if err != nil {
		return false, err
	}
	if now != nil && reflect.TypeOf(now) == reflect.TypeOf(obj) && (a.unchanged(which, sum, now) || holds(data, now, &which)) {
		become(obj, now)
		obj.GetObjectKind().SetGroupVersionKind(gvk)
		return false, nil
	}
	if err := send(ctx); err != nil {
		a.forget(which)
		return true, err
	}
	a.remember(which, outcome{sum, obj.GetUID(), obj.GetResourceVersion()})
	return true, nil
}

// become has obj be a copy of now, which is of the same type.
func become(obj, now kruntime.Object) {
	reflect.ValueOf(obj).Elem().Set(reflect.ValueOf(now.DeepCopyObject()).Elem())
}

func (a *Applied) unchanged(which application, sum [sha256.Size]byte, now Object) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	last, ok := a.last[which]
	return ok && last.resourceVersion != "" && last == outcome{sum, now.GetUID(), now.GetResourceVersion()}
}

func (a *Applied) forget(which application) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.last, which)
}

func (a *Applied) remember(which application, out outcome) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.last == nil {
		a.last = map[application]outcome{}
	}
	for other := range a.last {
		if len(a.last) < maxApplied {
			break
		}
		delete(a.last, other) // any
	}
	a.last[which] = out
}
