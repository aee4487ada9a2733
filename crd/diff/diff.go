// Package diff tells what changes between two states of CustomResourceDefinitions, and which of it breaks those who
// use them.
//
//	for _, c := range diff.Compare(before, after) {
//		fmt.Println(c)
//	}
//
// A change is breaking where an object that was accepted is refused, where something of it is lost or means something
// else, or where a request that worked does not. What accepts more is compatible, and so is what nobody's request
// depends on. Where the two cannot be told apart (a changed pattern), the change counts as breaking.
//
// Kubernetes ratchets: an update of a stored object is not refused for a value that it does not change, even where
// the schema would not accept that value any more. The reasons say where that helps stored objects; what is created
// or changed is refused all the same, so the change is breaking.
package diff

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// Change is one difference.
type Change struct {
	CRD string `json:"crd"` // its name
	// Version is "" for what holds for all versions.
	Version string `json:"version,omitempty"`
	// Path is of a field of the objects, where there is a version and it starts with a dot: .spec.ports[].name, and
	// .spec.labels.* for the values of a map. Else it is of a field of the CustomResourceDefinition: spec.scope.
	Path     string `json:"path"`
	What     string `json:"what"` // "maximum lowered from 10 to 5"
	Breaking bool   `json:"breaking"`
	Why      string `json:"why,omitempty"` // always there for what is breaking
}

// String is the change on one line.
func (c Change) String() string {
	verdict := "compatible"
	if c.Breaking {
		verdict = "BREAKING"
	}
	where := strings.Join(slices.DeleteFunc([]string{c.CRD, c.Version, c.Path}, func(s string) bool { return s == "" }), " ")
	text := fmt.Sprintf("%-10s %s: %s", verdict, where, c.What)
	if c.Why != "" {
		text += ": " + c.Why
	}
	return strings.Join(strings.Fields(text), " ")
}

// Compare returns the changes from one state to another, by CustomResourceDefinition, version and path. Those of the
// same name are compared with each other.
func Compare(before, after []*apiextensionsv1.CustomResourceDefinition) []Change {
	was, is := byName(before), byName(after)
	names := slices.Concat(slices.Collect(maps.Keys(was)), slices.Collect(maps.Keys(is)))
	slices.Sort(names)
	var changes []Change
	for _, name := range slices.Compact(names) {
		c := &comparison{crd: name}
		switch o, n := was[name], is[name]; {
		case n == nil:
			c.breaking("CustomResourceDefinition removed", "all its objects are deleted with it")
		case o == nil:
			c.compatible("CustomResourceDefinition added", "")
		default:
			c.compare(o, n)
		}
		slices.SortStableFunc(c.changes, func(a, b Change) int {
			return cmp.Or(strings.Compare(a.Version, b.Version), strings.Compare(a.Path, b.Path))
		})
		changes = append(changes, c.changes...)
	}
	return changes
}

// Breaking says whether any of the changes is.
func Breaking(changes []Change) bool {
	return slices.ContainsFunc(changes, func(c Change) bool { return c.Breaking })
}

func byName(crds []*apiextensionsv1.CustomResourceDefinition) map[string]*apiextensionsv1.CustomResourceDefinition {
	out := map[string]*apiextensionsv1.CustomResourceDefinition{}
	for _, c := range crds {
		out[c.Name] = c
	}
	return out
}

// comparison collects the changes of one CustomResourceDefinition; version and path are where it is looking.
type comparison struct {
	crd, version, path string
	changes            []Change
}

func (c *comparison) breaking(what, why string)   { c.add(what, why, true) }
func (c *comparison) compatible(what, why string) { c.add(what, why, false) }

func (c *comparison) add(what, why string, breaking bool) {
	c.changes = append(c.changes, Change{CRD: c.crd, Version: c.version, Path: c.path, What: what, Why: why, Breaking: breaking})
}

// at looks at another path while f runs.
func (c *comparison) at(path string, f func()) {
	before := c.path
	c.path = path
	f()
	c.path = before
}

// quote writes a value as JSON, cut where it is long.
func quote(v any) string {
	var raw bytes.Buffer
	out := json.NewEncoder(&raw)
	out.SetEscapeHTML(false)
	if err := out.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	text := strings.TrimSuffix(raw.String(), "\n")
	const most = 60
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return text
}

// sets returns what is only in before, and only in after, sorted.
func sets(before, after []string) (gone, added []string) {
	for _, s := range before {
		if !slices.Contains(after, s) {
			gone = append(gone, s)
		}
	}
	for _, s := range after {
		if !slices.Contains(before, s) {
			added = append(added, s)
		}
	}
	slices.Sort(gone)
	slices.Sort(added)
	return slices.Compact(gone), slices.Compact(added)
}
