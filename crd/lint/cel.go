package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/crd/cel"
	"github.com/keelson-project/keelson/crd/schema"
	"github.com/keelson-project/keelson/crd/source"
)

func ruleMessage(l *linter, n *node) {
	for i, r := range n.XValidations {
		if r.Message == "" && r.MessageExpression == "" {
			l.find(fmt.Sprintf("%s.x-kubernetes-validations[%d]", n.at, i), n.path, "users are shown the rule itself where it fails; add a message that says what to do")
		}
	}
}

// ruleBounds finds what rules are charged for at its largest: lists and maps around the rule, which it is run for each
// item of, and what it looks at below.
func ruleBounds(l *linter, n *node) {
	if kind, limit := unbounded(n); kind != "" {
		if rule := ruleOn(n); rule != "" {
			l.find(n.at, n.path, "%s is charged for the largest %s that fits into a request; set %s, which can be raised later but not lowered", rule, kind, limit)
		}
	}
}

// unbounded says what kind of value may have any size, and by which keyword it would not.
func unbounded(n *node) (kind, limit string) {
	switch {
	case n.Type == "array" && n.MaxItems == nil:
		return "list", "maxItems"
	case n.isMap() && n.MaxProperties == nil:
		return "map", "maxProperties"
	case n.Type == "string" && n.MaxLength == nil && len(n.Enum) == 0 && !boundedFormat(n.Format):
		return "string", "maxLength"
	}
	return "", ""
}

// boundedFormat names formats of which the server knows how long they get.
func boundedFormat(format string) bool {
	return slices.Contains([]string{"date", "date-time", "datetime", "duration", "ipv4", "ipv6", "cidr", "mac", "uuid", "uuid3", "uuid4", "uuid5"}, format)
}

// ruleOn names a rule whose cost depends on the size of n; "" where there is none.
func ruleOn(n *node) string {
	if n.Type != "string" { // the rules of its items
		below := ""
		n.walk(func(c *node) {
			if c != n && below == "" && len(c.XValidations) > 0 && throughItems(n, c) {
				below = "the rule at " + c.path + ", run for each item,"
			}
		})
		if below != "" {
			return below
		}
	}
	var names []string // from n up to where the rule is
	for a := n; a != nil; a = a.parent {
		for _, r := range a.XValidations {
			switch {
			case a == n:
				return "its rule"
			case mentions(r.Rule, names) && looksInside(r.Rule, names[0]):
				return "the rule at " + orRoot(a.path)
			}
		}
		if a.name != "" {
			names = append(names, a.name)
		}
	}
	return ""
}

func orRoot(path string) string {
	if path == "" {
		return "the root"
	}
	return path
}

// throughItems says whether the way from n to c leads into items or values of n at once.
func throughItems(n, c *node) bool {
	for c.parent != n {
		c = c.parent
	}
	return c.name == ""
}

// mentions says whether a rule names all the fields.
func mentions(rule string, names []string) bool {
	for _, name := range names {
		if !word(name).MatchString(rule) {
			return false
		}
	}
	return len(names) > 0
}

// looksInside says whether the rule does more with a field than to ask whether it is there, as far as its text tells.
func looksInside(rule, name string) bool {
	asked := regexp.MustCompile(`has\([^()]*\b`+regexp.QuoteMeta(name)+`\)`).FindAllString(rule, -1)
	return len(word(name).FindAllString(rule, -1)) > len(asked)
}

func word(name string) *regexp.Regexp {
	return regexp.MustCompile(`(^|[^a-zA-Z0-9_])` + regexp.QuoteMeta(name) + `($|[^a-zA-Z0-9_])`)
}

// ruleLimit is what the estimated cost of one rule may be; rules close to it are refused once a bound is raised.
const ruleLimit = 10_000_000

func ruleCosts(l *linter, v *apiextensionsv1.CustomResourceDefinitionVersion, at string) {
	if v.Schema == nil || v.Schema.OpenAPIV3Schema == nil {
		return
	}
	s, err := schema.New(v.Schema.OpenAPIV3Schema)
	if err != nil || !s.HasRules() {
		return
	}
	cel.Costs(field.NewPath(at+".schema.openAPIV3Schema"), s, func(path *field.Path, cost uint64) {
		if percent := cost * 100 / ruleLimit; percent >= 50 && percent <= 100 {
			l.find(path.String(), fieldPath(path.String()), "its rule's estimated cost is %d %% of what the server allows; lower maxItems, maxLength or maxProperties of what it looks at while that is possible", percent)
		}
	})
}

// fieldPath is the field that a path in a schema leads to: ...openAPIV3Schema.properties[a].items.x is .a[].
func fieldPath(path string) string {
	out := ""
	_, path, _ = strings.Cut(path, "openAPIV3Schema")
	for names := source.Split(path); len(names) > 0; names = names[1:] {
		switch names[0] {
		case "properties":
			if names = names[1:]; len(names) == 0 {
				return out
			}
			out += "." + names[0]
		case "items":
			out += "[]"
		case "additionalProperties":
			out += ".*"
		default:
			return out
		}
	}
	return out
}
