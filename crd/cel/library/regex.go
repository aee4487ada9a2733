package library

import (
	"regexp"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"
)

// regex are find and findAll.
func regex() []function {
	text := []*cel.Type{cel.StringType, cel.StringType}
	return []function{
		{"find", []cel.FunctionOpt{member("string_find_string", text, cel.StringType, cel.FunctionBinding(func(args ...ref.Val) ref.Val {
			return matching(args, first)
		}))}},
		{"findAll", []cel.FunctionOpt{
			member("string_find_all_string", text, cel.ListType(cel.StringType), cel.FunctionBinding(func(args ...ref.Val) ref.Val {
				return matching(args, all)
			})),
			member("string_find_all_string_int", append(text, cel.IntType), cel.ListType(cel.StringType), cel.FunctionBinding(func(args ...ref.Val) ref.Val {
				return matching(args, all)
			})),
		}},
	}
}

func first(re *regexp.Regexp, text string, _ int) ref.Val { return types.String(re.FindString(text)) }

func all(re *regexp.Regexp, text string, limit int) ref.Val {
	return types.NewStringList(types.DefaultTypeAdapter, re.FindAllString(text, limit))
}

type matcher func(re *regexp.Regexp, text string, limit int) ref.Val

// matching compiles the pattern at args[1] for one evaluation.
func matching(args []ref.Val, f matcher) ref.Val {
	pattern, ok := args[1].Value().(string)
	if !ok {
		if _, ok := args[0].Value().(string); !ok {
			return noOverload(args[0])
		}
		return noOverload(args[1])
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return types.NewErr("Illegal regex: %v", err.Error())
	}
	return matchingCompiled(re, args, f)
}

func matchingCompiled(re *regexp.Regexp, args []ref.Val, f matcher) ref.Val {
	text, ok := args[0].Value().(string)
	if !ok {
		return noOverload(args[0])
	}
	limit := int64(-1)
	if len(args) > 2 {
		if limit, ok = args[2].Value().(int64); !ok {
			return noOverload(args[2])
		}
	}
	return f(re, text, int(limit))
}

// findConstant and findAllConstant compile patterns that are literals when the rule is compiled, once.
func findConstant() *interpreter.RegexOptimization    { return constantPattern("find", first) }
func findAllConstant() *interpreter.RegexOptimization { return constantPattern("findAll", all) }

func constantPattern(name string, f matcher) *interpreter.RegexOptimization {
	return &interpreter.RegexOptimization{
		Function: name, RegexIndex: 1,
		Factory: func(call interpreter.InterpretableCall, pattern string) (interpreter.InterpretableCall, error) {
			re, err := regexp.Compile(pattern)
			if err != nil {
				return nil, err
			}
			return interpreter.NewCall(call.ID(), call.Function(), call.OverloadID(), call.Args(), func(args ...ref.Val) ref.Val {
				if len(args) < 2 || len(args) > 3 {
					return types.NoSuchOverloadErr()
				}
				return matchingCompiled(re, args, f)
			}), nil
		},
	}
}
