package cel

import (
	"fmt"
	"sync"

	"github.com/google/cel-go/cel"

	"github.com/keelson-project/keelson/crd/cel/library"
)

// environments are the two that rules are compiled in. They hold the library and no variables; both are made when
// the first rule is compiled, once in a process, since that takes milliseconds and what it gives never changes.
type environments struct {
	fresh  *cel.Env // of rules that come with a request
	stored *cel.Env // of rules that are in the store; it knows more
}

var libraries = sync.OnceValue(func() environments {
	fresh, err := cel.NewEnv(library.Options()...)
	if err == nil {
		fresh, err = fresh.Extend(cel.CustomTypeProvider(&provider{Provider: fresh.CELTypeProvider()}))
	}
	if err == nil {
		var stored *cel.Env
		if stored, err = fresh.Extend(library.StoredOptions()...); err == nil {
			return environments{fresh, stored}
		}
	}
	panic(fmt.Sprintf("the CEL library contradicts itself: %v", err)) // its tests have seen this
})

// scope is where the rules of one node are compiled: it knows the type of self. The environments with variables are
// made on demand and dropped after compilation; programs belong to those of the library.
type scope struct {
	d    *decl
	name string // of the type of self
	made map[variant]*cel.Env
}

// variant says which environment a rule needs.
type variant struct {
	stored          bool
	optionalOldSelf bool
}

func newScope(d *decl) *scope {
	return &scope{d: d, name: selfTypeName(), made: map[variant]*cel.Env{}}
}

func (s *scope) library(v variant) *cel.Env {
	if v.stored {
		return libraries().stored
	}
	return libraries().fresh
}

func (s *scope) environment(v variant) (*cel.Env, error) {
	if env := s.made[v]; env != nil {
		return env, nil
	}
	base := s.library(v)
	p := &provider{base.CELTypeProvider(), map[string]*decl{}}
	self := p.typeOf(s.d, s.name)
	oldSelf := self
	if v.optionalOldSelf {
		oldSelf = cel.OptionalType(self)
	}
	env, err := base.Extend(cel.CustomTypeProvider(p), cel.Variable("self", self), cel.Variable("oldSelf", oldSelf))
	if err != nil {
		return nil, err
	}
	s.made[v] = env
	return env, nil
}
