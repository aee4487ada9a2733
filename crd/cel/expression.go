package cel

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// Expression computes a value from one variable, self, of which no type is known. It is safe for concurrent use.
type Expression struct{ program cel.Program }

// untyped is the environment of Expressions, made when the first is compiled, like the libraries that it is of.
var untyped = sync.OnceValues(func() (*cel.Env, error) {
	return libraries().stored.Extend(cel.Variable("self", cel.DynType))
})

// CompileExpression compiles text with the library that rules have. Its errors are of the compiler, with positions.
func CompileExpression(text string) (*Expression, error) {
	env, err := untyped()
	if err != nil {
		return nil, err
	}
	ast, issues := env.Compile(text)
	if issues.Err() != nil {
		return nil, issues.Err()
	}
	program, err := env.Program(ast, cel.InterruptCheckFrequency(checkFrequency)) // the library limits its cost
	if err != nil {
		return nil, err
	}
	return &Expression{program}, nil
}

// Eval returns the value for self, in the shapes of decoded JSON (see resource.Object). It is not present where the
// expression gives an optional without a value. When ctx ends, evaluation stops with an error.
func (e *Expression) Eval(ctx context.Context, self any) (value any, present bool, err error) {
	out, _, err := e.program.ContextEval(ctx, map[string]any{"self": self})
	if err != nil {
		return nil, false, err
	}
	return toJSON(out)
}

func toJSON(v ref.Val) (value any, present bool, err error) {
	switch v := v.(type) {
	case *types.Optional:
		if !v.HasValue() {
			return nil, false, nil
		}
		return toJSON(v.GetValue())
	case types.Null:
		return nil, true, nil
	case types.Bool:
		return bool(v), true, nil
	case types.String:
		return string(v), true, nil
	case types.Int:
		return int64(v), true, nil
	case types.Uint:
		if uint64(v) > math.MaxInt64 {
			return nil, false, fmt.Errorf("%d is too large", uint64(v))
		}
		return int64(v), true, nil
	case types.Double:
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, false, fmt.Errorf("%v is no number of JSON", f)
		}
		return float64(v), true, nil
	case traits.Mapper:
		return mapToJSON(v)
	case traits.Lister:
		return listToJSON(v)
	case *types.Err:
		return nil, false, v
	}
	return nil, false, fmt.Errorf("a value of type %s is none of JSON", v.Type().TypeName())
}

func mapToJSON(m traits.Mapper) (any, bool, error) {
	out := map[string]any{}
	for it := m.Iterator(); it.HasNext() == types.True; {
		key := it.Next()
		name, ok := key.(types.String)
		if !ok {
			return nil, false, errors.New("the keys of an object are strings")
		}
		value, present, err := toJSON(m.Get(key))
		if err != nil {
			return nil, false, err
		}
		if present {
			out[string(name)] = value
		}
	}
	return out, true, nil
}

func listToJSON(l traits.Lister) (any, bool, error) {
	out := []any{}
	for it := l.Iterator(); it.HasNext() == types.True; {
		value, present, err := toJSON(it.Next())
		if err != nil {
			return nil, false, err
		}
		if present {
			out = append(out, value)
		}
	}
	return out, true, nil
}
