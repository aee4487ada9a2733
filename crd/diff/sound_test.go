package diff_test

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"

	"github.com/keelson-project/keelson/crd/diff"
	"github.com/keelson-project/keelson/crd/schema"
	"github.com/keelson-project/keelson/crd/validation"
)

type props = apiextensionsv1.JSONSchemaProps

// TestSound: where no change is called breaking, all that the old schema accepts the new one accepts, and prunes
// nothing of it. The schemas are random ones, two that differ in little; so are the objects.
func TestSound(t *testing.T) {
	compatible, compared := 0, 0
	for seed := range uint64(4000) {
		r := rand.New(rand.NewPCG(seed, 1))
		before := randomSchema(r, 3)
		before = props{Type: "object", Properties: map[string]props{"a": before, "b": randomSchema(r, 2)}}
		after := *before.DeepCopy()
		for range 1 + r.IntN(2) {
			mutate(r, &after)
		}
		changes := diff.Compare(crdOf(before), crdOf(after))
		if diff.Breaking(changes) {
			continue
		}
		compatible++
		was, is := compile(t, &before), compile(t, &after)
		for range 20 {
			value := randomValue(r, &before)
			if !was.accepts(value) {
				continue
			}
			compared++
			pruned := kruntime.DeepCopyJSONValue(value)
			if !is.accepts(pruned) {
				t.Fatalf("seed %d: %v\nbefore %s\nafter %s\nrefused is %s", seed, changes, text(before), text(after), text(value))
			}
			schema.Prune(pruned.(map[string]any), is.structural)
			if !reflect.DeepEqual(pruned, value) {
				t.Fatalf("seed %d: %v\nbefore %s\nafter %s\n%s is pruned to %s", seed, changes, text(before), text(after), text(value), text(pruned))
			}
		}
	}
	t.Logf("%d pairs are compatible, %d objects", compatible, compared)
	if compatible < 500 || compared < 2000 {
		t.Error("the generators have become too narrow")
	}
}

func crdOf(p props) []*apiextensionsv1.CustomResourceDefinition {
	c := &apiextensionsv1.CustomResourceDefinition{}
	c.Spec.Versions = []apiextensionsv1.CustomResourceDefinitionVersion{{
		Name: "v1", Served: true, Storage: true, Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &p},
	}}
	return []*apiextensionsv1.CustomResourceDefinition{c}
}

type compiled struct {
	structural *schema.Schema
	validator  *validation.Validator
}

func compile(t *testing.T, p *props) compiled {
	t.Helper()
	s, err := schema.New(p)
	if err != nil {
		t.Fatal(err)
	}
	v, err := validation.New(s)
	if err != nil {
		t.Fatal(err)
	}
	return compiled{s, v}
}

func (c compiled) accepts(value any) bool {
	return len(c.validator.Validate(nil, value)) == 0 && len(validation.ValidateLists(nil, value, c.structural)) == 0
}

func text(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

var names = []string{"a", "b", "c"}

func randomSchema(r *rand.Rand, depth int) props {
	kinds := []string{"string", "integer", "number", "boolean", "object", "object", "array", "map", "raw", "any"}
	if depth == 0 {
		kinds = kinds[:4]
	}
	p := props{Nullable: r.IntN(6) == 0}
	switch kind := kinds[r.IntN(len(kinds))]; kind {
	case "object":
		p.Type, p.Properties = kind, map[string]props{}
		for _, name := range names[:1+r.IntN(3)] {
			p.Properties[name] = randomSchema(r, depth-1)
		}
	case "array":
		item := randomSchema(r, depth-1)
		p.Type, p.Items = kind, &apiextensionsv1.JSONSchemaPropsOrArray{Schema: &item}
	case "map":
		value := randomSchema(r, depth-1)
		p.Type, p.AdditionalProperties = "object", &apiextensionsv1.JSONSchemaPropsOrBool{Schema: &value}
	case "raw":
		p.Type, p.XPreserveUnknownFields = "object", new(true)
	case "any":
		p.XIntOrString = true
	default:
		p.Type = kind
	}
	for range r.IntN(3) {
		constrain(r, &p)
	}
	return p
}

// constrain sets one validation, or takes it away.
func constrain(r *rand.Rand, p *props) {
	count := func() *int64 {
		if r.IntN(3) == 0 {
			return nil
		}
		return new(int64(r.IntN(4)))
	}
	bound := func() *float64 {
		if r.IntN(3) == 0 {
			return nil
		}
		return new(float64(r.IntN(4)))
	}
	switch p.Type {
	case "string":
		switch r.IntN(5) {
		case 0:
			p.MinLength = count()
		case 1:
			p.MaxLength = count()
		case 2:
			p.Pattern = []string{"", "^a", "b"}[r.IntN(3)]
		case 3:
			p.Enum = enum(`"a"`, `"ab"`, `""`)[:r.IntN(4)]
		case 4:
			p.AnyOf = []props{{MaxLength: new(int64(1))}, {MinLength: new(int64(2))}}[:r.IntN(3)]
		}
	case "integer", "number":
		switch r.IntN(6) {
		case 0:
			p.Minimum = bound()
		case 1:
			p.Maximum = bound()
		case 2:
			p.ExclusiveMinimum = !p.ExclusiveMinimum && p.Minimum != nil
		case 3:
			p.ExclusiveMaximum = !p.ExclusiveMaximum && p.Maximum != nil
		case 4:
			p.Enum = enum("0", "1", "2")[:r.IntN(4)]
		case 5:
			p.MultipleOf = []*float64{nil, new(1.0), new(2.0)}[r.IntN(3)]
		}
	case "array":
		switch r.IntN(4) {
		case 0:
			p.MinItems = count()
		case 1:
			p.MaxItems = count()
		case 2:
			p.UniqueItems = !p.UniqueItems
		case 3:
			p.XListType = []*string{nil, new("set"), new("atomic")}[r.IntN(3)]
		}
	case "object":
		switch r.IntN(4) {
		case 0:
			p.MinProperties = count()
		case 1:
			p.MaxProperties = count()
		case 2:
			p.Required = names[:r.IntN(3)]
		case 3:
			p.Not = []*props{nil, {Required: []string{"a"}}}[r.IntN(2)]
		}
	}
}

func enum(values ...string) (out []apiextensionsv1.JSON) {
	for _, v := range values {
		out = append(out, apiextensionsv1.JSON{Raw: []byte(v)})
	}
	return out
}

// mutate changes something somewhere in p.
func mutate(r *rand.Rand, p *props) {
	switch {
	case p.Items != nil && r.IntN(2) == 0:
		mutate(r, p.Items.Schema)
	case p.AdditionalProperties != nil && r.IntN(2) == 0:
		mutate(r, p.AdditionalProperties.Schema)
	case len(p.Properties) > 0 && r.IntN(4) > 0:
		name := names[r.IntN(len(names))]
		child, ok := p.Properties[name]
		switch {
		case !ok:
			p.Properties[name] = randomSchema(r, 1)
		case r.IntN(8) == 0:
			delete(p.Properties, name)
		default:
			mutate(r, &child)
			p.Properties[name] = child
		}
	case r.IntN(5) == 0:
		p.Nullable = !p.Nullable
	case r.IntN(8) == 0:
		*p = randomSchema(r, 1)
	default:
		constrain(r, p)
	}
}

// randomValue is one that p may accept.
func randomValue(r *rand.Rand, p *props) any {
	if p.Nullable && r.IntN(5) == 0 {
		return nil
	}
	switch p.Type {
	case "string", "":
		return []string{"", "a", "ab", "abc", "b"}[r.IntN(5)]
	case "integer":
		return int64(r.IntN(5))
	case "number":
		return float64(r.IntN(9)) / 2
	case "boolean":
		return r.IntN(2) == 0
	case "array":
		list := []any{}
		for range r.IntN(4) {
			list = append(list, randomValue(r, p.Items.Schema))
		}
		return list
	}
	object := map[string]any{}
	for _, name := range names {
		child, ok := p.Properties[name]
		switch {
		case r.IntN(4) == 0:
		case ok:
			object[name] = randomValue(r, &child)
		case p.AdditionalProperties != nil:
			object[name] = randomValue(r, p.AdditionalProperties.Schema)
		case p.XPreserveUnknownFields != nil:
			object[name] = "anything"
		}
	}
	return object
}
