package library

import (
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
)

// optionalMacros replaces cel-go's optMap and optFlatMap. Newer releases than kube-apiserver's evaluate the target
// once, in a comprehension around the whole, which gives other costs; those decide which CRDs are accepted.
func optionalMacros() cel.EnvOption {
	return cel.Macros(
		cel.ReceiverMacro("optMap", 2, func(f cel.MacroExprFactory, target ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
			bound, err := bindValue(f, "optMap", target, args)
			if err != nil {
				return nil, err
			}
			return whenPresent(f, target, f.NewCall("optional.of", bound)), nil
		}),
		cel.ReceiverMacro("optFlatMap", 2, func(f cel.MacroExprFactory, target ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
			bound, err := bindValue(f, "optFlatMap", target, args)
			if err != nil {
				return nil, err
			}
			return whenPresent(f, target, bound), nil
		}),
	)
}

// bindValue is args[1] with the variable args[0] standing for the value of target.
func bindValue(f cel.MacroExprFactory, name string, target ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
	if args[0].Kind() != ast.IdentKind {
		return nil, f.NewError(args[0].ID(), name+"() variable name must be a simple identifier")
	}
	variable := args[0].AsIdent()
	return f.NewComprehension(f.NewList(), "#unused", variable, f.NewMemberCall("value", f.Copy(target)),
		f.NewLiteral(types.False), f.NewIdent(variable), args[1]), nil
}

func whenPresent(f cel.MacroExprFactory, target, then ast.Expr) ast.Expr {
	return f.NewCall(operators.Conditional, f.NewMemberCall("hasValue", target), then, f.NewCall("optional.none"))
}
