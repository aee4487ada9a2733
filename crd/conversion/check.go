package conversion

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/crd/schema"
)

// Check tries the rules on samples of the schemas, which are those of the kind's versions: what goes from one version
// through the hub and comes back must be what it was, and so must what goes from the hub to a version and comes back.
// It returns at most one problem of each way, as *RuleError: At names the rule, Err what did not come back.
func (r *Rules) Check(ctx context.Context, schemas map[string]*schema.Schema) []*RuleError {
	hub, ok := schemas[r.hub]
	if !ok {
		return []*RuleError{{At: "hub", Err: fmt.Errorf("%q is no version of this kind", r.hub)}}
	}
	var out []*RuleError
	for _, version := range slices.Sorted(maps.Keys(r.spokes)) {
		if _, ok := schemas[version]; !ok {
			out = append(out, &RuleError{At: "versions[" + version + "]", Err: fmt.Errorf("%q is no version of this kind", version)})
		}
	}
	for _, version := range slices.Sorted(maps.Keys(schemas)) {
		if version == r.hub {
			continue
		}
		there := journey{r, version, version, r.hub, schemas[version], hub}
		back := journey{r, version, r.hub, version, hub, schemas[version]}
		for _, j := range []journey{there, back} {
			if err := j.check(ctx); err != nil {
				out = append(out, err)
			}
		}
	}
	return out
}

// journey is the way of samples from one version to another, and back.
type journey struct {
	rules      *Rules
	spoke      string // the one of both that is not the hub
	from, to   string
	home, away *schema.Schema
}

const sampleGroup = "sample/"

func (j *journey) check(ctx context.Context) *RuleError {
	for _, sample := range samplesOf(j.home, j.rules.samples[j.from]) {
		if ctx.Err() != nil {
			return &RuleError{Err: fmt.Errorf("the samples take too long: %w", ctx.Err())}
		}
		sample["apiVersion"], sample["kind"] = sampleGroup+j.from, "Sample"
		schema.Prune(sample, j.home)
		if err := j.try(ctx, sample); err != nil {
			return err
		}
	}
	return nil
}

func (j *journey) try(ctx context.Context, sample resource.Object) *RuleError {
	obj := resource.DeepCopy(sample)
	for _, leg := range []struct {
		version string
		s       *schema.Schema
	}{{j.to, j.away}, {j.from, j.home}} {
		if err := j.rules.convert(ctx, obj, sampleGroup+leg.version); err != nil {
			return j.refused(err, sample)
		}
		schema.Prune(obj, leg.s)
		if field, found := stranger(obj, leg.s, nil); found {
			return &RuleError{
				At:  cmp.Or(j.blame(field, leg.version), "versions["+j.spoke+"]"),
				Err: fmt.Errorf("%s gets a value in %s that its enum does not have, from a valid object of %s", fieldText(field), leg.version, j.from),
			}
		}
	}
	field, text := difference(sample, obj, nil)
	if text == "" {
		return nil
	}
	at := j.blame(field, j.from)
	if at == "" {
		at, text = "versions["+j.spoke+"]", text+"; no rule is about it"
	}
	return &RuleError{At: at, Err: fmt.Errorf("%s of %s does not come back from %s: %s", fieldText(field), j.from, j.to, text)}
}

// refused words a conversion that failed on a sample.
func (j *journey) refused(err error, sample resource.Object) *RuleError {
	at := "versions[" + j.spoke + "]"
	if e, ok := err.(*RuleError); ok { //nolint:errorlint // convert wraps no further
		at, err = e.At, e.Err
	}
	meta := sample["metadata"]
	delete(sample, "metadata")
	raw, _ := resource.Encode(sample)
	sample["metadata"] = meta
	if len(raw) > 256 {
		raw = append(raw[:256], "..."...)
	}
	return &RuleError{At: at, Err: fmt.Errorf("a sample of %s cannot be converted (%w); if no such object is valid, give better samples of %s: %s", j.from, err, j.from, raw)}
}

// blame returns the place of the rule that is about a field of a version, "" where none is.
func (j *journey) blame(field []string, version string) string {
	for i, rule := range j.rules.spokes[j.spoke] {
		if rule.touches(field, version == j.rules.hub) {
			return fmt.Sprintf("versions[%s][%d]", j.spoke, i)
		}
	}
	return ""
}

// difference returns the first field in which two values differ, items of lists as "*", and how; "" where they do not.
// An empty object is as good as none.
func difference(a, b any, at []string) (field []string, text string) {
	am, aok := a.(map[string]any)
	bm, bok := b.(map[string]any)
	if aok && (bok || b == nil) || bok && a == nil {
		names := map[string]bool{}
		for n := range am {
			names[n] = true
		}
		for n := range bm {
			names[n] = true
		}
		for _, n := range slices.Sorted(maps.Keys(names)) {
			if field, text := difference(am[n], bm[n], append(slices.Clone(at), n)); text != "" {
				return field, text
			}
		}
		return nil, ""
	}
	al, aok := a.([]any)
	bl, bok := b.([]any)
	if aok && bok && len(al) == len(bl) {
		for i := range al {
			if field, text := difference(al[i], bl[i], append(slices.Clone(at), "*")); text != "" {
				return field, text
			}
		}
		return nil, ""
	}
	if reflect.DeepEqual(a, b) {
		return nil, ""
	}
	return at, fmt.Sprintf("it was %s and is %s", short(a), short(b))
}

// stranger returns the first field of v whose value is not in the enumeration that its schema has.
func stranger(v any, s *schema.Schema, at []string) (field []string, found bool) {
	if s == nil {
		return nil, false
	}
	if len(s.Enum) > 0 && !slices.ContainsFunc(s.Enum, func(e any) bool { return reflect.DeepEqual(e, v) }) {
		return at, true
	}
	switch v := v.(type) {
	case map[string]any:
		for _, n := range slices.Sorted(maps.Keys(v)) {
			child := s.Properties[n]
			if child == nil {
				child = s.Additional
			}
			if field, found := stranger(v[n], child, append(slices.Clone(at), n)); found {
				return field, true
			}
		}
	case []any:
		for i := range v {
			if field, found := stranger(v[i], s.Items, append(slices.Clone(at), "*")); found {
				return field, true
			}
		}
	}
	return nil, false
}

func short(v any) string {
	if v == nil {
		return "absent"
	}
	raw, err := resource.AppendValue(nil, v)
	if err != nil {
		return fmt.Sprintf("%v", v)
	}
	if len(raw) > 64 {
		raw = append(raw[:64], "..."...)
	}
	return string(raw)
}

// fieldText is a field in the notation of paths.
func fieldText(names []string) string {
	var b strings.Builder
	for i, n := range names {
		switch {
		case n == "*":
			b.WriteString("[*]")
		case strings.ContainsAny(n, ".[]'/"):
			b.WriteString("['" + n + "']")
		default:
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString(n)
		}
	}
	return b.String()
}
