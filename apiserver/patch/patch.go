// Package patch applies the patch formats of Kubernetes to decoded objects: JSON patch (RFC 6902), JSON merge
// patch (RFC 7386) and strategic merge patch; applied configurations it only reads. It is pure: no I/O, no clock, and
// the object that it is given is its own to change. Where Kubernetes departs from the RFCs, so does this package; texts
// of errors are Kubernetes', too.
package patch

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"k8s.io/apimachinery/pkg/util/mergepatch"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	kjson "sigs.k8s.io/json"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// Type is a patch's media type.
type Type string

// The media types of patches.
const (
	JSON      Type = "application/json-patch+json"
	Merge     Type = "application/merge-patch+json"
	Strategic Type = "application/strategic-merge-patch+json"
	Apply     Type = "application/apply-patch+yaml"
)

// MaxOperations bounds a JSON patch, as Kubernetes does.
const MaxOperations = 10000

// Errors by whose fault it is; compare with errors.Is.
var (
	// ErrMalformed: the patch cannot be read (400).
	ErrMalformed = errors.New("malformed patch")
	// ErrTooLarge: too many operations (413).
	ErrTooLarge = errors.New("too many patch operations")
	// ErrNotApplicable: the patch is well-formed but does not fit the object, say a failed test (422).
	ErrNotApplicable = errors.New("the patch cannot be applied")
	// ErrUnsupported: the kind has no patches of that type (415).
	ErrUnsupported = errors.New("unsupported patch type")
)

type patchError struct {
	kind  error
	cause error
}

func (e *patchError) Error() string { return e.cause.Error() }
func (e *patchError) Unwrap() []error {
	return []error{e.kind, e.cause}
}

func malformed(cause error) error { return &patchError{ErrMalformed, cause} }

// Patch is a parsed patch: it can be applied again when a race was lost.
type Patch struct {
	kind   Type
	goType any
	ops    jsonpatch.Patch
	merge  map[string]any
	err    error // of decoding, which Apply tells
	// Strict are duplicate and unknown fields of the patch itself.
	Strict []string
	// Config is the applied configuration where the patch is one (Apply). It is not for Patch.Apply: merging it takes
	// the account of who owns what (package managedfields). Read-only, so that it can be merged again.
	Config resource.Object
}

// Options of Parse.
type Options struct {
	// GoType is a pointer to the kind's Go struct, which strategic merge patches need; nil where there is none.
	GoType any
	// Ignore says that nobody asks for Strict (fieldValidation=Ignore). Kubernetes words some errors otherwise then.
	Ignore bool
}

// Parse reads a patch. Errors: ErrMalformed where it is no JSON (or YAML, of an applied configuration), ErrUnsupported.
// What else is wrong with a patch is told by Apply, since Kubernetes looks for the object first.
func Parse(kind Type, body []byte, o Options) (*Patch, error) {
	p := &Patch{kind: kind, goType: o.GoType}
	switch kind {
	case JSON, Merge, Strategic:
	case Apply:
		return p, p.parseConfig(body)
	default:
		return nil, &patchError{ErrUnsupported, fmt.Errorf("patch type %q", kind)}
	}
	if kind == Strategic && o.GoType == nil {
		return nil, &patchError{ErrUnsupported, errors.New("the kind has no strategic merge patches")}
	}
	if !json.Valid(body) {
		return nil, malformed(errors.New("invalid JSON patch"))
	}
	if kind == JSON {
		p.err = p.parseOperations(body, o.Ignore)
	} else {
		p.err = p.parseMerge(body, o.Ignore)
	}
	return p, nil
}

func (p *Patch) parseMerge(body []byte, ignore bool) error {
	strict, err := kjson.UnmarshalStrict(body, &p.merge, kjson.DisallowDuplicateFields)
	for _, e := range strict {
		p.Strict = append(p.Strict, e.Error())
	}
	switch {
	case p.kind == Strategic && err != nil:
		return malformed(err)
	case p.kind == Strategic:
		return nil
	case err != nil && !ignore:
		return malformed(fmt.Errorf("error decoding patch: %w", err))
	case err != nil || p.merge == nil:
		return malformed(jsonpatch.ErrBadJSONPatch)
	}
	return nil
}

// Apply returns the patched object. obj belongs to Apply from then on. Errors: ErrMalformed, ErrTooLarge,
// ErrNotApplicable.
func (p *Patch) Apply(obj resource.Object) (resource.Object, error) {
	if p.err != nil {
		return nil, p.err
	}
	switch p.kind {
	case JSON:
		return p.applyOperations(obj)
	case Merge:
		return mergeObject(obj, p.merge), nil
	}
	return p.applyStrategic(obj)
}

// Shown is the patch as Kubernetes shows it in an error of the patched object: that object, of a strategic merge patch
// the patch itself.
func (p *Patch) Shown(patched resource.Object) string {
	if p.kind == Strategic {
		return fmt.Sprintf("%+v", p.merge)
	}
	encoded, err := resource.Encode(patched)
	if err != nil {
		return "" // it is what Apply returned, and encodes
	}
	return string(encoded)
}

func (p *Patch) applyStrategic(obj resource.Object) (resource.Object, error) {
	meta, err := strategicpatch.NewPatchMetaFromStruct(reflect.New(reflect.TypeOf(p.goType).Elem()).Interface())
	if err != nil {
		return nil, err
	}
	patched, err := strategicpatch.StrategicMergeMapPatchUsingLookupPatchMeta(obj, resource.DeepCopy(p.merge), meta)
	switch {
	case err == nil:
	case errors.Is(err, mergepatch.ErrNoListOfLists), errors.Is(err, mergepatch.ErrPatchContentNotMatchRetainKeys):
		return nil, &patchError{ErrNotApplicable, err}
	case errors.Is(err, mergepatch.ErrBadJSONDoc), errors.Is(err, mergepatch.ErrBadPatchFormatForPrimitiveList),
		errors.Is(err, mergepatch.ErrBadPatchFormatForRetainKeys), errors.Is(err, mergepatch.ErrUnsupportedStrategicMergePatchFormat),
		errors.Is(err, mergepatch.ErrBadPatchFormatForSetElementOrderList):
		return nil, malformed(err)
	default:
		return nil, err
	}
	// The merge may leave numbers and slices of other types behind: back to the canonical shape.
	raw, err := json.Marshal(patched)
	if err != nil {
		return nil, err
	}
	return resource.Decode(raw)
}
