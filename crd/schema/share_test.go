package schema_test

import (
	"math/rand/v2"
	"reflect"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/keelson-project/keelson/crd/schema"
	"github.com/keelson-project/keelson/internal/randschema"
)

// TestShare checks that a schema says the same once its nodes are shared.
func TestShare(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for range 2000 {
		data := make([]byte, 400)
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		make := func() *schema.Schema {
			s, err := schema.New(randschema.New(data).Root())
			if err != nil {
				t.Fatal(err)
			}
			s.PruneDefaults()
			return s
		}
		want := make()
		if got := make().Share(); !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v\nwant %+v", got, want)
		}
	}
	s := parseSchema(t, `{type: object, properties: {a: {type: object, properties: {x: {type: string}}}, b: {type: object, properties: {x: {type: string}}}, c: {type: string}}}`).Share()
	if s.Properties["a"] != s.Properties["b"] || s.Properties["c"] != s.Properties["a"].Properties["x"] {
		t.Error("equal nodes are not shared")
	}
	var none *schema.Schema
	if none.Share() != nil {
		t.Error("nothing is something")
	}
}

// TestShareTellsApart checks that no field of a schema is forgotten when nodes are compared.
func TestShareTellsApart(t *testing.T) {
	var differ func(at reflect.Value, path string, whole func() (*schema.Schema, reflect.Value))
	differ = func(at reflect.Value, path string, whole func() (*schema.Schema, reflect.Value)) {
		for i := range at.NumField() {
			f := at.Type().Field(i)
			if !f.IsExported() {
				continue
			}
			field := func() (*schema.Schema, reflect.Value) {
				s, v := whole()
				return s, v.Field(i)
			}
			if f.Type.Kind() == reflect.Struct {
				differ(at.Field(i), path+"."+f.Name, field)
				continue
			}
			s, v := field()
			set(t, v)
			root := &schema.Schema{Properties: map[string]*schema.Schema{"plain": {}, "other": s}}
			if root = root.Share(); root.Properties["plain"] == root.Properties["other"] {
				t.Errorf("%s.%s makes no difference", path, f.Name)
			}
		}
	}
	differ(reflect.ValueOf(schema.Schema{}), "Schema", func() (*schema.Schema, reflect.Value) {
		s := &schema.Schema{}
		return s, reflect.ValueOf(s).Elem()
	})
}

// set makes a value another one than its zero.
func set(t *testing.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Interface:
		v.Set(reflect.ValueOf("x"))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		if v.Type().Elem() == reflect.TypeFor[*schema.Schema]() {
			v.Index(0).Set(reflect.ValueOf(&schema.Schema{Type: "string"}))
		}
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]*schema.Schema{"p": {}}))
	default:
		t.Fatalf("a field of kind %s", v.Kind())
	}
}

// TestShareRules checks that nodes with rules stay apart: their rules are counted by place.
func TestShareRules(t *testing.T) {
	rules := apiextensionsv1.ValidationRules{{Rule: "true"}}
	make := func() *schema.Schema {
		return &schema.Schema{Type: "string", Extensions: schema.Extensions{Rules: rules}}
	}
	root := (&schema.Schema{Properties: map[string]*schema.Schema{"a": make(), "b": make()}}).Share()
	if root.Properties["a"] == root.Properties["b"] {
		t.Error("nodes with rules are shared")
	}
}
