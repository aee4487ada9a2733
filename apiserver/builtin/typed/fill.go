package typed

// fill adds the defaults of an object and of all inside it.
func fill(obj map[string]any, s *shape) {
	for _, f := range s.always {
		v, present := obj[f.name]
		// A default that is a Go zero value stands for a field that is always written; any other one replaces the
		// zero value too, as Kubernetes' generated defaulting does.
		if !present || v == nil || !isZero(f.value) && isZero(v) {
			obj[f.name] = copied(f.value)
		}
	}
	if s.defaulter != nil {
		s.defaulter(obj)
	}
	for _, f := range s.recurse {
		if v, ok := obj[f.name]; ok {
			fillValue(v, f.shape)
		}
	}
}

func fillValue(v any, s *shape) {
	switch s.kind {
	case object:
		if m, ok := v.(map[string]any); ok {
			fill(m, s)
		}
	case mapping:
		if m, ok := v.(map[string]any); ok {
			for _, e := range m {
				fillValue(e, s.elem)
			}
		}
	case list:
		if l, ok := v.([]any); ok {
			for _, e := range l {
				fillValue(e, s.elem)
			}
		}
	}
}

// copied keeps objects from sharing a default; defaults are scalars and empty maps.
func copied(v any) any {
	if _, ok := v.(map[string]any); ok {
		return map[string]any{}
	}
	return v
}
