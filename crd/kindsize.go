package crd

import (
	"fmt"
	"regexp/syntax"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// What a CustomResourceDefinition may be at most. Real ones nest 40 levels deep and have an object in 60 bytes or more;
// what is beyond was made to cost the server memory (a schema takes a hundred times the three bytes of "{},") or time
// (the decoder reads the schema of items, and of additionalProperties, once for each level that it is deep in these).
const (
	maxKindBody    = 10 << 20 // Kubernetes: 3 MiB. Those that come with 8 MiB must fit with what the server adds.
	maxKindDepth   = 300
	maxKindObjects = 200_000
	maxKindWork    = 384 << 20 // bytes, as often as they are read
	maxKindPattern = 4 << 20   // steps of all patterns: "(a{100}b){10}" has some 1,010, of 40 bytes each
)

// checkKindSize refuses what no real definition has, before anything is decoded.
func checkKindSize(obj resource.Object) error {
	var s kindSize
	s.add(obj, 1, 1)
	return s.check()
}

func (s *kindSize) check() error {
	switch {
	case s.depth > maxKindDepth:
		return fmt.Errorf("it nests %d levels deep, at most %d are allowed", s.depth, maxKindDepth)
	case s.objects > maxKindObjects:
		return fmt.Errorf("it consists of %d objects, at most %d are allowed", s.objects, maxKindObjects)
	case s.work > maxKindWork:
		return fmt.Errorf("too much of it is below many levels of items and additionalProperties")
	case patternSteps(s.patterns, maxKindPattern) > maxKindPattern:
		return fmt.Errorf("its patterns repeat too much: together they have more than %d steps", maxKindPattern)
	}
	return nil
}

type kindSize struct {
	depth, objects, work int
	patterns             []string
}

// merge counts what other has counted.
func (s *kindSize) merge(other *kindSize) {
	s.depth = max(s.depth, other.depth)
	s.objects += other.objects
	s.work += other.work
	s.patterns = append(s.patterns, other.patterns...)
}

// add counts x, which is read that many times.
func (s *kindSize) add(x any, depth, times int) {
	s.depth = max(s.depth, depth)
	switch x := x.(type) {
	case map[string]any:
		s.objects++
		for name, value := range x {
			s.work += times * len(name)
			if text, ok := value.(string); ok && name == "pattern" {
				s.patterns = append(s.patterns, text)
			}
			if name == "items" || name == "additionalProperties" || name == "additionalItems" {
				s.add(value, depth+1, times+1)
			} else {
				s.add(value, depth+1, times)
			}
		}
	case []any:
		for _, value := range x {
			s.add(value, depth+1, times)
		}
	case string:
		s.work += times * len(x)
	default:
		s.work += times * 8
	}
}

// patternSteps counts what the patterns have when they are compiled, up to where that is over the limit. It compiles
// them only if their length and the counts in them leave it open.
func patternSteps(patterns []string, limit int) int {
	most := 0
	for _, p := range patterns {
		most += len(p) * mostRepeated(p)
	}
	if most <= limit {
		return most
	}
	steps := 0
	for _, p := range patterns {
		re, err := syntax.Parse(p, syntax.Perl)
		if err != nil {
			continue // refused as such
		}
		if prog, err := syntax.Compile(re.Simplify()); err == nil {
			steps += len(prog.Inst)
		}
		if steps > limit {
			break
		}
	}
	return steps
}

// maxRepeat is how often RE2 repeats anything, counts in counts multiplied.
const maxRepeat = 1000

// mostRepeated is an upper bound of how often any part of a pattern is repeated: the product of all counts.
func mostRepeated(pattern string) int {
	product, n := 1, 0
	inBraces := false
	for i := 0; i < len(pattern) && product < maxRepeat; i++ {
		switch c := pattern[i]; {
		case c == '{':
			inBraces, n = true, 0
		case inBraces && c >= '0' && c <= '9':
			n = min(10*n+int(c-'0'), maxRepeat)
		case inBraces && c == ',': // the upper count follows, or none
			product *= max(n, 1)
			n = 0
		case c == '}':
			product *= max(n, 1)
			inBraces = false
		}
	}
	return min(product, maxRepeat)
}
