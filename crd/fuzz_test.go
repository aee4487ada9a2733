package crd_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/crd"
)

// FuzzDefinition feeds anything as a CustomResourceDefinition to what makes kinds of stored ones, and to the way that a
// new one takes through the server: nothing panics, and nothing takes long.
func FuzzDefinition(f *testing.F) {
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"metadata":null,"spec":{"group":"a","names":{"plural":"b","kind":"C"},"versions":[{"name":"v1","storage":true}]}}`))
	f.Add([]byte(`{"spec":{"group":"a","names":{"plural":"b","kind":"C"},"versions":[{"name":"v1","storage":true,"schema":{"openAPIV3Schema":{"items":[{}],"properties":{"a":{"default":{"b":[1e400]}}}}}}]}}`))
	for i, e := range singleEdits() {
		if i%7 != 0 {
			continue
		}
		obj, err := edited(e)
		if err != nil {
			f.Fatal(err)
		}
		raw, err := json.Marshal(obj)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		start := time.Now()
		if d, err := crd.ParseDefinition(data); err == nil {
			useKind(t.Context(), d)
		}
		if obj, err := resource.Decode(data); err == nil && obj != nil {
			if created := throughCreate(t.Context(), obj); created != nil {
				raw, err := resource.Encode(created)
				if err != nil {
					t.Fatal(err)
				}
				d, err := crd.ParseDefinition(raw)
				if err != nil {
					t.Fatalf("accepted, and not to be served: %v", err)
				}
				useKind(t.Context(), d)
			}
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Fatalf("took %v", took)
		}
	})
}

// throughCreate does with obj what a POST would, and returns what is stored; nil if it is refused.
func throughCreate(ctx context.Context, obj resource.Object) resource.Object {
	kind := crd.Definition(crd.NewInstaller(crd.Config{Catalog: resource.NewCatalog()}))
	s := kind.Versions[0].Schema
	if err := s.(resource.TypeChecker).CheckTypes(obj); err != nil {
		return nil
	}
	s.Prune(obj)
	kind.Hooks.PrepareCreate(ctx, obj)
	s.Default(obj)
	if len(s.Validate(ctx, obj, nil)) > 0 {
		return nil
	}
	kind.Hooks.Warnings(ctx, obj, nil)
	s.Validate(ctx, resource.DeepCopy(obj), obj)
	return obj
}

// useKind has a kind do everything with an object that it may be asked for.
func useKind(ctx context.Context, d *resource.Definition) {
	for i := range d.Versions {
		v := &d.Versions[i]
		obj := resource.Object{
			"apiVersion": d.APIVersion(v.Name), "kind": d.Names.Kind, "metadata": map[string]any{"name": "a"},
			"spec": map[string]any{"text": "a", "list": []any{nil, map[string]any{"k": int64(1)}}, "strings": []any{"a", "a"}}, "status": nil,
		}
		if c, ok := v.Schema.(resource.TypeChecker); ok && c.CheckTypes(obj) != nil {
			continue
		}
		v.Schema.Prune(obj)
		v.Schema.Default(obj)
		v.Schema.Validate(ctx, obj, nil)
		v.Schema.Validate(ctx, obj, resource.DeepCopy(obj))
		v.Schema.OpenAPI()
		for _, c := range v.Columns {
			if c.Value != nil {
				c.Value(obj)
			}
		}
	}
}
