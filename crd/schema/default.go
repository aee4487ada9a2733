package schema

import kruntime "k8s.io/apimachinery/pkg/runtime"

// Default fills in, in place, what obj lacks and s has a default for. A null where s is not nullable counts as
// absent and gives way to the default; see Prune for those without.
func Default(obj map[string]any, s *Schema) { fill(obj, s) }

func fill(x any, s *Schema) {
	if !s.fills() {
		return
	}
	switch x := x.(type) {
	case map[string]any:
		for _, name := range s.defaulted {
			p := s.Properties[name]
			if value, found := x[name]; !found || value == nil && !p.Nullable {
				x[name] = kruntime.DeepCopyJSONValue(p.Default)
			}
		}
		for name, value := range x {
			if p, ok := s.Properties[name]; ok {
				fill(value, p)
				continue
			}
			if value == nil && s.Additional.replacesNull() {
				value = kruntime.DeepCopyJSONValue(s.Additional.Default)
				x[name] = value
			}
			fill(value, s.Additional)
		}
	case []any:
		for i, value := range x {
			if value == nil && s.Items.replacesNull() {
				value = kruntime.DeepCopyJSONValue(s.Items.Default)
				x[i] = value
			}
			fill(value, s.Items)
		}
	}
}

// replacesNull says whether the default of s takes the place of a null.
func (s *Schema) replacesNull() bool { return s != nil && !s.Nullable && s.Default != nil }

// HasDefaults says whether s or anything below it, branches under allOf and the like left aside, has a default.
func (s *Schema) HasDefaults() bool { return s != nil && (s.Default != nil || s.fillsBelow) }

// fills says whether s or a node below it has something to fill in.
func (s *Schema) fills() bool { return s != nil && s.fillsBelow }
