package schema

import kruntime "k8s.io/apimachinery/pkg/runtime"

// Unspecified says whether value, which stands where s does, has members that s does not specify. (In an embedded
// resource apiVersion, kind and metadata are always specified.)
func (s *Schema) Unspecified(value any) bool {
	var p pruner
	p.prune(nil, kruntime.DeepCopyJSONValue(value), s, false)
	return len(p.removed) > 0
}
