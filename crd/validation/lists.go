package validation

import (
	"encoding/json"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/crd/schema"
)

// ValidateLists checks that lists of type set hold no value twice, and lists of type map no key.
func ValidateLists(path *field.Path, value any, s *schema.Schema) field.ErrorList {
	if listsHold(value, s) {
		return nil
	}
	return explainLists(path, value, s)
}

// listsHold says whether there is nothing to tell. It writes no paths and sorts no names.
func listsHold(value any, s *schema.Schema) bool {
	if !s.HasUnique() {
		return true
	}
	switch x := value.(type) {
	case map[string]any:
		for name, member := range x {
			if !listsHold(member, s.Additional) || !listsHold(member, s.Properties[name]) {
				return false
			}
		}
	case []any:
		isMap := s.ListType == "map"
		if (isMap || s.ListType == "set") && !areDistinct(x, isMap, s.ListMapKeys) {
			return false
		}
		for _, element := range x {
			if !listsHold(element, s.Items) {
				return false
			}
		}
	}
	return true
}

func explainLists(path *field.Path, value any, s *schema.Schema) field.ErrorList {
	if !s.HasUnique() {
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
				errs = append(errs, explainLists(path.Key(name), x[name], s.Additional)...)
			}
			if p, ok := s.Properties[name]; ok {
				errs = append(errs, explainLists(path.Child(name), x[name], p)...)
			}
		}
	case []any:
		switch s.ListType {
		case "map":
			errs = append(errs, validateKeys(path, x, s.ListMapKeys)...)
		case "set":
			for _, i := range repeated(x) {
				errs = append(errs, field.Duplicate(path.Index(i), x[i]))
			}
		}
		for i, element := range x {
			errs = append(errs, explainLists(path.Index(i), element, s.Items)...)
		}
	}
	return errs
}

// areDistinct says that no element, or key of one, appears twice, if it can tell so without taking memory: lists are
// mostly short, and keys strings.
func areDistinct(list []any, byKeys bool, names []string) bool {
	const short = 24 // beyond, comparing each with each takes longer than sorting them into a map
	if len(list) > short {
		return false
	}
	for i, element := range list {
		x, isObject := element.(map[string]any)
		if byKeys && !isObject {
			return false
		}
		for _, other := range list[:i] {
			different := false
			if byKeys {
				different = differ(x, other.(map[string]any), names)
			} else {
				different = isComparable(element) && isComparable(other) && element != other
			}
			if !different {
				return false
			}
		}
	}
	return true
}

// differ says that a and b have different scalars under one of the names.
func differ(a, b map[string]any, names []string) bool {
	for _, name := range names {
		if x, ok := a[name].(string); ok {
			if other, ok := b[name].(string); ok && x != other {
				return true
			}
		} else if x, ok := a[name].(int64); ok {
			if other, ok := b[name].(int64); ok && x != other {
				return true
			}
		}
	}
	return false
}

func isComparable(value any) bool {
	switch value.(type) {
	case map[string]any, []any:
		return false
	}
	return true
}

func validateKeys(path *field.Path, list []any, names []string) field.ErrorList {
	keys := make([]any, len(list))
	for i, element := range list {
		x, ok := element.(map[string]any)
		if element != nil && !ok {
			return field.ErrorList{field.Invalid(path.Index(i), element,
				"must be an object for an array of list-type map")}
		}
		keys[i] = keyIn(x, names)
	}
	var errs field.ErrorList
	for _, i := range repeated(keys) {
		x, _ := list[i].(map[string]any)
		shown := make(map[string]any, len(names))
		for _, name := range names {
			if value, ok := x[name]; ok {
				shown[name] = value
			}
		}
		errs = append(errs, field.Duplicate(path.Index(i), shown))
	}
	return errs
}

// keyIn is what tells x from the other elements. Kubernetes compares one key as a Go value, so that 1 is not 1.0, and
// several in JSON, where it is.
func keyIn(x map[string]any, names []string) any {
	if len(names) == 1 {
		if value, ok := x[names[0]]; ok {
			return value
		}
		return noKey{}
	}
	key := make(map[string]any, len(names))
	for _, name := range names {
		if value, ok := x[name]; ok {
			key[name] = value
		}
	}
	return key
}

// noKey is the key of elements that have none; it equals no value.
type noKey struct{}

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
