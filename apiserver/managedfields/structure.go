package managedfields

import (
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/kube-openapi/pkg/schemaconv"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/structured-merge-diff/v6/typed"

	"github.com/keelson-project/keelson/apiserver/builtin/models"
	"github.com/keelson-project/keelson/apiserver/resource"
)

// Named is an optional interface of a resource.Schema that has a name among the Models: its objects merge as the model
// says.
type Named interface {
	ModelName() string
}

// structureKey is that of a structure among what is made of the Definition, or of the models, which have a name.
type structureKey struct{ version, model string }

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
	kept, key := m.def.Derived.Get, structureKey{version: v.Name}
	if named, ok := v.Schema.(Named); ok {
		kept, key = m.models.Derive, structureKey{model: named.ModelName()}
	}
	s := kept(key, func() any { return &structure{} }).(*structure)
	s.once.Do(func() { s.t, s.err = newStructure(v, m.models) })
	return &s.t, s.err
}

// rootName is the name of the kind's own schema among those that it refers to; no model's name looks like it.
const rootName = "root"

func newStructure(v *resource.Version, set Models) (typed.ParseableType, error) {
	var root *spec.Schema
	if named, ok := v.Schema.(Named); ok {
		root = set.Schema(named.ModelName())
	} else {
		root = v.Schema.OpenAPI()
	}
	c := closure{set: set, schemas: map[string]*spec.Schema{}}
	c.add(rootName, root)
	if c.missing != "" {
		return typed.ParseableType{}, fmt.Errorf("the schema refers to the unknown model %s", c.missing)
	}
	converted, err := schemaconv.ToSchemaFromOpenAPI(c.schemas, false)
	if err != nil {
		return typed.ParseableType{}, err
	}
	var parser typed.Parser
	parser.Schema.Types = converted.Types
	return parser.Type(rootName), nil
}

// closure collects a schema and all models that it refers to.
type closure struct {
	set     Models
	schemas map[string]*spec.Schema
	missing string
}

func (c *closure) add(name string, s *spec.Schema) {
	if s == nil {
		c.missing = name
		return
	}
	c.schemas[name] = s
	forgetNulls(s)
	models.EachRef(s, func(ref string) {
		if c.schemas[ref] == nil {
			c.add(ref, c.set.Schema(ref))
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
