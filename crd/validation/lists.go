package validation

import (
	"encoding/json"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/crd/schema"
)

// ValidateLists checks that lists of type set hold no value twice, and lists of type map no key.
func ValidateLists(path *field.Path, value any, s *schema.Schema) field.ErrorList {
	if s == nil || !s.HasUnique() {
		return nil
	}
	var errs field.ErrorList
	switch x := value.(type) {
	case map[string]any:
		names := make([]string, 0, len(x))
		for name := range x {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			if s.Additional != nil {
				errs = append(errs, ValidateLists(path.Key(name), x[name], s.Additional)...)
			}
			if p, ok := s.Properties[name]; ok {
				errs = append(errs, ValidateLists(path.Child(name), x[name], p)...)
			}
		}
	case []any:
		switch s.ListType {
		case "set":
			for _, i := range repeated(x) {
				errs = append(errs, field.Duplicate(path.Index(i), x[i]))
			}
		case "map":
			errs = append(errs, validateKeys(path, x, s.ListMapKeys)...)
		}
		for i, element := range x {
			errs = append(errs, ValidateLists(path.Index(i), element, s.Items)...)
		}
	}
	return errs
}

func validateKeys(path *field.Path, list []any, names []string) field.ErrorList {
	keys := make([]any, len(list))
	for i, element := range list {
		x, ok := element.(map[string]any)
		if element != nil && !ok {
			return field.ErrorList{field.Invalid(path.Index(i), element,
				"must be an object for an array of list-type map")}
		}
		key := make(map[string]any, len(names))
		for _, name := range names {
			if value, ok := x[name]; ok {
				key[name] = value
			}
		}
		keys[i] = key
	}
	var errs field.ErrorList
	for _, i := range repeated(keys) {
		errs = append(errs, field.Duplicate(path.Index(i), keys[i]))
	}
	return errs
}

// repeated returns the index of the second appearance of each value that appears more than once.
func repeated(list []any) []int {
	if len(list) < 2 {
		return nil
	}
	var out []int
	seen := make(map[any]int, len(list))
	for i, element := range list {
		key := element
		switch element.(type) {
		case map[string]any, []any:
			encoded, err := json.Marshal(element)
			if err != nil {
				continue // not JSON; the check of types tells of it
			}
			key = compound(encoded)
		}
		if seen[key]++; seen[key] == 2 {
			out = append(out, i)
		}
	}
	return out
}

// compound is the encoded form of an object or list, as a key that no string equals.
type compound string
