package cel

import (
	"fmt"
	"sync"

	"github.com/google/cel-go/cel"

	"github.com/keelson-project/keelson/crd/cel/library"
)

// shared is what all rules of a process have in common. It is made when the first one is compiled, since that takes
// milliseconds; what it holds follows from its inputs and is seen by nobody, so one is enough.
type shared struct {
	fresh  *cel.Env // of rules that come with a request; the library, without variables
	stored *cel.Env // of rules that are in the store; it knows more
	memory *memory
}

var libraries = sync.OnceValue(func() *shared {
	fresh, err := cel.NewEnv(library.Options()...)
	if err == nil {
		fresh, err = fresh.Extend(cel.CustomTypeProvider(&provider{Provider: fresh.CELTypeProvider()}))
	}
	if err == nil {
		var stored *cel.Env
		if stored, err = fresh.Extend(library.StoredOptions()...); err == nil {
			return &shared{fresh, stored, newMemory()}
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
	*shared
}

// variant says which environment an expression needs.
type variant struct {
	stored          bool
	optionalOldSelf bool
}

func newScope(d *decl) *scope {
	return &scope{d: d, name: selfTypeName(), made: map[variant]*cel.Env{}, shared: libraries()}
}

func (sc *scope) library(v variant) *cel.Env {
	if v.stored {
		return sc.stored
	}
	return sc.fresh
}

func (sc *scope) environment(v variant) (*cel.Env, error) {
	if env := sc.made[v]; env != nil {
		return env, nil
	}
	base := sc.library(v)
	p := &provider{base.CELTypeProvider(), map[string]*decl{}}
	self := p.typeOf(sc.d, sc.name)
	oldSelf := self
	if v.optionalOldSelf {
		oldSelf = cel.OptionalType(self)
	}
	env, err := base.Extend(cel.CustomTypeProvider(p), cel.Variable("self", self), cel.Variable("oldSelf", oldSelf))
	if err != nil {
		return nil, err
	}
	sc.made[v] = env
	return env, nil
}
