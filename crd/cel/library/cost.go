package library

import (
	"math"

	"github.com/google/cel-go/checker"
	"github.com/google/cel-go/common"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// Cost knows what calls cost: CallCost while a rule is evaluated, EstimateCallCost at worst, before. Both decide
// what is accepted, so the numbers are kube-apiserver's and must never change. Functions that it does not know have
// cel-go's costs.
type Cost struct {
	// Sizes bounds the values that a rule finds in an object. Without it they are unbounded.
	Sizes interface {
		EstimateSize(node checker.AstNode) *checker.SizeEstimate
	}
}

// nominal says of which functions a call costs 1, whatever its arguments.
func nominal(function string) bool {
	switch function {
	case "serviceAccount", "path", "group", "resource", "subresource", "namespace", "name", "allowed", "reason", "error", "errored",
		"masked", "prefixLength", "family", "isUnspecified", "isLoopback", "isLinkLocalMulticast", "isLinkLocalUnicast", "isGlobalUnicast",
		"sign", "asInteger", "isInteger", "asApproximateFloat", "isGreaterThan", "isLessThan", "compareTo", "add", "sub",
		"major", "minor", "patch",
		"getScheme", "getHostname", "getHost", "getPort", "getEscapedPath", "getQuery",
		"format.named":
		return true
	}
	return false
}

// checkCost is high, so that a rule has room for two authorization checks.
const checkCost = 350_000

// CallCost implements interpreter.ActualCostEstimator.
func (c *Cost) CallCost(function, overload string, args []ref.Val, result ref.Val) *uint64 {
	cost, known := uint64(0), true
	switch {
	case nominal(function):
		cost = 1
	case function == "check":
		cost = checkCost
	case function == "_==_" && len(args) == 2:
		known = opaque(args[0])
		cost = 1
	case len(args) == 0:
		known = false
	default:
		cost, known = callCost(function, overload, args, result)
	}
	if !known {
		return nil
	}
	return &cost
}

func callCost(function, overload string, args []ref.Val, result ref.Val) (cost uint64, known bool) {
	switch function {
	case "isSorted", "sum", "max", "min", "indexOf", "lastIndexOf", "includes":
		return traversal(args[0]), true
	case "url", "lowerAscii", "upperAscii", "substring", "trim", "jsonpatch.escapeKey",
		"cidr", "isIP", "isCIDR", "quantity", "isQuantity", "semver", "isSemver":
		return scan(size(args[0])), true
	case "ip":
		if overload == "cidr_ip" {
			return 1, true
		}
		return scan(size(args[0])), true
	case "replace", "split", "ip.isCanonical":
		return scan2(size(args[0])), true
	case "join":
		return scan2(size(result)), true
	}
	if len(args) < 2 {
		return 0, false
	}
	switch function {
	case "fieldSelector", "labelSelector":
		return selectorCost(fixed(size(args[1]))).Max, true
	case "find", "findAll":
		return search(size(args[0]), size(args[1])), true
	case "containsIP":
		cost = scan(2 * size(args[0]))
		if overload == "cidr_contains_ip_string" {
			cost += scan(size(args[1]))
		}
		return cost, true
	case "containsCIDR":
		cost = scan(2*size(args[0])) + scan(size(args[0])) + 1
		if overload == "cidr_contains_cidr_string" {
			cost += scan(size(args[1]))
		}
		return cost, true
	case "validate":
		if f, ok := args[0].(*format); ok {
			return search(size(args[1]), uint64(f.size)), true
		}
	}
	return 0, false
}

// opaque says whether v has one of our types, which are compared in one step.
func opaque(v ref.Val) bool {
	switch v.(type) {
	case quantity, *quantity, ip, cidr, *format, webAddress, semanticVersion:
		return true
	}
	return false
}

// scan is the cost of reading n characters once, scan2 of reading them and writing as many.
func scan(n uint64) uint64 { return uint64(math.Ceil(float64(n) * common.StringTraversalCostFactor)) }
func scan2(n uint64) uint64 {
	return uint64(math.Ceil(float64(n) * 2 * common.StringTraversalCostFactor))
}

// search is the cost of matching n characters with a pattern of m. Empty texts are not free: the pattern is read.
func search(n, m uint64) uint64 {
	return uint64(math.Ceil((1+float64(n))*common.StringTraversalCostFactor)) *
		uint64(math.Ceil(float64(m)*common.RegexStringLengthCostFactor))
}

func size(v ref.Val) uint64 {
	if s, ok := v.(traits.Sizer); ok {
		return uint64(s.Size().(types.Int))
	}
	return 1
}

// traversal is the cost of reading all that v consists of.
func traversal(v ref.Val) uint64 {
	cost := uint64(0)
	switch v := v.(type) {
	case types.String:
		return uint64(float64(len(v)) * common.StringTraversalCostFactor)
	case types.Bytes:
		return uint64(float64(len(v)) * common.StringTraversalCostFactor)
	case traits.Lister:
		for it := v.Iterator(); it.HasNext() == types.True; {
			cost += traversal(it.Next())
		}
	case traits.Mapper:
		for it := v.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			cost += traversal(key) + traversal(v.Get(key))
		}
	default:
		return 1
	}
	return cost
}

func fixed(n uint64) checker.SizeEstimate { return checker.SizeEstimate{Min: n, Max: n} }

// selectorCost is that of parsing a selector of so many characters: a requirement has two at least, and is a struct
// with a list.
func selectorCost(length checker.SizeEstimate) checker.CostEstimate {
	list := checker.CostEstimate{Min: common.ListCreateBaseCost, Max: common.ListCreateBaseCost}
	requirements := length.MultiplyByCostFactor(.5)
	return list.Add(length.MultiplyByCostFactor(common.StringTraversalCostFactor)).
		Add(requirements.MultiplyByCostFactor(common.ListCreateBaseCost + common.StructCreateBaseCost))
}
