package source

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// LineOf returns the line of the field at path, or of the deepest node towards it that is there. A path is what the
// API server writes in its errors: spec.versions[0].schema.openAPIV3Schema.properties[spec].type. What all versions of
// a CustomResourceDefinition have in common, it reports as spec.validation and the like; it stands in the first.
func (d *Document) LineOf(path string) int {
	if d.IsCRD() {
		path = inFirstVersion(path)
	}
	line, n := d.Line, d.node()
	for _, name := range Split(path) {
		key, value := member(n, name)
		if value == nil {
			break
		}
		line, n = key.Line, value
	}
	return line
}

func inFirstVersion(path string) string {
	for _, top := range []struct{ before, after string }{
		{"spec.validation", "schema"}, {"spec.subresources", "subresources"},
		{"spec.additionalPrinterColumns", "additionalPrinterColumns"}, {"spec.selectableFields", "selectableFields"},
	} {
		if rest, ok := strings.CutPrefix(path, top.before); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return "spec.versions[0]." + top.after + rest
		}
	}
	return path
}

// node parses the text once more, for its lines, when the first is asked for. It is nil where only Kubernetes' reader
// understands the text.
func (d *Document) node() *yaml.Node {
	if !d.parsed {
		d.parsed = true
		var root yaml.Node
		if err := yaml.Unmarshal(d.Raw, &root); err == nil && len(root.Content) == 1 {
			d.root = root.Content[0]
			shift(d.root, d.Start-1)
		}
	}
	return d.root
}

// shift makes the lines of a document those of its file.
func shift(n *yaml.Node, by int) {
	n.Line += by
	for _, c := range n.Content {
		shift(c, by)
	}
}

// Split takes a path apart: "a.b[c.d][0]" is a, b, c.d, 0.
func Split(path string) []string {
	var names []string
	for path != "" {
		switch path[0] {
		case '.':
			path = path[1:]
		case '[':
			end := closing(path)
			names = append(names, path[1:end])
			path = path[min(end+1, len(path)):]
		default:
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				end = len(path)
			}
			names = append(names, path[:end])
			path = path[end:]
		}
	}
	return names
}

// closing returns where the bracket ends that path starts with; keys may hold brackets in pairs.
func closing(path string) int {
	depth := 0
	for i := range len(path) {
		switch path[i] {
		case '[':
			depth++
		case ']':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(path)
}

func child(n *yaml.Node, name string) *yaml.Node {
	_, value := member(n, name)
	return value
}

// member returns a member of a mapping with its key, or an item of a sequence, as its own key.
func member(n *yaml.Node, name string) (key, value *yaml.Node) {
	if n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n == nil {
		return nil, nil
	}
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == name {
				return n.Content[i], n.Content[i+1]
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(n.Content) {
			return n.Content[i], n.Content[i]
		}
	}
	return nil, nil
}
