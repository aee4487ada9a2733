package offline

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/keelson-project/keelson/crd/source"
)

// Verdict is what the server says of one object.
type Verdict struct {
	File       string `json:"file"`
	Line       int    `json:"line"` // where the object starts
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name,omitempty"`
	Accepted   bool   `json:"accepted"`
	// Code, Reason and Message are the Status that the server answers with. A kind that it does not serve has none:
	// the client finds that out before.
	Code     int      `json:"code,omitempty"`
	Reason   string   `json:"reason,omitempty"`
	Message  string   `json:"message,omitempty"`
	Causes   []Cause  `json:"causes,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
}

// Cause is one thing that is wrong with an object.
type Cause struct {
	Field   string `json:"field,omitempty"` // as the server writes paths
	Line    int    `json:"line"`
	Message string `json:"message"`
}

// String is the verdict as lines FILE:LINE: VERDICT: OBJECT: TEXT, one for each cause and warning.
func (v Verdict) String() string {
	name := v.Kind
	if v.Name != "" {
		name += " " + v.Name
	}
	var lines []string
	line := func(at int, what, text string) {
		lines = append(lines, strings.TrimSuffix(fmt.Sprintf("%s:%d: %s: %s: %s", v.File, at, what, name, oneLine(text)), ": "))
	}
	switch {
	case v.Accepted:
		line(v.Line, "accepted", "")
	case len(v.Causes) == 0:
		line(v.Line, "refused", v.Message)
	}
	for _, c := range v.Causes {
		line(c.Line, "refused", c.Message)
	}
	for _, w := range v.Warnings {
		line(v.Line, "warning", w)
	}
	return strings.Join(lines, "\n")
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

func verdictOn(d *source.Document) *Verdict {
	return &Verdict{File: d.File, Line: d.Line, APIVersion: d.APIVersion, Kind: d.Kind, Namespace: d.Namespace, Name: d.Name}
}

// read takes the server's answer over.
func (v *Verdict) read(d *source.Document, a *answer) {
	v.Warnings = a.warnings
	if v.Accepted = a.ok(); v.Accepted {
		v.Code = a.code
		return
	}
	var status metav1.Status
	if err := json.Unmarshal(a.body, &status); err != nil || status.Status == "" {
		v.Code, v.Message = a.code, string(a.body)
		return
	}
	v.Code, v.Reason, v.Message = int(status.Code), string(status.Reason), status.Message
	if status.Details != nil {
		for _, c := range status.Details.Causes {
			text := c.Message
			if c.Field != "" && c.Field != "<nil>" {
				text = c.Field + ": " + text
			}
			v.Causes = append(v.Causes, Cause{Field: c.Field, Line: d.LineOf(c.Field), Message: text})
		}
	}
	if len(v.Causes) == 0 {
		v.Causes = strictCauses(d, v.Message)
	}
}

var (
	strictField = regexp.MustCompile(`(?:unknown|duplicate) field "((?:[^"\\]|\\.)*)"`)
	strictLine  = regexp.MustCompile(`line (\d+): key "[^"]*" already set in map`)
)

// strictCauses finds the fields in the message of a strict decoding error, for their lines.
func strictCauses(d *source.Document, message string) []Cause {
	_, list, ok := strings.Cut(message, "strict decoding error: ")
	if !ok {
		return nil
	}
	var causes []Cause
	for _, m := range strictField.FindAllStringSubmatch(list, -1) {
		causes = append(causes, Cause{Field: m[1], Line: d.LineOf(m[1]), Message: m[0]})
	}
	for _, m := range strictLine.FindAllStringSubmatch(list, -1) {
		line := d.Line
		if n, err := strconv.Atoi(m[1]); err == nil && d.Start > 0 {
			line = d.Start + n - 1
		}
		_, text, _ := strings.Cut(m[0], ": ")
		causes = append(causes, Cause{Line: line, Message: text})
	}
	return causes
}
