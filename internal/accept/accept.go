// Package accept reads what clients say that they accept, and has Kubernetes' words for those who accept nothing that
// there is.
package accept

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The media types of Kubernetes' objects.
const (
	JSON     = "application/json"
	YAML     = "application/yaml"
	Protobuf = "application/vnd.kubernetes.protobuf"
)

// Clause is one media type of an Accept header.
type Clause struct {
	Media  string            // "application/json", "*/*"
	Params map[string]string // those after it, q included; nil: none
	q      float64
}

// Clauses returns what the client of r accepts, the best first: by quality, those without wildcards before others, then
// in the client's order. None: there is no Accept header, or an empty one, which accepts everything.
func Clauses(r *http.Request) []Clause {
	var out []Clause
	for _, header := range r.Header.Values("Accept") {
		for part := range strings.SplitSeq(header, ",") {
			if c := parse(part); c.Media != "" {
				out = append(out, c)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Clause) int {
		return cmp.Or(cmp.Compare(b.q, a.q), cmp.Compare(strings.Count(a.Media, "*"), strings.Count(b.Media, "*")))
	})
	return out
}

func parse(text string) Clause {
	media, params, _ := strings.Cut(text, ";")
	c := Clause{Media: strings.TrimSpace(media), q: 1}
	if c.Media == "*" {
		c.Media = "*/*"
	}
	for params != "" {
		var p string
		p, params, _ = strings.Cut(params, ";")
		name, value, _ := strings.Cut(p, "=")
		if c.Params == nil {
			c.Params = map[string]string{}
		}
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		c.Params[name] = value
		if q, err := strconv.ParseFloat(value, 64); name == "q" && err == nil {
			c.q = q
		}
	}
	return c
}

// Matches says whether media is of the clause's type.
func (c *Clause) Matches(media string) bool {
	if c.Media == media || c.Media == "*/*" {
		return true
	}
	kind, sub, _ := strings.Cut(c.Media, "/")
	return sub == "*" && strings.HasPrefix(media, kind+"/")
}

// Pretty says whether the client of r wants JSON for people: it says so, or is a program that shows it to them.
func Pretty(r *http.Request) bool {
	if strings.Contains(r.URL.RawQuery, "pretty") {
		if text := r.URL.Query().Get("pretty"); text != "" {
			pretty, _ := strconv.ParseBool(text)
			return pretty
		}
	}
	ua := r.UserAgent()
	return strings.HasPrefix(ua, "curl") || strings.HasPrefix(ua, "Wget") || strings.HasPrefix(ua, "Mozilla/5.0")
}

// Routed returns nil where the client of r accepts one of media, whatever its parameters say; otherwise the error with
// which Kubernetes' router answers, before whoever knows better is asked. The router knows no wildcard but */*.
func Routed(r *http.Request, media ...string) error {
	headers := r.Header.Values("Accept")
	if len(headers) == 0 || len(headers) == 1 && headers[0] == "" {
		return nil
	}
	for _, header := range headers {
		for part := range strings.SplitSeq(header, ",") {
			m, _, _ := strings.Cut(part, ";")
			if m = strings.TrimSpace(m); m == "*/*" || slices.Contains(media, m) {
				return nil
			}
		}
	}
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusNotAcceptable, Reason: metav1.StatusReasonNotAcceptable,
		Message: "406: Not Acceptable\n\nAvailable representations: " + strings.Join(media, ", "), Details: &metav1.StatusDetails{},
	}}
}

// RoutedDocument is Routed for what can only be got: the router refuses all other methods (405), HEAD too.
func RoutedDocument(r *http.Request, media ...string) error {
	if r.Method != http.MethodGet {
		return MethodNotAllowed()
	}
	return Routed(r, media...)
}

// MethodNotAllowed is the answer to a method that is not served.
func MethodNotAllowed() error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusMethodNotAllowed, Reason: metav1.StatusReasonMethodNotAllowed,
		Message: "the server does not allow this method on the requested resource", Details: &metav1.StatusDetails{},
	}}
}

// None is the error for a client that accepts none of media.
func None(media ...string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusNotAcceptable, Reason: metav1.StatusReasonNotAcceptable,
		Message: "only the following media types are accepted: " + strings.Join(media, ", "),
	}}
}
