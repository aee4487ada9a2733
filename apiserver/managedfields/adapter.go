package managedfields

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/structured-merge-diff/v6/typed"

	"github.com/keelson-project/keelson/apiserver/resource"
)

var errNoObject = errors.New("merging a configuration gave no object")

// adapter is a Manager as apimachinery wants to see it, for one request: every object is unstructured.
type adapter struct {
	*Manager
	ctx context.Context //nolint:containedctx // of the request; the interfaces below have none
}

// ObjectToTyped implements managedfields.TypeConverter.
func (a *adapter) ObjectToTyped(obj kruntime.Object, opts ...typed.ValidationOptions) (*typed.TypedValue, error) {
	u, err := unstructuredOf(obj)
	if err != nil {
		return nil, err
	}
	t, err := a.structure(u.GroupVersionKind())
	if err != nil {
		return nil, err
	}
	return t.FromUnstructured(u.Object, opts...)
}

// TypedToObject implements managedfields.TypeConverter.
func (a *adapter) TypedToObject(v *typed.TypedValue) (kruntime.Object, error) {
	m, ok := v.AsValue().Unstructured().(map[string]any)
	if !ok {
		return nil, errNoObject
	}
	return &unstructured.Unstructured{Object: m}, nil
}

// ConvertToVersion implements runtime.ObjectConvertor.
func (a *adapter) ConvertToVersion(in kruntime.Object, target kruntime.GroupVersioner) (kruntime.Object, error) {
	u, err := unstructuredOf(in)
	if err != nil {
		return nil, err
	}
	from := u.GroupVersionKind()
	to, ok := target.KindForGroupVersionKinds([]schema.GroupVersionKind{from})
	if ok && to == from {
		return in, nil
	}
	gv, ok := target.(schema.GroupVersion)
	if !ok || gv.Group != a.def.Group || a.def.Version(gv.Version) == nil {
		return nil, a.notRegistered(schema.GroupVersionKind{Group: gv.Group, Version: gv.Version, Kind: from.Kind})
	}
	out := resource.DeepCopy(u.Object)
	if a.def.Convert == nil {
		out["apiVersion"] = gv.String()
	} else if out, err = a.def.Convert(a.ctx, out, gv.Version); err != nil {
		return nil, err
	}
	return &unstructured.Unstructured{Object: out}, nil
}

// notRegistered is the error by which apimachinery knows that a version is gone: its entries are dropped then.
func (a *adapter) notRegistered(gvk schema.GroupVersionKind) error {
	return kruntime.NewNotRegisteredErrForKind(a.def.Names.Plural, gvk)
}

// Convert implements runtime.ObjectConvertor; nobody calls it.
func (a *adapter) Convert(in, out, _ any) error {
	return fmt.Errorf("cannot convert %T to %T", in, out)
}

// ConvertFieldLabel implements runtime.ObjectConvertor; nobody calls it.
func (a *adapter) ConvertFieldLabel(_ schema.GroupVersionKind, label, value string) (string, string, error) {
	return label, value, nil
}

// Default implements runtime.ObjectDefaulter.
func (a *adapter) Default(in kruntime.Object) {
	if u, ok := in.(*unstructured.Unstructured); ok {
		a.version.Schema.Default(u.Object)
	}
}

// New implements runtime.ObjectCreater.
func (a *adapter) New(schema.GroupVersionKind) (kruntime.Object, error) {
	return &unstructured.Unstructured{Object: a.Empty()}, nil
}

func unstructuredOf(obj kruntime.Object) (*unstructured.Unstructured, error) {
	u, ok := obj.(*unstructured.Unstructured)
	if !ok {
		return nil, fmt.Errorf("%T is not unstructured", obj)
	}
	return u, nil
}
