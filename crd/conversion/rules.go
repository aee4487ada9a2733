package conversion

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"github.com/keelson-project/keelson/apiserver/resource"
)

const (
	// RulesAnnotation of a CustomResourceDefinition holds its conversion rules.
	RulesAnnotation = "keelson.dev/conversion-rules"
	// DataAnnotation of an object holds what its version has no field for, until it is converted back.
	DataAnnotation = "keelson.dev/conversion-data"
)

// What a set of rules may hold.
const (
	maxText  = 256 << 10
	maxRules = 512 // of one version
)

// Rules convert without asking anyone. They are immutable and safe for concurrent use.
type Rules struct {
	hub     string
	spokes  map[string][]rule
	samples map[string][]resource.Object
}

// rule is one rule between a version and the hub. It changes obj in place; data is what is kept of fields that have
// no place.
type rule interface {
	toHub(ctx context.Context, obj resource.Object, data *keptData) error
	toVersion(ctx context.Context, obj resource.Object, data *keptData) error
	// touches says whether the rule is about a field, given as names without indices, in the hub or in the version.
	touches(field []string, inHub bool) bool
}

// Expression computes a value from self; see cel.Expression, which is one.
type Expression interface {
	Eval(ctx context.Context, self any) (value any, present bool, err error)
}

// Compile compiles the text of an Expression.
type Compile func(text string) (Expression, error)

// RuleError says what is wrong with one place of the rules.
type RuleError struct {
	At  string // "versions[v1beta1][2].move"; "" for the whole
	Err error
}

func (e *RuleError) Error() string {
	if e.At == "" {
		return e.Err.Error()
	}
	return e.At + ": " + e.Err.Error()
}

// Unwrap returns what is wrong, without the place.
func (e *RuleError) Unwrap() error { return e.Err }

// document is the form in which rules are written.
type document struct {
	Hub      string                       `json:"hub"`
	Versions map[string][]writtenRule     `json:"versions"`
	Samples  map[string][]resource.Object `json:"samples"`
}

// writtenRule has exactly one of Move, Only and Compute.
type writtenRule struct {
	Move    map[string]string            `json:"move"`
	Values  map[string]string            `json:"values"`
	Only    map[string]string            `json:"only"`
	Default *any                         `json:"default"`
	Compute map[string]map[string]string `json:"compute"`
}

// ParseRules reads rules, in YAML or JSON; the package comment describes them. Its error is a *RuleError.
func ParseRules(text string, compile Compile) (*Rules, error) {
	if len(text) > maxText {
		return nil, &RuleError{Err: fmt.Errorf("rules may have at most %d bytes", maxText)}
	}
	raw, err := yaml.YAMLToJSONStrict([]byte(text))
	if err != nil {
		return nil, &RuleError{Err: err}
	}
	var d document
	strict, err := kjson.UnmarshalStrict(raw, &d)
	if err = errors.Join(append(strict, err)...); err != nil {
		return nil, &RuleError{Err: err}
	}
	if d.Hub == "" {
		return nil, &RuleError{At: "hub", Err: errors.New("the version that all others are converted through must be named")}
	}
	r := &Rules{hub: d.Hub, spokes: map[string][]rule{}, samples: d.Samples}
	for _, version := range slices.Sorted(maps.Keys(d.Versions)) {
		at := "versions[" + version + "]"
		switch {
		case version == d.Hub:
			return nil, &RuleError{At: at, Err: errors.New("the hub has no rules of its own")}
		case len(d.Versions[version]) > maxRules:
			return nil, &RuleError{At: at, Err: fmt.Errorf("a version may have at most %d rules", maxRules)}
		}
		rules := []rule{}
		for i := range d.Versions[version] {
			one, err := d.Versions[version][i].parse(version, d.Hub, compile)
			if err != nil {
				return nil, &RuleError{At: fmt.Sprintf("%s[%d]", at, i), Err: err}
			}
			rules = append(rules, one)
		}
		r.spokes[version] = rules
	}
	return r, nil
}

func (w *writtenRule) parse(version, hub string, compile Compile) (rule, error) {
	kinds := 0
	for _, there := range []bool{w.Move != nil, w.Only != nil, w.Compute != nil} {
		if there {
			kinds++
		}
	}
	switch {
	case kinds != 1:
		return nil, errors.New("must have exactly one of move, only and compute")
	case w.Values != nil && w.Move == nil:
		return nil, errors.New("values belong to move")
	case w.Default != nil && w.Only == nil:
		return nil, errors.New("default belongs to only")
	case w.Move != nil:
		return parseMove(w, version, hub)
	case w.Only != nil:
		return parseOnly(w, version, hub)
	}
	return parseCompute(w, version, hub, compile)
}

// Versions returns the versions that the rules name, the hub first.
func (r *Rules) Versions() []string {
	return append([]string{r.hub}, slices.Sorted(maps.Keys(r.spokes))...)
}

// Convert implements Converter.
func (r *Rules) Convert(ctx context.Context, objs []resource.Object, apiVersion string) []resource.Converted {
	out := make([]resource.Converted, len(objs))
	for i, obj := range objs {
		gvk := gvkOf(obj)
		if err := r.convert(ctx, obj, apiVersion); err != nil {
			out[i].Err = fmt.Errorf("conversion rules for %v failed: %v", gvk, err) //nolint:errorlint // what ended a rule is not what ended the request
			continue
		}
		out[i].Object = obj
	}
	return out
}

func (r *Rules) convert(ctx context.Context, obj resource.Object, apiVersion string) error {
	have, _ := obj["apiVersion"].(string)
	from, to := versionOf(have), versionOf(apiVersion)
	if from == to {
		return nil
	}
	data := readData(obj)
	delete(data.versions, from)           // what obj itself has a field for
	for i, rule := range r.spokes[from] { // the hub has none
		if err := rule.toHub(ctx, obj, data); err != nil {
			return &RuleError{At: fmt.Sprintf("versions[%s][%d]", from, i), Err: err}
		}
	}
	delete(data.versions, r.hub)
	for i, rule := range slices.Backward(r.spokes[to]) {
		if err := rule.toVersion(ctx, obj, data); err != nil {
			return &RuleError{At: fmt.Sprintf("versions[%s][%d]", to, i), Err: err}
		}
	}
	delete(data.versions, to)
	obj["apiVersion"] = apiVersion
	return data.write(obj)
}

// sides orders the two paths that a rule names by version.
func sides(named map[string]string, version, hub string) (v, h *path, err error) {
	for name := range named {
		if name != version && name != hub {
			return nil, nil, fmt.Errorf("%q is neither %s nor %s", name, version, hub)
		}
	}
	for _, side := range []struct {
		name string
		to   **path
	}{{version, &v}, {hub, &h}} {
		if text, ok := named[side.name]; ok {
			if *side.to, err = parsePath(text); err != nil {
				return nil, nil, fmt.Errorf("%s: %w", side.name, err)
			}
		}
	}
	return v, h, nil
}

// covers says whether a field is the one at p, or stands in it, or around it.
func (p *path) covers(field []string) bool {
	var names []string
	for _, s := range p.prefix {
		names = append(names, cmp.Or(s.name, "*"))
	}
	names = append(names, p.names...)
	for i := range min(len(names), len(field)) {
		if names[i] != "*" && field[i] != "*" && names[i] != field[i] {
			return false
		}
	}
	return true
}
