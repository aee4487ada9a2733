// Package managedfields keeps account of who owns which field of an object, in metadata.managedFields, and merges
// applied configurations by it: Kubernetes' server-side apply (KEP-555).
//
// The account itself (sets of paths, conflicts, what an applier no longer mentions) is kept by
// k8s.io/apimachinery/pkg/util/managedfields and structured-merge-diff. This package gives them what they need to know of
// a resource.Definition: how its versions' lists and maps merge, made from their schemas when first needed, and how one
// version becomes another.
package managedfields

import (
	"context"
	"encoding/json"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kmanagedfields "k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// Models are the named schemas that those of kinds refer to: ObjectMeta, the types inside built-in kinds.
type Models interface {
	// Schema returns a fresh copy of the schema of that name, in OpenAPI v3 form, or nil.
	Schema(name string) *spec.Schema
	// Derive returns the value of key among those that were made of the models alone, which make makes where there is
	// none yet.
	Derive(key any, make func() any) any
}

// Manager keeps account of the writes to one version of a kind, or to one of its subresources. It is safe for
// concurrent use.
type Manager struct {
	def         *resource.Definition
	version     *resource.Version
	subresource string
	models      Models
	reset       map[fieldpath.APIVersion]fieldpath.Filter
	empty       func() resource.Object // once; read-only
}

type managerKey struct{ version, subresource string }

// For returns the Manager of writes to a version of d; subresource is "" for the object itself. It is made once.
func For(d *resource.Definition, v *resource.Version, subresource string, models Models) *Manager {
	return d.Derived.Get(managerKey{v.Name, subresource}, func() any {
		m := &Manager{def: d, version: v, subresource: subresource, models: models, reset: resetOf(d, subresource)}
		m.empty = sync.OnceValue(m.newEmpty)
		return m
	}).(*Manager)
}

// resetOf returns the filter of fields that a write does not change, for each version of d.
func resetOf(d *resource.Definition, subresource string) map[fieldpath.APIVersion]fieldpath.Filter {
	sets := map[fieldpath.APIVersion]*fieldpath.Set{}
	for i := range d.Versions {
		v := &d.Versions[i]
		paths := v.Reset
		if subresource != "" {
			paths = nil
			if s := v.Subresources[subresource]; s != nil {
				paths = s.Reset
			}
		}
		if len(paths) == 0 {
			continue
		}
		set := fieldpath.NewSet()
		for _, path := range paths {
			var p fieldpath.Path
			for _, name := range path {
				p = append(p, fieldpath.PathElement{FieldName: &name})
			}
			set.Insert(p)
		}
		sets[fieldpath.APIVersion(d.APIVersion(v.Name))] = set
	}
	return fieldpath.NewExcludeFilterSetMap(sets)
}

func (m *Manager) gvk() schema.GroupVersionKind { return m.def.GroupVersionKind(m.version.Name) }

// manager returns the pipeline of apimachinery that does the work; conversions end with ctx.
func (m *Manager) manager(ctx context.Context) (*kmanagedfields.FieldManager, error) {
	a := &adapter{Manager: m, ctx: ctx}
	return kmanagedfields.NewDefaultCRDFieldManager(a, a, a, a, m.gvk(), m.gvk().GroupVersion(), m.subresource, m.reset)
}

// Update accounts for a write that is no apply: obj is what live becomes (live nil: it is created), by the doing of
// manager. It sets obj's metadata.managedFields and changes nothing else. What obj brings there counts, if it is valid:
// so a client can give fields away, or reset the account with one empty entry. Where the account cannot be kept (a
// conversion fails, an object does not fit its schema), live's stays as it is, as in Kubernetes: a write does not fail
// for it.
func (m *Manager) Update(ctx context.Context, live, obj resource.Object, manager string) {
	before := live
	if live == nil {
		if m.create(obj, manager) {
			return
		}
		live = m.Empty()
	} else if m.rewrite(live, obj, manager) {
		m.forgetTimes(obj)
		return
	}
	m.update(ctx, before, live, obj, manager)
}

// update is Update the long way.
func (m *Manager) update(ctx context.Context, before, live, obj resource.Object, manager string) {
	if err := resource.Unfold(obj); err != nil {
		return // it will not be stored either
	}
	u := &unstructured.Unstructured{Object: obj}
	f, err := m.manager(ctx)
	if err == nil {
		_, err = f.Update(&unstructured.Unstructured{Object: live}, u, manager)
	}
	if err != nil {
		u.SetManagedFields((&unstructured.Unstructured{Object: before}).GetManagedFields())
		return
	}
	m.forgetTimes(obj)
}

// Apply returns live with the configuration of manager merged into it, and with the account of that. live nil stands for
// an object that does not exist yet. Both belong to Apply from then on: the result shares their memory. Errors: Conflict,
// with a cause for each field that others own (force takes them over); BadRequest where config is of another version or
// kind, or has managedFields; plain errors where it does not fit the schema.
func (m *Manager) Apply(ctx context.Context, live, config resource.Object, manager string, force bool) (resource.Object, error) {
	if live == nil {
		live = m.Empty()
	} else if m.reapply(live, config, manager) {
		m.forgetTimes(live)
		return live, nil
	}
	return m.apply(ctx, live, config, manager, force)
}

// apply is Apply the long way.
func (m *Manager) apply(ctx context.Context, live, config resource.Object, manager string, force bool) (resource.Object, error) {
	f, err := m.manager(ctx)
	if err != nil {
		return nil, err
	}
	merged, err := f.Apply(&unstructured.Unstructured{Object: live}, &unstructured.Unstructured{Object: config}, manager, force)
	if err != nil {
		return nil, err
	}
	u, ok := merged.(*unstructured.Unstructured)
	if !ok {
		return nil, apierrors.NewInternalError(errNoObject)
	}
	m.forgetTimes(u.Object)
	return u.Object, nil
}

// Empty is an object of the kind before anything was written: what a built-in kind's Go type encodes without being
// asked is owned by nobody.
func (m *Manager) Empty() resource.Object { return resource.DeepCopy(m.empty()) }

func (m *Manager) newEmpty() resource.Object {
	obj := resource.Object{}
	if m.version.GoType != nil {
		if raw, err := json.Marshal(m.version.NewGo()); err == nil {
			if decoded, err := resource.Decode(raw); err == nil {
				obj = decoded
			}
		}
	}
	obj["apiVersion"], obj["kind"] = m.def.APIVersion(m.version.Name), m.def.Names.Kind
	return obj
}
