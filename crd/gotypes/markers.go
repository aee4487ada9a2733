package gotypes

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

const kb = "+kubebuilder:"

// valueMarkers are the markers of a field, or a named type, that is no struct: what its values must be.
func valueMarkers(p *props, typ *goType) []string {
	own := *p
	if isQuantity(p.Pattern) {
		own.Pattern = "" // it is on the type
	}
	m := bounds(&own, kb+"validation:")
	if p.Type == "number" || p.Type == "boolean" { // the others with enums have named types, if they can
		m = append(m, enumMarkers(p)...)
	}
	if p.Format != "" && !impliesFormat(typ, p.Format) {
		m = append(m, kb+"validation:Format="+p.Format)
	}
	if p.XListType != nil {
		m = append(m, "+listType="+*p.XListType)
	}
	for _, key := range p.XListMapKeys {
		m = append(m, "+listMapKey="+key)
	}
	if p.XMapType != nil {
		m = append(m, "+mapType="+*p.XMapType)
	}
	return append(m, ruleMarkers(p, kb+"validation:")...)
}

// itemsMarkers are the markers of a field that say what the items of its list must be, where these have no struct to say
// so: with the prefix "items:", which markers know for one level only.
func itemsMarkers(p *props) []string {
	if p.Type != "array" || p.Items == nil || p.Items.Schema == nil || !hasItemsMarkers(p.Items.Schema) {
		return nil
	}
	const prefix = kb + "validation:items:"
	items := p.Items.Schema
	m := bounds(items, prefix)
	if items.Format != "" && items.Type == "string" {
		m = append(m, prefix+"Format="+items.Format)
	}
	if preserves(items) && items.Type != "" {
		m = append(m, prefix+"XPreserveUnknownFields")
	}
	if items.XEmbeddedResource {
		m = append(m, prefix+"XEmbeddedResource")
	}
	return append(m, ruleMarkers(items, prefix)...)
}

// hasItemsMarkers says whether there are markers with that prefix for all that a schema of items may say.
func hasItemsMarkers(items *props) bool {
	return items.Properties == nil && items.XListType == nil && items.XMapType == nil
}

// schemaless says what is in raw JSON, which controller-gen does not understand.
func schemaless(p *props) []string {
	m := []string{kb + "validation:Schemaless"}
	if p.Type != "" {
		m = append(m, kb+"validation:Type="+p.Type)
	}
	if p.XIntOrString {
		m = append(m, kb+"validation:XIntOrString")
	}
	if p.Type == "object" && !preserves(p) {
		m = append(m, kb+"pruning:PreserveUnknownFields")
	}
	return m
}

// impliesFormat says whether the Go type alone makes controller-gen write the format.
func impliesFormat(t *goType, format string) bool {
	for t.elem != nil && t.name == "" {
		t = t.elem
	}
	switch format {
	case "int32", "int64":
		return t.name == format
	case "date-time":
		return t.name == "Time"
	}
	return false
}

// typeMarkers are those of a struct.
func typeMarkers(p *props) []string {
	m := bounds(p, kb+"validation:")
	if p.XMapType != nil {
		m = append(m, "+structType="+*p.XMapType)
	}
	if preserves(p) {
		m = append(m, kb+"pruning:PreserveUnknownFields")
	}
	if p.XEmbeddedResource {
		m = append(m, kb+"validation:XEmbeddedResource")
	}
	return append(m, ruleMarkers(p, kb+"validation:")...)
}

func bounds(p *props, prefix string) []string {
	var m []string
	add := func(name, value string) { m = append(m, prefix+name+"="+value) }
	number := func(name string, v *float64) {
		if v != nil {
			add(name, strconv.FormatFloat(*v, 'f', -1, 64))
		}
	}
	count := func(name string, v *int64) {
		if v != nil {
			add(name, strconv.FormatInt(*v, 10))
		}
	}
	number("Minimum", p.Minimum)
	if p.ExclusiveMinimum {
		add("ExclusiveMinimum", "true")
	}
	number("Maximum", p.Maximum)
	if p.ExclusiveMaximum {
		add("ExclusiveMaximum", "true")
	}
	number("MultipleOf", p.MultipleOf)
	count("MinLength", p.MinLength)
	count("MaxLength", p.MaxLength)
	if p.Pattern != "" {
		add("Pattern", quoted(p.Pattern))
	}
	count("MinItems", p.MinItems)
	count("MaxItems", p.MaxItems)
	if p.UniqueItems {
		add("UniqueItems", "true")
	}
	count("MinProperties", p.MinProperties)
	count("MaxProperties", p.MaxProperties)
	return m
}

func ruleMarkers(p *props, prefix string) []string {
	var m []string
	for _, r := range p.XValidations {
		text := prefix + "XValidation:rule=" + strconv.Quote(r.Rule)
		for _, part := range []struct{ name, value string }{
			{"message", r.Message}, {"messageExpression", r.MessageExpression}, {"fieldPath", r.FieldPath},
		} {
			if part.value != "" {
				text += "," + part.name + "=" + strconv.Quote(part.value)
			}
		}
		if r.Reason != nil {
			text += ",reason=" + string(*r.Reason)
		}
		if r.OptionalOldSelf != nil {
			text += ",optionalOldSelf=" + strconv.FormatBool(*r.OptionalOldSelf)
		}
		m = append(m, text)
	}
	return m
}

// enumMarkers are none where the schema has no enum, or one that cannot be decoded.
func enumMarkers(p *props) []string {
	var values []any
	for _, e := range p.Enum {
		var v any
		if len(e.Raw) > 0 && json.Unmarshal(e.Raw, &v) != nil {
			return nil
		}
		values = append(values, v)
	}
	if len(values) == 0 {
		return nil
	}
	return []string{enumMarker(values)}
}

// enumMarker lists the values that a type has.
func enumMarker(values []any) string {
	var list []string
	for _, v := range values {
		switch v := v.(type) {
		case nil:
		case string:
			if v == "true" || v == "false" || strings.Trim(v, letters+"0123456789-_./") != "" || strings.Trim(v[:min(1, len(v))], letters) != "" || v == "" {
				v = strconv.Quote(v) // or it would be something else
			}
			list = append(list, v)
		default:
			raw, _ := json.Marshal(v) // it was decoded from JSON
			list = append(list, string(raw))
		}
	}
	return kb + "validation:Enum=" + strings.Join(list, ";")
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// defaultMarker writes the default as JSON, which is what +default takes.
func defaultMarker(p *props) []string {
	if p.Default == nil {
		return nil
	}
	var v any
	if err := json.Unmarshal(p.Default.Raw, &v); err != nil {
		return nil
	}
	raw, _ := json.Marshal(v) // on one line; it was decoded from JSON
	switch v.(type) {
	case map[string]any, []any:
		return []string{"+default=" + string(raw)}
	}
	return []string{kb + "default=" + string(raw)}
}

// quoted prefers the quotes that need no escapes.
func quoted(s string) string {
	if strconv.CanBackquote(s) && !strings.Contains(s, "''") {
		return "`" + s + "`"
	}
	return strconv.Quote(s)
}

// kindMarkers are those of a kind: its names, scope, subresources and columns.
func kindMarkers(c *apiextensionsv1.CustomResourceDefinition, v *apiextensionsv1.CustomResourceDefinitionVersion) []string {
	m := []string{kb + "object:root=true"}
	if v.Storage {
		m = append(m, kb+"storageversion")
	}
	if !v.Served {
		m = append(m, kb+"unservedversion")
	}
	if v.Deprecated {
		text := kb + "deprecatedversion"
		if v.DeprecationWarning != nil {
			text += ":warning=" + strconv.Quote(*v.DeprecationWarning)
		}
		m = append(m, text)
	}
	if s := v.Subresources; s != nil {
		if s.Status != nil {
			m = append(m, kb+"subresource:status")
		}
		if s.Scale != nil {
			text := fmt.Sprintf("%ssubresource:scale:specpath=%s,statuspath=%s", kb, s.Scale.SpecReplicasPath, s.Scale.StatusReplicasPath)
			if s.Scale.LabelSelectorPath != nil {
				text += ",selectorpath=" + *s.Scale.LabelSelectorPath
			}
			m = append(m, text)
		}
	}
	m = append(m, resourceMarker(c))
	for _, f := range v.SelectableFields {
		m = append(m, kb+"selectablefield:JSONPath="+quoted(f.JSONPath))
	}
	for i := range v.AdditionalPrinterColumns {
		m = append(m, columnMarker(&v.AdditionalPrinterColumns[i]))
	}
	return m
}

func resourceMarker(c *apiextensionsv1.CustomResourceDefinition) string {
	n := &c.Spec.Names
	text := kb + "resource:path=" + n.Plural
	if n.Singular != "" && n.Singular != strings.ToLower(n.Kind) {
		text += ",singular=" + n.Singular
	}
	if len(n.ShortNames) > 0 {
		text += ",shortName=" + strings.Join(n.ShortNames, ";")
	}
	if len(n.Categories) > 0 {
		text += ",categories=" + strings.Join(n.Categories, ";")
	}
	return text + ",scope=" + string(c.Spec.Scope)
}

func columnMarker(c *apiextensionsv1.CustomResourceColumnDefinition) string {
	text := fmt.Sprintf("%sprintcolumn:name=%q,type=%s,JSONPath=%s", kb, c.Name, c.Type, quoted(c.JSONPath))
	if c.Format != "" {
		text += ",format=" + c.Format
	}
	if c.Description != "" {
		text += ",description=" + strconv.Quote(c.Description)
	}
	if c.Priority != 0 {
		text += ",priority=" + strconv.Itoa(int(c.Priority))
	}
	return text
}
