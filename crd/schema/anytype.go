package schema

// WithoutIntOrString returns s with nothing said about values that are int-or-string, which then may be of any type. It
// shares with s all that has none.
func (s *Schema) WithoutIntOrString() *Schema {
	if !s.hasIntOrString() {
		return s
	}
	c := *s
	c.IntOrString = false
	c.Items, c.Additional = s.Items.WithoutIntOrString(), s.Additional.WithoutIntOrString()
	if s.Properties != nil {
		c.Properties = make(map[string]*Schema, len(s.Properties))
		for name, p := range s.Properties {
			c.Properties[name] = p.WithoutIntOrString()
		}
	}
	return &c
}

func (s *Schema) hasIntOrString() bool {
	if s == nil {
		return false
	}
	if s.IntOrString || s.Items.hasIntOrString() || s.Additional.hasIntOrString() {
		return true
	}
	for _, p := range s.Properties {
		if p.hasIntOrString() {
			return true
		}
	}
	return false
}
