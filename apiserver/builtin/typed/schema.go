// Package typed is the resource.Schema of kinds that have a Go type in k8s.io/api: it treats an object as decoding it
// into that type and encoding it again would, without the type. Unknown fields, nulls and zero values that Go's
// encoding omits are dropped, quantities and times take their canonical form, structs that are always present are
// filled in. All of that is driven by the generated models; the Go type itself is used only to word a type error.
package typed

import (
	"context"
	"reflect"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/kube-openapi/pkg/validation/spec"

	"github.com/keelson-project/keelson/apiserver/builtin/models"
	"github.com/keelson-project/keelson/apiserver/resource"
)

// Schema implements resource.Schema and resource.TypeChecker. It compiles its shape on first use.
type Schema struct {
	compiler *Compiler
	model    string
	goType   reflect.Type
	extra    func(obj resource.Object)

	once  sync.Once
	shape *shape
}

var (
	_ resource.Schema      = (*Schema)(nil)
	_ resource.TypeChecker = (*Schema)(nil)
)

// Schema returns the schema of a model. object is a pointer to its Go type; defaults, which may be nil, fills in what
// the defaulters of the Compiler do not (it runs last).
func (c *Compiler) Schema(model string, object any, defaults func(obj resource.Object)) *Schema {
	return &Schema{compiler: c, model: model, goType: reflect.TypeOf(object).Elem(), extra: defaults}
}

func (s *Schema) compiled() *shape {
	s.once.Do(func() { s.shape = s.compiler.compile(s.model) })
	return s.shape
}

// Prune implements resource.Schema: it brings obj into the form that a round trip through its Go type would give, and
// returns the paths of the unknown fields that it removed, sorted. Values of a wrong type stay as they are.
func (s *Schema) Prune(obj resource.Object) []string {
	p := pruner{}
	p.object(obj, s.compiled(), nil)
	slices.Sort(p.unknown)
	return p.unknown
}

// Default implements resource.Schema: structs that Go's encoding always writes, the models' own defaults, and those of
// the Compiler's defaulters, each type before the types inside it.
func (s *Schema) Default(obj resource.Object) {
	fill(obj, s.compiled())
	if s.extra != nil {
		s.extra(obj)
	}
}

// Validate implements resource.Schema: values of enumerations, outside metadata and status. Everything else that
// Kubernetes checks of its own kinds is not in their schemas but in hooks.
func (s *Schema) Validate(_ context.Context, obj, _ resource.Object) field.ErrorList {
	var errs field.ErrorList
	for _, f := range s.compiled().checked {
		if v, ok := obj[f.name]; ok && f.name != "metadata" && f.name != "status" {
			errs = append(errs, checkEnums(v, f.shape, field.NewPath(f.name))...)
		}
	}
	return errs
}

// OpenAPI implements resource.Schema.
func (s *Schema) OpenAPI() *spec.Schema { return s.compiler.models.Schema(s.model) }

// ModelName is the name under which the schema is published: "io.k8s.api.apps.v1.Deployment".
func (s *Schema) ModelName() string { return s.model }

// Compiler makes shapes out of models, each once. It is safe for concurrent use.
type Compiler struct {
	models     *models.Set
	defaulters map[string]Defaulter

	mu     sync.Mutex
	shapes map[string]*shape
	fresh  []*shape // made by the compile call that holds mu; those before it are published and immutable
}

// Defaulter fills in defaults of one object of a model, in place, before those of what is inside it.
type Defaulter func(obj map[string]any)

// NewCompiler returns a Compiler over the models, with the defaulters by model name.
func NewCompiler(m *models.Set, defaulters map[string]Defaulter) *Compiler {
	return &Compiler{models: m, defaulters: defaulters, shapes: map[string]*shape{}}
}
