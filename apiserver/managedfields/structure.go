package managedfields

import (
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/kube-openapi/pkg/schemaconv"
	"k8s.io/kube-openapi/pkg/validation/spec"
	smd "sigs.k8s.io/structured-merge-diff/v6/schema"
	"sigs.k8s.io/structured-merge-diff/v6/typed"

	"github.com/keelson-project/keelson/apiserver/builtin/models"
	"github.com/keelson-project/keelson/apiserver/resource"
)

// Named is an optional interface of a resource.Schema that has a name among the Models: its objects merge as the model
// says.
type Named interface {
	ModelName() string
}

type structureKey struct{ version string }

// structure is how the objects of one version merge, made when first needed.
type structure struct {
	once sync.Once
	t    typed.ParseableType
	err  error
}

// structure returns how objects of a version of the kind merge.
func (m *Manager) structure(gvk schema.GroupVersionKind) (*typed.ParseableType, error) {
	v := m.def.Version(gvk.Version)
	if v == nil || gvk.Group != m.def.Group || gvk.Kind != m.def.Names.Kind {
		return nil, (&adapter{Manager: m}).notRegistered(gvk)
	}
	s := m.def.Derived.Get(structureKey{v.Name}, func() any { return &structure{} }).(*structure)
	s.once.Do(func() { s.t, s.err = newStructure(v, m.models) })
	return &s.t, s.err
}

// rootName is the name of a custom kind's own schema among those that it refers to; no model's name looks like it.
const rootName = "root"

func newStructure(v *resource.Version, set Models) (typed.ParseableType, error) {
	var parser typed.Parser
	var err error
	root := rootName
	if named, ok := v.Schema.(Named); ok {
		root = named.ModelName()
		parser.Schema.Types, err = typesOf(set, root)
	} else {
		parser.Schema.Types, err = customTypes(v.Schema.OpenAPI(), set)
	}
	return parser.Type(root), err
}

// customTypes are those of a custom kind's schema, and of the models that it refers to, which it shares with others.
func customTypes(root *spec.Schema, set Models) ([]smd.TypeDef, error) {
	forgetNulls(root)
	converted, err := schemaconv.ToSchemaFromOpenAPI(map[string]*spec.Schema{rootName: root}, false)
	if err != nil {
		return nil, err
	}
	types, known := converted.Types, map[string]bool{}
	models.EachRef(root, func(ref string) {
		if known[ref] || err != nil {
			return
		}
		known[ref] = true
		var of []smd.TypeDef
		of, err = typesOf(set, ref)
		types = append(types, of...) // what two models refer to is there twice, alike
	})
	return types, err
}

type typesKey struct{ model string }

// modelTypes are the types of a model and of all that it refers to.
type modelTypes struct {
	once sync.Once
	all  []smd.TypeDef
	err  error
}

// typesOf returns the types of a model, made when they are first needed of the set.
func typesOf(set Models, model string) ([]smd.TypeDef, error) {
	t := set.Derive(typesKey{model}, func() any { return &modelTypes{} }).(*modelTypes)
	t.once.Do(func() {
		c := closure{set: set, schemas: map[string]*spec.Schema{}}
		if c.add(model); c.missing != "" {
			t.err = fmt.Errorf("the schema refers to the unknown model %s", c.missing)
			return
		}
		converted, err := schemaconv.ToSchemaFromOpenAPI(c.schemas, false)
		if err != nil {
			t.err = err
			return
		}
		t.all = converted.Types
	})
	return t.all, t.err
}

// closure collects a model and all models that it refers to.
type closure struct {
	set     Models
	schemas map[string]*spec.Schema
	missing string
}

func (c *closure) add(name string) {
	s := c.set.Schema(name)
	if s == nil {
		c.missing = name
		return
	}
	c.schemas[name] = s
	forgetNulls(s)
	models.EachRef(s, func(ref string) {
		if c.schemas[ref] == nil {
			c.add(ref)
		}
	})
}

// forgetNulls makes s, which is a copy of its own, say nothing of nulls: for an applied configuration null is no value,
// and Kubernetes refuses it in place of a list or map whatever the schema says.
func forgetNulls(s *spec.Schema) {
	s.Nullable = false
	for name, p := range s.Properties {
		forgetNulls(&p)
		s.Properties[name] = p
	}
	if s.Items != nil && s.Items.Schema != nil {
		forgetNulls(s.Items.Schema)
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil {
		forgetNulls(s.AdditionalProperties.Schema)
	}
}
