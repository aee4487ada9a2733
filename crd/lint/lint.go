// Package lint reads CustomResourceDefinitions as a reviewer does. It tells what the server would refuse, in the
// server's words (package rules has them), and what authors and users come to regret once objects are stored: what
// cannot be changed any more without breaking somebody.
//
//	findings, err := lint.Lint(ctx, docs, lint.Options{})
//	for _, f := range findings {
//		fmt.Println(f) // crd.yaml:12: warning: v1 .spec.ports: ... (list-type)
//	}
//
// Rules lists the rules. A finding says what to do about it.
package lint

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	kjson "sigs.k8s.io/json"

	"github.com/keelson-project/keelson/crd/cel"
	crdconversion "github.com/keelson-project/keelson/crd/conversion"
	"github.com/keelson-project/keelson/crd/rules"
	"github.com/keelson-project/keelson/crd/source"
)

// Severity is how bad a finding is.
type Severity string

// Severities, from bad to good.
const (
	Error   Severity = "error"   // the server, or kubectl in its default mode, refuses it
	Warning Severity = "warning" // it does not work as it looks, or is hard to repair later
	Info    Severity = "info"    // it could be kinder to users
)

// AtLeast says whether s is as bad as other.
func (s Severity) AtLeast(other Severity) bool { return rank(s) <= rank(other) }

func rank(s Severity) int { return slices.Index([]Severity{Error, Warning, Info}, s) }

// Finding is one thing that a rule has to say.
type Finding struct {
	File string `json:"file"`
	Line int    `json:"line"`
	CRD  string `json:"crd"` // its name
	// Version is "" for what is not about one.
	Version string `json:"version,omitempty"`
	// Path is of a field of the objects where it starts with a dot (.spec.ports[].name, .spec.labels.* for the
	// values of a map), else of a field of the CustomResourceDefinition.
	Path     string   `json:"path,omitempty"`
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	Message  string   `json:"message"`
}

// Where is the version and path that a finding is about.
func (f Finding) Where() string { return strings.TrimSpace(f.Version + " " + f.Path) }

// String is the finding on one line.
func (f Finding) String() string {
	where := f.Where()
	if where != "" {
		where += ": "
	}
	return fmt.Sprintf("%s:%d: %s: %s%s (%s)", f.File, f.Line, f.Severity, where, strings.Join(strings.Fields(f.Message), " "), f.Rule)
}

// Rule describes a rule.
type Rule struct {
	ID       string
	Severity Severity // the worst that it finds
	What     string   // what it finds
}

// Options of Lint; the zero value applies all rules.
type Options struct {
	Disable []string // IDs of rules to leave out
}

// Rules returns all rules, sorted by ID.
func Rules() []Rule {
	var out []Rule
	for _, r := range allRules() {
		out = append(out, r.Rule)
	}
	slices.SortFunc(out, func(a, b Rule) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// Lint returns what the rules find in the CustomResourceDefinitions among docs, by file and line. An unknown rule in
// Options is an error.
func Lint(ctx context.Context, docs []*source.Document, o Options) ([]Finding, error) {
	all := allRules()
	for _, id := range o.Disable {
		if !slices.ContainsFunc(all, func(r rule) bool { return r.ID == id }) {
			return nil, fmt.Errorf("there is no rule %q", id)
		}
	}
	all = slices.DeleteFunc(all, func(r rule) bool { return slices.Contains(o.Disable, r.ID) })
	var findings []Finding
	for _, d := range docs {
		if !d.IsCRD() {
			continue
		}
		l := &linter{doc: d, rules: all}
		l.run(ctx)
		findings = append(findings, l.findings...)
	}
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(rank(a.Severity), rank(b.Severity)))
	})
	return findings, nil
}

// linter is at work on one CustomResourceDefinition.
type linter struct {
	doc      *source.Document
	rules    []rule
	findings []Finding

	crd     *apiextensionsv1.CustomResourceDefinition
	version string // the one being looked at
	current *rule  // the one being applied
}

func (l *linter) run(ctx context.Context) {
	c, err := l.doc.CRD()
	if err != nil {
		text := strings.TrimPrefix(err.Error(), fmt.Sprintf("%s:%d: ", l.doc.File, l.doc.Line))
		l.apply(func(r *rule) {
			if r.ID == refusedID {
				l.find("", "", text)
			}
		})
		return
	}
	l.crd = c
	l.apply(func(r *rule) {
		if r.kind != nil {
			r.kind(ctx, l)
		}
	})
	for i := range c.Spec.Versions {
		v := &c.Spec.Versions[i]
		l.version = v.Name
		at := fmt.Sprintf("spec.versions[%d]", i)
		l.apply(func(r *rule) {
			if r.version != nil {
				r.version(l, v, at)
			}
		})
		if v.Schema == nil || v.Schema.OpenAPIV3Schema == nil {
			continue
		}
		root := &node{props: v.Schema.OpenAPIV3Schema, at: at + ".schema.openAPIV3Schema"}
		root.walk(func(n *node) {
			l.apply(func(r *rule) {
				if r.node != nil {
					r.node(l, n)
				}
			})
		})
	}
	l.version = ""
}

func (l *linter) apply(f func(*rule)) {
	for i := range l.rules {
		l.current = &l.rules[i]
		f(l.current)
	}
}

// find reports. at is the path in the CustomResourceDefinition, for the line; path is what is shown.
func (l *linter) find(at, path, message string, args ...any) {
	l.findAs(l.current.Severity, at, path, message, args...)
}

func (l *linter) findAs(s Severity, at, path, message string, args ...any) {
	if len(args) > 0 {
		message = fmt.Sprintf(message, args...)
	}
	l.findings = append(l.findings, Finding{
		File: l.doc.File, Line: l.doc.LineOf(at), CRD: l.doc.Name, Version: l.version, Path: path,
		Rule: l.current.ID, Severity: s, Message: message,
	})
}

const refusedID = "refused"

// refused reports what the server refuses.
func refused(ctx context.Context, l *linter) {
	errs := rules.Check(ctx, l.crd)
	errs = append(errs, crdconversion.Validate(ctx, l.crd, func(text string) (crdconversion.Expression, error) { return cel.CompileExpression(text) })...)
	for _, e := range errs {
		l.find(e.Field, e.Field, "the server refuses it: %s", e.ErrorBody())
	}
}

// unknownFields reports what the server would drop, which kubectl does not let pass.
func unknownFields(_ context.Context, l *linter) {
	var c apiextensionsv1.CustomResourceDefinition
	strict, err := kjson.UnmarshalStrict(l.doc.JSON, &c)
	if err != nil {
		return // the document was decoded before
	}
	for _, e := range strict {
		path := ""
		if f, ok := e.(kjson.FieldError); ok { //nolint:errorlint // these are not wrapped
			path = f.FieldPath()
		}
		l.find(path, path, "there is no such field: the server drops it, and kubectl refuses it; take it out, or correct its name")
	}
}
