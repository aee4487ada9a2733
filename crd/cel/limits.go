package cel

import (
	"fmt"
	"math"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/crd/schema"
)

// Limits of estimated costs, of one expression and of all in a schema.
const (
	ruleLimit  = 10_000_000
	totalLimit = 100_000_000
)

// cardinality is how many values of a node one object can have at most. bounded is false below a list or map without
// a limit; the size of a request bounds that.
type cardinality struct {
	n       uint64
	bounded bool
}

// below is the cardinality of the items, members or properties of s, which has c itself.
func (c cardinality) below(s *schema.Schema) cardinality {
	var limit *int64
	switch {
	case s.Type == "array":
		limit = s.MaxItems
	case s.Type == "object" && (s.Additional != nil || s.AnyAdditional):
		limit = s.MaxProperties
	default:
		return c
	}
	if !c.bounded || limit == nil {
		return cardinality{}
	}
	return cardinality{times(c.n, uint64(max(0, *limit))), true}
}

// of is the cost of an expression on all values of d.
func (c cardinality) of(cost uint64, d *decl) uint64 {
	if !c.bounded {
		return times(cost, uint64(maxRequest/(d.minSize+1))) // with a comma between them
	}
	return times(cost, c.n)
}

func times(a, b uint64) uint64 {
	switch {
	case a == 0:
		return 0
	case math.MaxUint64/a < b:
		return math.MaxUint64
	}
	return a * b
}

// total adds up what all expressions of a schema cost, and remembers those that cost most.
type total struct {
	cost      uint64
	expensive []expense // four at most, in falling order
}

type expense struct {
	path *field.Path
	cost uint64
}

func (t *total) add(path *field.Path, cost uint64) {
	if math.MaxUint64-t.cost < cost {
		t.cost = math.MaxUint64
	} else {
		t.cost += cost
	}
	if cost < totalLimit/100 {
		return
	}
	t.expensive = append(t.expensive, expense{path, cost})
	slices.SortStableFunc(t.expensive, func(a, b expense) int {
		switch {
		case a.cost > b.cost:
			return -1
		case a.cost < b.cost:
			return 1
		}
		return 0
	})
	t.expensive = t.expensive[:min(4, len(t.expensive))]
}

// check reports the most expensive expressions, and the sum at path, where that is over the limit.
func (t *total) check(path *field.Path) (errs field.ErrorList) {
	if t.cost <= totalLimit {
		return nil
	}
	for _, e := range t.expensive {
		errs = append(errs, field.Forbidden(e.path, "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"))
	}
	return append(errs, field.Forbidden(path, excess("x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema", t.cost, totalLimit)))
}

// excess says by how much a cost is too high, and what helps. Great factors come from loops in loops without limits;
// their number says nothing.
func excess(what string, cost, limit uint64) string {
	factor := float64(cost) / float64(limit)
	text := fmt.Sprintf("%.1fx", factor)
	switch {
	case factor > 100:
		text = "more than 100x"
	case factor < 1.5:
		text = fmt.Sprintf("%fx", factor)
	}
	return what + " exceeds budget by factor of " + text +
		" (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)"
}
