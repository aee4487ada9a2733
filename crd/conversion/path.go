package conversion

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// path says where a field stands. Its text is names joined by dots; [*] stands for each item of a list or each member
// of a map; a name with other characters is written ['like.this'].
type path struct {
	text   string
	prefix []step   // up to the last [*]: it leads to the objects that own the field; empty: the whole object
	names  []string // the rest; at least one
}

// step is one name, or each item or member.
type step struct {
	name string
	each bool
}

var errNoPath = errors.New("is no path of a field: names joined by dots, [*] for each item or member, ['other.names']")

func parsePath(text string) (*path, error) {
	steps, ok := splitPath(text)
	if !ok {
		return nil, fmt.Errorf("%q %w", text, errNoPath)
	}
	p := &path{text: text}
	last := len(steps) - 1
	for last >= 0 && !steps[last].each {
		last--
	}
	p.prefix = steps[:last+1]
	for _, s := range steps[last+1:] {
		p.names = append(p.names, s.name)
	}
	if len(p.names) == 0 {
		return nil, fmt.Errorf("%q must end in the name of a field", text)
	}
	return p, p.check(steps)
}

// check refuses what no conversion may change.
func (p *path) check(steps []step) error {
	switch steps[0].name {
	case "apiVersion", "kind":
		return fmt.Errorf("%q is not for rules to change", p.text)
	case "metadata":
		if len(steps) == 3 && (steps[1].name == "labels" || steps[1].name == "annotations") && !steps[2].each && steps[2].name != DataAnnotation {
			return nil
		}
		return fmt.Errorf("%q is not for rules to change: of metadata they may change single labels and annotations", p.text)
	}
	return nil
}

func splitPath(text string) (steps []step, ok bool) {
	for rest := text; ; {
		switch {
		case strings.HasPrefix(rest, "[*]"):
			if len(steps) == 0 {
				return nil, false
			}
			steps, rest = append(steps, step{each: true}), rest[3:]
		case strings.HasPrefix(rest, "['"):
			end := strings.Index(rest, "']")
			if end <= 2 {
				return nil, false
			}
			steps, rest = append(steps, step{name: rest[2:end]}), rest[end+2:]
		default:
			end := strings.IndexAny(rest, ".[]'")
			if end < 0 {
				end = len(rest)
			}
			if end == 0 {
				return nil, false
			}
			steps, rest = append(steps, step{name: rest[:end]}), rest[end:]
		}
		switch {
		case rest == "":
			return steps, true
		case rest[0] == '.':
			if rest = rest[1:]; rest == "" || rest[0] == '[' {
				return nil, false
			}
		case rest[0] != '[':
			return nil, false
		}
	}
}

// sameOwners says whether both paths lead to fields of the same objects.
func (p *path) sameOwners(o *path) bool {
	if len(p.prefix) != len(o.prefix) {
		return false
	}
	for i := range p.prefix {
		if p.prefix[i] != o.prefix[i] {
			return false
		}
	}
	return true
}

// owners visits the objects that prefix leads to. where names each of them with its place in lists, so that it is
// found again only while the lists keep their lengths.
func owners(v any, prefix []step, where string, visit func(owner map[string]any, where string) error) error {
	if len(prefix) == 0 {
		if owner, ok := v.(map[string]any); ok {
			return visit(owner, where)
		}
		return nil
	}
	if !prefix[0].each {
		m, _ := v.(map[string]any)
		child, ok := m[prefix[0].name]
		if !ok {
			return nil
		}
		return owners(child, prefix[1:], where+"."+prefix[0].name, visit)
	}
	switch v := v.(type) {
	case []any:
		for i, item := range v {
			at := where + "[" + strconv.Itoa(i) + "/" + strconv.Itoa(len(v)) + "]"
			if err := owners(item, prefix[1:], at, visit); err != nil {
				return err
			}
		}
	case map[string]any:
		for name, item := range v {
			if err := owners(item, prefix[1:], where+"['"+name+"']", visit); err != nil {
				return err
			}
		}
	}
	return nil
}

func lookup(owner map[string]any, names []string) (any, bool) {
	for _, n := range names[:len(names)-1] {
		owner, _ = owner[n].(map[string]any)
	}
	v, ok := owner[names[len(names)-1]]
	return v, ok
}

// hasParent says whether the object in which names stands is there.
func hasParent(owner map[string]any, names []string) bool {
	if len(names) == 1 {
		return true
	}
	v, _ := lookup(owner, names[:len(names)-1])
	_, ok := v.(map[string]any)
	return ok
}

// put sets a field, and makes the objects around it.
func put(owner map[string]any, names []string, v any) error {
	for i, n := range names[:len(names)-1] {
		next, there := owner[n]
		if next == nil {
			there = false
		}
		m, ok := next.(map[string]any)
		if there && !ok {
			return fmt.Errorf("%s is no object", strings.Join(names[:i+1], "."))
		}
		if !there {
			m = map[string]any{}
			owner[n] = m
		}
		owner = m
	}
	owner[names[len(names)-1]] = v
	return nil
}

// take removes a field and the objects that are empty without it, down to the keep first names.
func take(owner map[string]any, names []string, keep int) (any, bool) {
	v, ok := lookup(owner, names)
	if !ok {
		return nil, false
	}
	for n := len(names); n > 0; n-- {
		parent := owner
		if n > 1 {
			p, _ := lookup(owner, names[:n-1])
			parent, _ = p.(map[string]any)
		}
		delete(parent, names[n-1])
		if len(parent) > 0 || n-1 <= keep {
			break
		}
	}
	return v, true
}

// keepOf is how many names of a path stay though nothing is left in them: spec and status themselves.
func (p *path) keepOf() int {
	if len(p.prefix) == 0 {
		return 1
	}
	return 0
}
