// Package library is the library of functions that Kubernetes 1.37 adds to CEL for the validation rules of custom
// resources, with their costs: lists, regular expressions, URLs, quantities, IP addresses and CIDRs, named formats
// and semantic versions. Names, overloads, results and error texts are those of kube-apiserver.
//
// Options returns the whole of it, together with the parts of cel-go's own extensions that Kubernetes turns on. It
// is plain data: an environment is built by whoever needs one.
package library

import (
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/checker"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/ext"
	"github.com/google/cel-go/interpreter"
)

// PerCallLimit is the runtime cost at which the evaluation of one expression is stopped.
const PerCallLimit = 1_000_000

// Options makes the environment in which kube-apiserver 1.37 compiles the rules of a new CustomResourceDefinition.
// No variables are declared in it.
func Options() []cel.EnvOption {
	options := []cel.EnvOption{
		cel.HomogeneousAggregateLiterals(),
		cel.EagerlyValidateDeclarations(true),
		cel.DefaultUTCTimeZone(true),
		cel.CrossTypeNumericComparisons(true),
		cel.CostEstimatorOptions(checker.PresenceTestHasCost(false)),
		cel.OptionalTypes(),
		optionalMacros(),
		cel.ASTValidators(
			cel.ValidateDurationLiterals(),
			cel.ValidateTimestampLiterals(),
			cel.ValidateRegexLiterals(),
			cel.ValidateHomogeneousAggregateLiterals(),
		),
		ext.Strings(ext.StringsVersion(2)),
		ext.Sets(),
		ext.TwoVarComprehensions(),
		ext.Lists(ext.ListsVersion(3)),
		cel.Types(ipType, cidrType),
	}
	for _, functions := range [][]function{
		lists(), regex(), urls(), quantities(), ips(), cidrs(), formats(), semvers(), timestamps(), authorization(),
	} {
		for _, f := range functions {
			options = append(options, cel.Function(f.name, f.overloads...))
		}
	}
	return append(options, cel.Lib(program{}))
}

// StoredOptions adds what kube-apiserver 1.37 evaluates, but accepts in new rules only from its next release on, so
// that a rollback finds no rule that the older server cannot read.
func StoredOptions() []cel.EnvOption {
	return []cel.EnvOption{cel.Function("includes",
		cel.MemberOverload("list_includes_dyn_dyn", []*cel.Type{cel.DynType, cel.DynType}, cel.BoolType, cel.BinaryBinding(includes)))}
}

// program is the library of options that belong to programs.
type program struct{}

func (program) CompileOptions() []cel.EnvOption { return nil }

func (program) ProgramOptions() []cel.ProgramOption {
	return []cel.ProgramOption{
		cel.EvalOptions(cel.OptOptimize, cel.OptTrackCost),
		cel.CostLimit(PerCallLimit),
		cel.CostTrackerOptions(interpreter.PresenceTestHasCost(false)),
		cel.CostTracking(&Cost{}),
		cel.OptimizeRegex(findConstant(), findAllConstant()),
	}
}

type function struct {
	name      string
	overloads []cel.FunctionOpt
}

// noOverload is the answer of a function to a value of another type than it was declared for: that value itself
// where it is an error already.
func noOverload(v ref.Val) ref.Val { return types.MaybeNoSuchOverloadErr(v) }

// unary makes a function of what has the native type T.
func unary[T any](f func(T) ref.Val) cel.OverloadOpt {
	return cel.UnaryBinding(func(arg ref.Val) ref.Val {
		v, ok := arg.Value().(T)
		if !ok {
			return noOverload(arg)
		}
		return f(v)
	})
}

// binary makes a function of two values, of the native types T and U.
func binary[T, U any](f func(T, U) ref.Val) cel.OverloadOpt {
	return cel.BinaryBinding(func(arg, other ref.Val) ref.Val {
		v, ok := arg.Value().(T)
		if !ok {
			return noOverload(arg)
		}
		w, ok := other.Value().(U)
		if !ok {
			return noOverload(arg)
		}
		return f(v, w)
	})
}

func global(id string, args []*cel.Type, result *cel.Type, binding cel.OverloadOpt) cel.FunctionOpt {
	return cel.Overload(id, args, result, binding)
}

func member(id string, args []*cel.Type, result *cel.Type, binding cel.OverloadOpt) cel.FunctionOpt {
	return cel.MemberOverload(id, args, result, binding)
}
