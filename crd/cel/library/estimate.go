package library

import (
	"math"

	"github.com/google/cel-go/checker"
	"github.com/google/cel-go/common"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"
)

// EstimateSize implements checker.CostEstimator.
func (c *Cost) EstimateSize(node checker.AstNode) *checker.SizeEstimate {
	if c.Sizes == nil {
		return nil
	}
	return c.Sizes.EstimateSize(node)
}

// EstimateCallCost implements checker.CostEstimator.
func (c *Cost) EstimateCallCost(function, overload string, target *checker.AstNode, args []checker.AstNode) *checker.CallEstimate {
	switch {
	case nominal(function), overload == "cidr_ip":
		return costing(between(1, 1), nil)
	case function == "check":
		return costing(between(checkCost, checkCost), nil)
	}
	var estimate *checker.CallEstimate
	if target != nil {
		estimate = c.estimateMethod(function, *target, args)
	}
	if estimate == nil && len(args) > 0 {
		estimate = c.estimateFunction(function, overload, args)
	}
	return estimate
}

// estimateMethod estimates what depends on the size of the value that a function is called on.
func (c *Cost) estimateMethod(function string, target checker.AstNode, args []checker.AstNode) *checker.CallEstimate {
	sz := func() checker.SizeEstimate { return c.size(target) }
	switch function {
	case "isSorted", "sum", "max", "min", "indexOf", "lastIndexOf", "includes":
		return costing(c.comparisons(function, target), nil)
	case "lowerAscii", "upperAscii", "substring", "trim":
		return costing(read(sz()), ptr(sz()))
	case "replace":
		if len(args) >= 2 {
			return costing(readAndWrite(sz()), ptr(replaced(sz(), c.size(args[0]), c.size(args[1]))))
		}
	case "split":
		most := sz().Max // each character an item
		if len(args) > 1 {
			if limit := args[1].Expr().AsLiteral(); limit != nil {
				if n, ok := limit.Value().(int64); ok {
					most = uint64(n)
				}
			}
		}
		return costing(readAndWrite(sz()), &checker.SizeEstimate{Max: most})
	case "join":
		joined := c.joined(target, args)
		return costing(read(joined), &joined)
	case "find", "findAll":
		if len(args) >= 1 {
			text := read(sz().Add(fixed(1)))
			pattern := c.size(args[0]).MultiplyByCostFactor(common.RegexStringLengthCostFactor)
			return costing(text.Multiply(pattern), &checker.SizeEstimate{Max: sz().Max})
		}
	}
	return nil
}

func (c *Cost) estimateFunction(function, overload string, args []checker.AstNode) *checker.CallEstimate {
	sz := func() checker.SizeEstimate { return c.size(args[0]) }
	address := checker.SizeEstimate{Min: 4, Max: 16} // bytes
	switch function {
	case "fieldSelector", "labelSelector":
		if len(args) == 1 {
			return costing(selectorCost(sz()), nil)
		}
	case "url", "jsonpatch.escapeKey":
		if len(args) == 1 {
			return costing(read(sz()), ptr(sz()))
		}
	case "cidr", "isIP", "isCIDR", "ip", "quantity", "isQuantity", "semver", "isSemver":
		return costing(read(sz()), nil)
	case "ip.isCanonical":
		return costing(readAndWrite(sz()), nil)
	case "containsIP":
		cost := read(address.Add(address))
		if overload == "cidr_contains_ip_string" {
			cost = cost.Add(read(sz()))
		}
		return costing(cost, nil)
	case "containsCIDR":
		cost := read(address.Add(address)).Add(read(address)).Add(between(1, 1))
		if overload == "cidr_contains_cidr_string" {
			cost = cost.Add(read(sz()))
		}
		return costing(cost, nil)
	case "validate":
		const longestPattern = 128
		return costing(read(sz()).MultiplyByCostFactor(longestPattern*common.RegexStringLengthCostFactor), nil)
	case "_==_":
		if len(args) == 2 {
			return equality(args[0], args[1])
		}
	}
	return nil
}

// equality estimates the comparison of two values of one of our types; nil where they are of others.
func equality(a, b checker.AstNode) *checker.CallEstimate {
	t := a.Type()
	if t.Equal(b.Type()) != types.True {
		return nil
	}
	switch t.Kind() {
	case types.OpaqueKind:
		if t.TypeName() == ipType.TypeName() || t.TypeName() == cidrType.TypeName() {
			return costing(between(1, 1), nil)
		}
	case types.StructKind:
		switch t {
		case quantityType, semverType, authorizerType, pathCheckType, groupCheckType, resourceCheckType, decisionType:
			return costing(between(1, 1), nil)
		case formatType:
			const longestName = 64
			return costing(between(1, longestName).MultiplyByCostFactor(common.StringTraversalCostFactor), nil)
		case urlType:
			most := uint64(1)
			if known := b.ComputedSize(); known != nil { // that of the right side alone counts in kube-apiserver
				most = known.Max
			}
			return costing(between(1, most).MultiplyByCostFactor(common.StringTraversalCostFactor), nil)
		}
	}
	return nil
}

// comparisons is the cost of comparing each item of a list; texts are read for that. indexOf and lastIndexOf are
// methods of texts, too.
func (c *Cost) comparisons(function string, list checker.AstNode) checker.CostEstimate {
	each := between(1, 1)
	if item := items(list); item != nil {
		if k := item.t.Kind(); k == types.StringKind || k == types.BytesKind {
			each = each.Add(read(c.size(item)))
		}
	} else if function != "includes" {
		return read(c.size(list))
	}
	return c.size(list).MultiplyByCost(each)
}

// replaced is the size of a text of size sz after old gave way to replacement: longest where the shortest old makes
// room for the longest replacement as often as can be, and the other way round.
func replaced(sz, old, replacement checker.SizeEstimate) checker.SizeEstimate {
	var count, kept checker.SizeEstimate
	switch {
	case old.Min == 0: // the replacement surrounds every character
		count.Max, kept.Max = increment(sz.Max), sz.Max
	case replacement.Max <= old.Min: // it does not grow
		kept.Max = sz.Max
	default:
		count.Max = uint64(math.Ceil(float64(sz.Max) / float64(old.Min)))
	}
	switch {
	case old.Max == 0:
		count.Min, kept.Min = increment(sz.Min), sz.Min
	case old.Max <= replacement.Min: // it does not shrink
		kept.Min = sz.Min
	default:
		count.Min = uint64(math.Ceil(float64(sz.Min) / float64(old.Max)))
	}
	return count.Multiply(replacement).Add(kept)
}

func (c *Cost) joined(list checker.AstNode, args []checker.AstNode) checker.SizeEstimate {
	var sz checker.SizeEstimate
	n := c.size(list)
	if item := items(list); item != nil {
		sz = n.Multiply(c.size(item))
	}
	if len(args) > 0 {
		separators := checker.SizeEstimate{Min: decrement(n.Min), Max: decrement(n.Max)}
		sz = sz.Add(c.size(args[0]).Multiply(separators))
	}
	return sz
}

func (c *Cost) size(node checker.AstNode) checker.SizeEstimate {
	if known := node.ComputedSize(); known != nil {
		return *known
	}
	if known := c.EstimateSize(node); known != nil {
		return *known
	}
	return checker.SizeEstimate{Max: math.MaxUint64}
}

// items returns the node that stands for the items of list; nil where their type is not known.
func items(list checker.AstNode) *itemNode {
	params := list.Type().Parameters()
	if len(params) == 0 {
		return nil
	}
	n := &itemNode{t: params[0]}
	if path := list.Path(); path != nil {
		n.path = append(append(make([]string, 0, len(path)+1), path...), "@items")
	}
	return n
}

type itemNode struct {
	path []string
	t    *types.Type
}

func (n *itemNode) Path() []string                      { return n.path }
func (n *itemNode) Type() *types.Type                   { return n.t }
func (n *itemNode) Expr() ast.Expr                      { return nil }
func (n *itemNode) ComputedSize() *checker.SizeEstimate { return nil }

func read(n checker.SizeEstimate) checker.CostEstimate {
	return n.MultiplyByCostFactor(common.StringTraversalCostFactor)
}

func readAndWrite(n checker.SizeEstimate) checker.CostEstimate {
	return n.MultiplyByCostFactor(2 * common.StringTraversalCostFactor)
}

func between(least, most uint64) checker.CostEstimate {
	return checker.CostEstimate{Min: least, Max: most}
}

func costing(cost checker.CostEstimate, result *checker.SizeEstimate) *checker.CallEstimate {
	return &checker.CallEstimate{CostEstimate: cost, ResultSize: result}
}

func ptr(n checker.SizeEstimate) *checker.SizeEstimate { return &n }

func increment(n uint64) uint64 {
	if n == math.MaxUint64 {
		return n
	}
	return n + 1
}

func decrement(n uint64) uint64 {
	if n == 0 {
		return 0
	}
	return n - 1
}
