package validation

import (
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"
)

// checkType checks value against the types and the null rule; nil means accepted. The cases and their order are
// those of Kubernetes' validator, odd ones included (any string or list passes where a format is given and no
// numeric type).
func (n *node) checkType(value any) *failure {
	if value == nil {
		if len(n.types) > 0 && !n.Nullable {
			return typeFailure(strings.Join(n.types, ","), "null")
		}
		return nil
	}
	if len(n.types) == 0 && n.format == "" {
		return nil
	}
	is, format := typeOf(value)
	if n.hasType(is) {
		return nil
	}
	number, isFloat := value.(float64)
	if isFloat && n.hasType("integer") && isWhole(number) || is == "integer" && n.hasType("number") {
		return nil
	}
	textual := is == "string" || is == "array"
	switch {
	case !textual && n.format != "" && n.format != format:
		return typeFailure(n.format, format)
	case textual && n.format != "" && !n.hasType("number") && !n.hasType("integer"):
		return nil
	}
	return typeFailure(strings.Join(n.types, ","), is)
}

func (n *node) hasType(name string) bool {
	for _, t := range n.types {
		if t == name {
			return true
		}
	}
	return false
}

// typeOf names the JSON type of value, and for numbers the format of its Go type.
func typeOf(value any) (name, format string) {
	switch value.(type) {
	case bool:
		return "boolean", ""
	case string:
		return "string", ""
	case int64:
		return "integer", "int64"
	case float64:
		return "number", "float64"
	case []any:
		return "array", ""
	default:
		return "object", ""
	}
}

// checkValue checks what n says of value without looking into it: lengths, bounds, pattern, format, enum. Each
// failure is given to report; without report the first one ends the check. It returns whether any failed.
func (n *node) checkValue(value any, report func(*failure)) (failed bool) {
	c := valueCheck{node: n, report: report}
	switch x := value.(type) {
	case string:
		c.checkString(x)
	case int64:
		c.checkNumber(integer(x))
	case float64:
		c.checkNumber(float(x))
	case []any:
		c.checkSize(len(x), n.MinItems, n.MaxItems, "items")
		if n.UniqueItems && !isUnique(x) && c.fails() {
			c.report(&failure{kind: invalid, text: "%s in body shouldn't contain duplicates"})
		}
	case map[string]any:
		c.checkSize(len(x), n.MinProperties, n.MaxProperties, "properties")
	}
	if len(n.Enum) > 0 && (report != nil || !c.failed) && !n.inEnum(value) && c.fails() {
		c.report(&failure{kind: notSupported, value: value, enum: n.Enum,
			text: "%s in body should be one of " + escape(fmt.Sprint(n.Enum))})
	}
	return c.failed
}

type valueCheck struct {
	*node
	report func(*failure)
	failed bool
}

// fails notes a failure, and says whether somebody wants to know which.
func (c *valueCheck) fails() bool {
	c.failed = true
	return c.report != nil
}

// checkString reports at most one of length and pattern, and the format.
func (c *valueCheck) checkString(s string) {
	switch {
	case c.MaxLength != nil && int64(len(s)) > *c.MaxLength && int64(utf8.RuneCountInString(s)) > *c.MaxLength:
		if c.fails() {
			c.report(&failure{kind: tooLong, limit: *c.MaxLength,
				text: fmt.Sprintf("%%s in body should be at most %d chars long", *c.MaxLength)})
		}
	case c.MinLength != nil && int64(utf8.RuneCountInString(s)) < *c.MinLength:
		if c.fails() {
			c.report(&failure{kind: invalid, value: s,
				text: fmt.Sprintf("%%s in body should be at least %d chars long", *c.MinLength)})
		}
	case c.pattern != nil && !c.pattern.matches(s):
		if c.fails() {
			c.report(&failure{kind: invalid, value: s, text: "%s in body should match '" + escape(c.Pattern) + "'"})
		}
	}
	if c.isFormat != nil && !c.isFormat(s) && c.fails() {
		c.report(typeFailure(c.format, s))
	}
}

func (c *valueCheck) checkSize(size int, least, most *int64, what string) {
	if least != nil && int64(size) < *least && c.fails() {
		c.report(&failure{kind: invalid, value: int64(size),
			text: fmt.Sprintf("%%s in body should have at least %d %s", *least, what)})
	}
	if most != nil && int64(size) > *most && c.fails() {
		c.report(&failure{kind: tooMany, value: int64(size), limit: *most,
			text: fmt.Sprintf("%%s in body should have at most %d %s", *most, what)})
	}
}

// inEnum compares as Kubernetes does: a number is first converted to the type of the enum's. Null is in no enum.
func (n *node) inEnum(value any) bool {
	if value == nil {
		return false
	}
	for _, e := range n.Enum {
		switch e := e.(type) {
		case string:
			if s, ok := value.(string); ok && s == e {
				return true
			}
		case int64:
			switch v := value.(type) {
			case int64:
				if v == e {
					return true
				}
			case float64:
				if int64(v) == e {
					return true
				}
			}
		case float64:
			switch v := value.(type) {
			case float64:
				if v == e {
					return true
				}
			case int64:
				if float64(v) == e {
					return true
				}
			}
		case nil:
		default:
			if reflect.DeepEqual(value, e) {
				return true
			}
		}
	}
	return false
}

// isUnique compares all pairs; uniqueItems cannot be set in a CustomResourceDefinition, so lists here are short.
func isUnique(list []any) bool {
	for i := range list {
		for j := range i {
			if reflect.DeepEqual(list[i], list[j]) {
				return false
			}
		}
	}
	return true
}

// escape keeps text whole in a format string.
func escape(text string) string { return strings.ReplaceAll(text, "%", "%%") }
