package endpoints

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"github.com/keelson-project/keelson/apiserver/registry"
	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/internal/jsonscan"
)

// maxBody is Kubernetes' limit of a request's body, for kinds that name no other.
const maxBody = 3 << 20

// maxDepth bounds the nesting of a body before anything recurses into it.
const maxDepth = 10000

// readBody reads the whole body within the limit of the kind that it is for. Error: RequestEntityTooLarge (413),
// BadRequest.
func (c *call) readBody() ([]byte, error) {
	limit := int64(maxBody)
	if c.t.Def != nil && c.t.Def.MaxBody > 0 {
		limit = c.t.Def.MaxBody
	}
	if c.r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	size := c.r.ContentLength
	if size < 0 {
		size = 512
	}
	buf := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead))
	_, err := buf.ReadFrom(http.MaxBytesReader(c.w, c.r.Body, limit))
	var max *http.MaxBytesError
	switch {
	case errors.As(err, &max):
		return nil, tooLarge(limit)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, apierrors.NewBadRequest("the request's body ended early")
	case err != nil:
		return nil, apierrors.NewBadRequest(err.Error())
	}
	return buf.Bytes(), nil
}

func tooLarge(limit int64) error {
	return apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("limit is %d", limit))
}

// decoded is a request's object with what strict decoding found.
type decoded struct {
	obj    resource.Object
	strict []string // `duplicate field "spec.a"`; YAML's own words for YAML
}

const acceptedMedia = mediaJSON + ", " + mediaYAML + ", " + mediaProtobuf

// decodeObject parses a body for a target. registered says which kinds the server has built in. Errors: UnsupportedMediaType (415), BadRequest.
func decodeObject(r *http.Request, t *registry.Target, body []byte, strict bool, registered func(schema.GroupVersionKind) bool) (*decoded, error) {
	media := mediaJSON
	if ct := r.Header.Get("Content-Type"); ct != "" {
		var err error
		if media, _, err = mime.ParseMediaType(ct); err != nil {
			return nil, unsupportedMediaType(acceptedMedia)
		}
	}
	var d *decoded
	var err error
	switch media {
	case mediaJSON:
		d, err = decodeJSON(body, strict)
	case mediaYAML, "application/x-yaml", "text/yaml":
		d, err = decodeYAML(body, strict)
	case mediaProtobuf:
		d, err = decodeProtobuf(body, t)
	default:
		return nil, unsupportedMediaType(acceptedMedia)
	}
	if err != nil {
		if _, ok := err.(apierrors.APIStatus); ok {
			return nil, err
		}
		return nil, unrecognized(t, body, err)
	}
	if t.Def.Custom {
		return d, checkHead(t, d.obj, body, strict)
	}
	return d, checkType(t, d.obj, body, registered)
}

func unrecognized(t *registry.Target, body []byte, err error) error {
	return apierrors.NewBadRequest(fmt.Sprintf("the object provided is unrecognized (must be of type %s): %v (%s)", t.Def.Names.Kind, err, summary(body)))
}

// summary shows the beginning of a body that could not be read, as Kubernetes does: as text or in hex.
func summary(body []byte) string {
	const limit = 30
	switch {
	case len(body) == 0:
		return "<empty>"
	case body[0] == '{':
		if len(body) > limit {
			return string(body[:limit]) + " ..."
		}
		return string(body)
	case len(body) > limit:
		return fmt.Sprintf("%x ...", body[:limit])
	}
	return fmt.Sprintf("%x", body)
}

func decodeJSON(body []byte, strict bool) (*decoded, error) {
	if err := checkDepth(body); err != nil {
		return nil, err
	}
	d := &decoded{}
	var found []error
	var err error
	if strict {
		found, err = kjson.UnmarshalStrict(body, &d.obj, kjson.DisallowDuplicateFields)
	} else {
		err = kjson.UnmarshalCaseSensitivePreserveInts(body, &d.obj)
	}
	if err != nil {
		return nil, jsonError(body, err)
	}
	if d.obj == nil {
		d.obj = resource.Object{} // null says as much as {}
	}
	for _, name := range []string{"apiVersion", "kind"} {
		if value := d.obj[name]; value != nil {
			if _, ok := value.(string); !ok {
				return nil, headError(body)
			}
		}
	}
	for _, e := range found {
		d.strict = append(d.strict, e.Error())
	}
	return d, nil
}

// jsonError words a body that is no JSON object.
func jsonError(body []byte, err error) error {
	if first := headError(body); first != nil {
		return first
	}
	return fmt.Errorf("couldn't get version/kind; json parse error: %w", err)
}

// headError says why version and kind cannot be read. Kubernetes looks for them before anything else, and tells of the Go
// type into which it does.
func headError(body []byte) error {
	var head struct {
		APIVersion string `json:"apiVersion,omitempty"`
		Kind       string `json:"kind,omitempty"`
	}
	if err := kjson.UnmarshalCaseSensitivePreserveInts(body, &head); err != nil {
		return fmt.Errorf("couldn't get version/kind; json parse error: %w", err)
	}
	return nil
}

func decodeYAML(body []byte, strict bool) (*decoded, error) {
	if !utf8.Valid(body) {
		return nil, errors.New("error converting YAML to JSON: yaml: invalid UTF-8")
	}
	asJSON, err := yaml.YAMLToJSON(body)
	if err != nil {
		return nil, err
	}
	d, err := decodeJSON(asJSON, false)
	if err != nil {
		return nil, err
	}
	if strict {
		if _, err := yaml.YAMLToJSONStrict(body); err != nil {
			d.strict = append(d.strict, err.Error())
		}
	}
	return d, nil
}

// checkHead refuses a custom object that does not say what it is. One that says it is something else is decoded all the
// same; see registry. strict: the decoder looked for duplicate fields, which is another one in Kubernetes.
func checkHead(t *registry.Target, obj resource.Object, body []byte, strict bool) error {
	kind, _ := obj["kind"].(string)
	apiVersion, _ := obj["apiVersion"].(string)
	gv, err := schema.ParseGroupVersion(apiVersion)
	if err != nil {
		return unrecognized(t, body, err)
	}
	if kind == "" {
		err := missingKind(body)
		if strict {
			return unrecognized(t, body, err)
		}
		if gv.Version == "" {
			gv.Version = t.Version.Name
		}
		return t.CannotHandle(schema.GroupVersionKind{Version: gv.Version, Kind: t.Def.Names.Kind}, err)
	}
	if value, there := obj["apiVersion"]; there && value == nil {
		return t.CannotHandle(schema.GroupVersionKind{Kind: kind}, errNullVersion)
	}
	return nil
}

// errNullVersion is what Kubernetes says of an apiVersion that is there and null.
var errNullVersion = errors.New(".apiVersion accessor error: <nil> is of the type <nil>, expected string")

func missingKind(body []byte) error {
	return fmt.Errorf("Object 'Kind' is missing in '%s'", body) //nolint:staticcheck // Kubernetes' text
}

// checkPatchedHead is checkHead for what a patch made of a custom object.
func checkPatchedHead(obj resource.Object, encoded string) error {
	if err := headError([]byte(encoded)); err != nil {
		return err
	}
	if kind, _ := obj["kind"].(string); kind == "" {
		return missingKind([]byte(encoded))
	}
	apiVersion, there := obj["apiVersion"]
	if there && apiVersion == nil {
		return errNullVersion
	}
	text, _ := apiVersion.(string)
	_, err := schema.ParseGroupVersion(text)
	return err
}

// checkType compares apiVersion and kind of a built-in kind, which may leave them out, with what the path says.
func checkType(t *registry.Target, obj resource.Object, body []byte, registered func(schema.GroupVersionKind) bool) error {
	kind, _ := obj["kind"].(string)
	apiVersion, _ := obj["apiVersion"].(string)
	want := t.Def.APIVersion(t.Version.Name)
	if kind == "" {
		kind, obj["kind"] = t.Def.Names.Kind, t.Def.Names.Kind
	}
	if apiVersion == "" {
		apiVersion, obj["apiVersion"] = want, want
	}
	switch {
	case apiVersion != want:
		gv, err := schema.ParseGroupVersion(apiVersion)
		if err != nil {
			return unrecognized(t, body, err)
		}
		return wrongKind(t, gv.WithKind(kind), registered)
	case kind != t.Def.Names.Kind:
		return wrongKind(t, t.Def.GroupVersionKind(t.Version.Name).GroupVersion().WithKind(kind), registered)
	}
	return nil
}

// wrongKind refuses an object of another kind than the target's, as Kubernetes' scheme does: by the Go types that it
// cannot convert, or because it knows no such kind.
func wrongKind(t *registry.Target, gvk schema.GroupVersionKind, registered func(schema.GroupVersionKind) bool) error {
	why := notRegistered(gvk)
	if registered(gvk) {
		internal, _, _ := strings.Cut(t.Def.Group, ".")
		if internal == "" {
			internal = "core"
		}
		why = fmt.Sprintf("converting (%s.%s) to (%s.%s): unknown conversion", gvk.Version, gvk.Kind, internal, t.Def.Names.Kind)
	}
	return apierrors.NewBadRequest(fmt.Sprintf("%s in version %q cannot be handled as a %s: %s", gvk.Kind, gvk.Version, t.Def.Names.Kind, why))
}

func notRegistered(gvk schema.GroupVersionKind) string {
	return fmt.Sprintf("no kind %q is registered for version %q in scheme \"pkg/runtime/scheme.go:111\"", gvk.Kind, gvk.GroupVersion())
}

// checkDepth refuses nesting that no recursion should follow.
func checkDepth(body []byte) error {
	if jsonscan.Deeper(body, maxDepth) {
		return fmt.Errorf("exceeded max depth of %d", maxDepth)
	}
	return nil
}
