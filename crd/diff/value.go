package diff

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// bounds compares minima, maxima and patterns.
func (c *comparison) bounds(o, n *props) {
	lower := func(name string, o, n *float64) { c.bound(name, o, n, true) }
	upper := func(name string, o, n *float64) { c.bound(name, o, n, false) }
	lower("minimum", o.Minimum, n.Minimum)
	upper("maximum", o.Maximum, n.Maximum)
	lower("minLength", number(o.MinLength), number(n.MinLength))
	upper("maxLength", number(o.MaxLength), number(n.MaxLength))
	lower("minItems", number(o.MinItems), number(n.MinItems))
	upper("maxItems", number(o.MaxItems), number(n.MaxItems))
	lower("minProperties", number(o.MinProperties), number(n.MinProperties))
	upper("maxProperties", number(o.MaxProperties), number(n.MaxProperties))
	c.exclusive("minimum", o.ExclusiveMinimum, n.ExclusiveMinimum, o.Minimum, n.Minimum)
	c.exclusive("maximum", o.ExclusiveMaximum, n.ExclusiveMaximum, o.Maximum, n.Maximum)
	if !reflect.DeepEqual(o.MultipleOf, n.MultipleOf) {
		switch {
		case n.MultipleOf == nil:
			c.compatible("multipleOf removed", "")
		case o.MultipleOf == nil:
			c.breaking("multipleOf "+short(*n.MultipleOf)+" added", refused)
		default:
			c.breaking(fmt.Sprintf("multipleOf changed from %s to %s", short(*o.MultipleOf), short(*n.MultipleOf)), refused)
		}
	}
	switch {
	case !o.UniqueItems && n.UniqueItems:
		c.breaking("items must be unique now", refused)
	case o.UniqueItems && !n.UniqueItems:
		c.compatible("items need not be unique any more", "")
	}
	switch {
	case o.Pattern == n.Pattern:
	case n.Pattern == "":
		c.compatible("pattern removed", "")
	case o.Pattern == "":
		c.breaking("pattern "+quote(n.Pattern)+" added", refused)
	default:
		c.breaking(fmt.Sprintf("pattern changed from %s to %s", quote(o.Pattern), quote(n.Pattern)), "it cannot be told whether it accepts all that it did"+ratcheted)
	}
}

// bound compares one bound; lower says which one it is.
func (c *comparison) bound(name string, o, n *float64, lower bool) {
	switch {
	case o == nil && n == nil:
	case n == nil:
		c.compatible(name+" "+short(*o)+" removed", "")
	case o == nil:
		c.breaking(name+" "+short(*n)+" added", refused)
	case *o == *n:
	case *n > *o == lower:
		c.breaking(fmt.Sprintf("%s %s from %s to %s", name, moved(*o, *n), short(*o), short(*n)), refused)
	default:
		c.compatible(fmt.Sprintf("%s %s from %s to %s", name, moved(*o, *n), short(*o), short(*n)), "")
	}
}

func moved(o, n float64) string {
	if n > o {
		return "raised"
	}
	return "lowered"
}

// exclusive compares whether a bound itself is accepted. That counts where the bound is the same.
func (c *comparison) exclusive(name string, was, is bool, o, n *float64) {
	switch {
	case was == is || o == nil || n == nil || *o != *n:
	case is:
		c.breaking(name+" is exclusive now", short(*n)+" is refused"+ratcheted)
	default:
		c.compatible(name+" is not exclusive any more", "")
	}
}

func number(i *int64) *float64 {
	if i == nil {
		return nil
	}
	f := float64(*i)
	return &f
}

func short(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// logic compares allOf, anyOf, oneOf and not, as far as that can be told without solving them.
func (c *comparison) logic(o, n *props) {
	gone, added := sets(branches(o.AllOf), branches(n.AllOf))
	if len(added) > 0 {
		c.breaking("allOf has another branch", refused)
	} else if len(gone) > 0 {
		c.compatible("allOf has fewer branches", "")
	}
	gone, added = sets(branches(o.AnyOf), branches(n.AnyOf))
	switch {
	case len(gone)+len(added) == 0:
	case len(n.AnyOf) == 0:
		c.compatible("anyOf removed", "")
	case len(o.AnyOf) == 0:
		c.breaking("anyOf added", refused)
	case len(gone) > 0:
		c.breaking("anyOf lacks a branch that it had", "what only that one accepted is refused"+ratcheted)
	default:
		c.compatible("anyOf has another branch", "")
	}
	if was, is := branches(o.OneOf), branches(n.OneOf); !slices.Equal(was, is) {
		if len(is) == 0 {
			c.compatible("oneOf removed", "")
		} else {
			c.breaking("oneOf changed", "what none of the branches or more than one accepts is refused"+ratcheted)
		}
	}
	switch {
	case reflect.DeepEqual(o.Not, n.Not):
	case n.Not == nil:
		c.compatible("not removed", "")
	default:
		c.breaking("not changed", refused)
	}
}

// branches writes schemas as text, sorted, to compare them.
func branches(list []props) (out []string) {
	for i := range list {
		text, err := json.Marshal(&list[i])
		if err != nil {
			text = []byte(fmt.Sprint(list[i]))
		}
		out = append(out, string(text))
	}
	slices.Sort(out)
	return out
}

func raw(j *apiextensionsv1.JSON) string {
	switch {
	case j == nil:
		return ""
	case len(j.Raw) == 0:
		return "null"
	}
	return string(j.Raw)
}

// canonical writes JSON in one way.
func canonical(text string) string {
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		return text
	}
	out, err := json.Marshal(v)
	if err != nil {
		return text
	}
	return string(out)
}

func jsonEqual(a, b string) bool { return canonical(a) == canonical(b) }

func cut(text string) string { return quote(json.RawMessage(text)) }
