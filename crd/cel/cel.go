// Package cel evaluates the validation rules of custom resources: x-kubernetes-validations, in the Common Expression
// Language with Kubernetes' library.
//
// A Validator has the rules of one schema. It compiles them when the first object arrives and evaluates them directly
// on decoded JSON: nothing of an object is converted before a rule looks at it. ValidateRules is what is checked of
// rules when a CustomResourceDefinition is written: that they compile, and that they cannot cost too much.
//
// Verdicts, texts and costs are those of kube-apiserver 1.37.
package cel

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/crd/schema"
)

// Budget is the runtime cost that rules may still have, in cel-go's units. Each evaluation takes its cost away; below
// zero nothing more is evaluated, and an error has told so. One expression is stopped at library.PerCallLimit.
type Budget int64

// NewBudget is what kube-apiserver grants to the rules of one object, or to those of one schema's defaults.
func NewBudget() Budget { return 10_000_000 }

// Validator evaluates the rules of a schema. It is safe for concurrent use; a nil one has no rules.
type Validator struct {
	s       *schema.Schema
	compile sync.Once
	root    *node
}

// New returns the Validator of the root schema of a custom kind; nil where it has no rules. It compiles nothing yet.
func New(s *schema.Schema) *Validator {
	if !s.HasRules() {
		return nil
	}
	return &Validator{s: s}
}

// Options say more of one validation. The zero value is fine.
type Options struct {
	// Unchanged gets the errors of rules that fail for values that are as in the old object. They are no errors of
	// the write; kube-apiserver warns of them.
	Unchanged func(*field.Error)
	Budget    *Budget // nil: a new one
}

// Validate evaluates the rules on obj, which must be of the schema's shape and stands at path. old is what obj
// replaces, nil where it is new: transition rules are evaluated on what both have.
//
// Compile errors are reported as errors of the object: an accepted schema has none. When ctx ends, evaluation stops
// with an error.
func (v *Validator) Validate(ctx context.Context, path *field.Path, obj, old any, o Options) field.ErrorList {
	if v == nil {
		return nil
	}
	v.compile.Do(func() { v.root = newNode(v.s, true, nil) })
	if o.Budget == nil {
		b := NewBudget()
		o.Budget = &b
	}
	e := evaluation{ctx: ctx, remaining: int64(*o.Budget), unchanged: o.Unchanged}
	if old == nil {
		e.node(v.root, path, obj, nil, nil, nil)
	} else {
		e.node(v.root, path, obj, old, &pair{value: obj, old: old, s: v.s}, nil)
	}
	*o.Budget = Budget(e.remaining)
	return e.errs
}
