package client

import (
	"context"
	"fmt"
	"iter"
	"reflect"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	kruntime "k8s.io/apimachinery/pkg/runtime"
)

// pageSize of Each, where no Limit says otherwise: what client-go's pager and kubectl ask for.
const pageSize = 500

// Each is the objects of a type, a page at a time: 500, or as many as a Limit among opts says.
//
//	for pod, err := range client.Each[*corev1.Pod](ctx, c, client.InNamespace("default")) {
//
// An error ends it. Where the server has forgotten the revision of the first page before the last one was read, Each
// goes on with a later one: each object comes at most once, but what comes is no longer a picture of one moment.
func Each[T Object](ctx context.Context, c Client, opts ...ListOption) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		list, err := listOf[T](c.Scheme())
		if err != nil {
			yield(none, err)
			return
		}
		for obj, err := range EachOf(ctx, c, list, opts...) {
			item, _ := obj.(T)
			if !yield(item, err) {
				return
			}
		}
	}
}

// listOf makes a list of T.
func listOf[T Object](scheme *kruntime.Scheme) (ObjectList, error) {
	kind := reflect.TypeFor[T]()
	if kind.Kind() != reflect.Pointer {
		return nil, fmt.Errorf("client: Each of %v: give a type of the scheme; EachOf is for the others", kind)
	}
	gvks, _, err := scheme.ObjectKinds(reflect.New(kind.Elem()).Interface().(kruntime.Object))
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	list, err := scheme.New(gvks[0].GroupVersion().WithKind(gvks[0].Kind + "List"))
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	typed, ok := list.(ObjectList)
	if !ok {
		return nil, fmt.Errorf("client: %T has no metadata", list)
	}
	return typed, nil
}

// EachOf is Each for lists of any form; list says which, with its apiVersion and kind where it is unstructured or one
// of metadata. The list itself is left as it is.
//
// A Client that answers lists without a server has a method Each of the same shape, which takes the place of pages: one
// call of VerbList to interceptors, instead of one for each page.
func EachOf(ctx context.Context, c Reader, list ObjectList, opts ...ListOption) iter.Seq2[Object, error] {
	if e, ok := c.(eacher); ok && goesThrough(c) {
		return e.Each(ctx, list, opts...)
	}
	return func(yield func(Object, error) bool) {
		p := pages{c: c, opts: opts, ordered: true}
		for {
			page := list.DeepCopyObject().(ObjectList)
			if err := p.next(ctx, page); err != nil {
				yield(nil, err)
				return
			}
			err := meta.EachListItem(page, func(item kruntime.Object) error {
				obj, ok := item.(Object)
				if !ok {
					return fmt.Errorf("client: %T has no metadata", item)
				}
				if p.new(obj) && !yield(obj, nil) {
					return errStopped
				}
				return nil
			})
			switch {
			case err == errStopped: //nolint:errorlint // nobody wraps it
				return
			case err != nil:
				yield(nil, err)
				return
			case p.token == "":
				return
			}
		}
	}
}

type eacher interface {
	Each(ctx context.Context, list ObjectList, opts ...ListOption) iter.Seq2[Object, error]
}

// goesThrough says whether c, or what it is a view of, has a method Each of its own.
func goesThrough(c Reader) bool {
	for {
		view, ok := c.(*intercepted)
		if !ok {
			_, ok = c.(eacher)
			return ok
		}
		c = view.Client
	}
}

// Each is what EachOf calls where the Client below has one.
func (c *intercepted) Each(ctx context.Context, list ObjectList, opts ...ListOption) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		call := &Call{Verb: VerbList, Object: list, Key: ObjectKey{Namespace: listOptionsOf(opts).namespace}, ListOptions: slices.Clip(opts)}
		stopped := false
		err := c.call(ctx, call, func(ctx context.Context) error {
			for obj, err := range EachOf(ctx, c.Client, list, call.ListOptions...) {
				if err != nil {
					return err
				}
				if stopped = stopped || !yield(obj, nil); stopped {
					return nil
				}
			}
			return nil
		})
		if err != nil && !stopped {
			yield(nil, err)
		}
	}
}

var errStopped = fmt.Errorf("client: enough")

// pages of a collection.
type pages struct {
	c     Reader
	opts  []ListOption
	token string // of the next page
	last  string // key of the last object
	until string // objects up to this key came before the collection was begun again
	// ordered says that objects came in the order of their keys, as etcd has them.
	ordered bool
}

// next reads a page. Where the token has expired, it takes the server's for the rest, or begins again.
func (p *pages) next(ctx context.Context, page ObjectList) error {
	opts := append([]ListOption{Limit(pageSize)}, p.opts...)
	if p.token == "" {
		err := p.c.List(ctx, page, opts...)
		p.token = page.GetContinue()
		return err
	}
	// A token holds the revision that it continues; to name one as well is refused.
	err := p.c.List(ctx, page, append(opts, Continue(p.token), ResourceVersion(""))...)
	if err != nil && apierrors.IsResourceExpired(err) {
		switch rest := restOf(err); {
		case rest != "":
			err = p.c.List(ctx, page, append(opts, Continue(rest), ResourceVersion(""))...)
		case p.ordered:
			p.until = p.last
			err = p.c.List(ctx, page, append(opts, Limit(0))...)
		}
	}
	p.token = page.GetContinue()
	return err
}

// restOf is the token by which an answer of 410 offers the rest of the collection as it is now.
func restOf(err error) string {
	if status := statusIn(err); status != nil {
		return status.ErrStatus.Continue
	}
	return ""
}

// new says whether obj did not come before, and notes it.
func (p *pages) new(obj Object) bool {
	key := obj.GetNamespace() + "/" + obj.GetName()
	if p.until != "" && key <= p.until {
		return false
	}
	p.ordered = p.ordered && key > p.last
	p.last = key
	return true
}
