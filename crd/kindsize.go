package crd

import (
	"fmt"

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
)

// checkKindSize refuses what no real definition has, before anything is decoded.
func checkKindSize(obj resource.Object) error {
	var s kindSize
	s.add(obj, 1, 1)
	switch {
	case s.depth > maxKindDepth:
		return fmt.Errorf("it nests %d levels deep, at most %d are allowed", s.depth, maxKindDepth)
	case s.objects > maxKindObjects:
		return fmt.Errorf("it consists of %d objects, at most %d are allowed", s.objects, maxKindObjects)
	case s.work > maxKindWork:
		return fmt.Errorf("too much of it is below many levels of items and additionalProperties")
	}
	return nil
}

type kindSize struct{ depth, objects, work int }

// add counts x, which is read that many times.
func (s *kindSize) add(x any, depth, times int) {
	s.depth = max(s.depth, depth)
	switch x := x.(type) {
	case map[string]any:
		s.objects++
		for name, value := range x {
			s.work += times * len(name)
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
