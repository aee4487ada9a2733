package schema

// PruneDefaults brings the defaults of s, which must not be shared yet and is the schema of a whole resource, into the
// form that objects have: without members that the schema does not specify, and with metadata of embedded resources
// that an ObjectMeta can hold.
func (s *Schema) PruneDefaults() {
	if s != nil {
		defaultPruner{root: s.Root()}.walk(s, nil, s.Embedded)
	}
}

type defaultPruner struct{ root *Schema }

// spot is where a node stands below the root.
type spot struct {
	parent *spot
	name   string
	item   bool
}

// walk prunes the default of s and those below. resource says that s is in an embedded resource.
func (d defaultPruner) walk(s *Schema, at *spot, resource bool) {
	if s == nil {
		return
	}
	resource = resource || s.Embedded
	switch s.Default.(type) {
	case nil:
	case map[string]any, []any:
		s.Default = d.prune(s.Default, at)
	default:
		if resource { // of which metadata takes scalars of the right type only
			s.Default = d.prune(s.Default, at)
		}
	}
	d.walk(s.Items, &spot{parent: at, item: true}, resource)
	d.walk(s.Additional, &spot{parent: at, name: "*"}, resource)
	for name, p := range s.Properties {
		d.walk(p, &spot{parent: at, name: name}, resource)
	}
	s.note()
}

// prune prunes value inside an object that has nothing but it, since what stands around it decides.
func (d defaultPruner) prune(value any, at *spot) any {
	for up := at; up != nil; up = up.parent {
		if up.item {
			value = []any{value}
		} else {
			value = map[string]any{up.name: value}
		}
	}
	if obj, ok := value.(map[string]any); ok {
		DropMalformed(obj, d.root)
		var p pruner
		p.prune(nil, obj, d.root, false)
	}
	return at.in(value)
}

// in returns what stands at s in value; nil where there is nothing.
func (s *spot) in(value any) any {
	if s == nil {
		return value
	}
	switch outer := s.parent.in(value).(type) {
	case map[string]any:
		return outer[s.name]
	case []any:
		if s.item && len(outer) > 0 {
			return outer[0]
		}
	}
	return nil
}
