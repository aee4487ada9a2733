package lint

import (
	"regexp"
	"strings"

	"github.com/keelson-project/keelson/crd/validation"
)

func listType(l *linter, n *node) {
	if n.Type != "array" || n.XListType != nil || n.Items == nil || n.Items.Schema == nil || n.Items.Schema.Type != "object" {
		return
	}
	l.find(n.at, n.path, "server-side apply takes the list for one value, which each applier replaces as a whole; "+
		"say x-kubernetes-list-type: map with the x-kubernetes-list-map-keys that tell items apart, or atomic if that is meant")
}

func setItems(l *linter, n *node) {
	if n.XListType == nil || *n.XListType != "set" || n.Items == nil || n.Items.Schema == nil {
		return
	}
	if t := n.Items.Schema.Type; t == "object" || t == "array" {
		l.find(n.at, n.path, "a set of items of type %s is not supported by server-side apply or CEL rules; make it a map with keys, or atomic", t)
	}
}

func unboundedKeys(l *linter, n *node) {
	if n.isMap() && n.MaxProperties == nil {
		l.find(n.at, n.path, "there may be as many keys as fit into a request; set maxProperties, which can be raised later but not lowered")
	}
}

func preserveUnknown(l *linter, n *node) {
	if !n.preserves() {
		return
	}
	if n.parent == nil || n.parent.parent == nil && n.name == "spec" {
		l.find(n.at, n.path, "nothing is checked, pruned, defaulted or explained of what the schema does not name, and typing errors are stored; describe the fields, and keep unknown ones only where they are somebody else's")
		return
	}
	l.findAs(Info, n.at, n.path, "what is in here is neither checked nor explained; describe it if it is yours")
}

func enumDefault(l *linter, n *node) {
	if len(n.Enum) > 1 && n.name != "" && n.Default == nil && !n.isRequired() && !n.Nullable && !strings.HasPrefix(n.path, ".status") {
		l.find(n.at, n.path, "say what the absence of this enum means: set a default, or require it")
	}
}

func integerFormat(l *linter, n *node) {
	if n.Type == "integer" && n.Format == "" && (n.Maximum == nil || n.Minimum == nil) {
		l.find(n.at, n.path, "set format: int32 or int64, so that clients know what it fits into; the server checks it")
	}
}

func float(l *linter, n *node) {
	if n.Type == "number" {
		l.find(n.at, n.path, "clients round fractions in different ways, and see changes where there are none; use an integer of a smaller unit, or a quantity (int-or-string)")
	}
}

func format(l *linter, n *node) {
	if n.Format != "" && !validation.IsSupportedFormat(n.Type, n.Format) {
		l.find(n.at+".format", n.path, "format %s is not checked by the server; use a pattern or a rule", n.Format)
	}
}

func patternAnchor(l *linter, n *node) {
	if p := n.Pattern; p != "" && !strings.Contains(p, "^") && !strings.Contains(p, "$") && !strings.Contains(p, `\A`) {
		l.find(n.at+".pattern", n.path, "the pattern accepts anything that has a match somewhere in it; start it with ^ and end it with $ if all of the value is meant")
	}
}

var lowerCamel = regexp.MustCompile(`^[a-z][a-zA-Z0-9]*$`)

func fieldName(l *linter, n *node) {
	if n.name != "" && !lowerCamel.MatchString(n.name) {
		l.find(n.at, n.path, "fields are named in lowerCamelCase; others cannot be used in rules and JSON paths without escapes")
	}
}
