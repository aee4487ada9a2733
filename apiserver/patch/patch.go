// Package patch applies the patch formats of Kubernetes to decoded objects: JSON patch (RFC 6902), JSON merge
// patch (RFC 7386) and strategic merge patch; applied configurations it only reads. It is pure: no I/O, no clock, and the object that it is given is
// its own to change.
package patch

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"k8s.io/apimachinery/pkg/util/mergepatch"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

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

// Patch is a parsed patch: it can be applied again when a race was lost.
type Patch struct {
	kind   Type
	goType any
	ops    jsonpatch.Patch
	merge  map[string]any
	// Strict are duplicate fields of the patch itself.
	Strict []string
	// Config is the applied configuration where the patch is one (Apply). It is not for Patch.Apply: merging it takes
	// the account of who owns what (package managedfields). Read-only, so that it can be merged again.
	Config resource.Object
}

// Parse reads a patch. goType is a pointer to the kind's Go struct, which strategic merge patches need; nil where
// there is none. Errors: ErrMalformed, ErrTooLarge, ErrUnsupported.
func Parse(kind Type, body []byte, goType any) (*Patch, error) {
	p := &Patch{kind: kind, goType: goType}
	switch kind {
	case JSON:
		ops, err := jsonpatch.DecodePatch(body)
		if err != nil {
			return nil, &patchError{ErrMalformed, fmt.Errorf("error decoding patch: %w", err)}
		}
		if len(ops) > MaxOperations {
			return nil, &patchError{ErrTooLarge, fmt.Errorf("The allowed maximum operations in a JSON patch is %d, got %d", MaxOperations, len(ops))} //nolint:staticcheck // Kubernetes' text
		}
		p.ops = ops
		return p, nil
	case Merge, Strategic:
		if kind == Strategic && goType == nil {
			return nil, &patchError{ErrUnsupported, errors.New("the kind has no strategic merge patches")}
		}
		strict, err := kjson.UnmarshalStrict(body, &p.merge, kjson.DisallowDuplicateFields)
		if err != nil {
			return nil, &patchError{ErrMalformed, fmt.Errorf("error decoding patch: %w", err)}
		}
		for _, e := range strict {
			p.Strict = append(p.Strict, e.Error())
		}
		return p, nil
	}
	if kind == Apply {
		return p, p.parseConfig(body)
	}
	return nil, &patchError{ErrUnsupported, fmt.Errorf("patch type %q", kind)}
}

// parseConfig reads the YAML (or JSON) of an applied configuration.
func (p *Patch) parseConfig(body []byte) error {
	raw, err := yaml.YAMLToJSON(body)
	if err != nil {
		return &patchError{ErrMalformed, fmt.Errorf("error encoding patch: %w", err)}
	}
	if err := kjson.UnmarshalCaseSensitivePreserveInts(raw, &p.Config); err != nil {
		return &patchError{ErrMalformed, fmt.Errorf("error decoding patch: error unmarshaling JSON: while decoding JSON: %w", err)}
	}
	if p.Config == nil {
		p.Config = resource.Object{} // of no kind, which its merge will say
	}
	if err := yaml.UnmarshalStrict(body, &map[string]any{}); err != nil {
		p.Strict = append(p.Strict, err.Error())
	}
	return nil
}

// Apply returns the patched object. obj belongs to Apply from then on. Error: ErrNotApplicable.
func (p *Patch) Apply(obj resource.Object) (resource.Object, error) {
	switch p.kind {
	case JSON:
		return p.applyJSON(obj)
	case Merge:
		return mergeObject(obj, p.merge), nil
	}
	return p.applyStrategic(obj)
}

func (p *Patch) applyJSON(obj resource.Object) (resource.Object, error) {
	doc, err := resource.Encode(obj)
	if err != nil {
		return nil, err
	}
	options := jsonpatch.NewApplyOptions()
	options.AccumulatedCopySizeLimit = maxCopied
	doc, err = p.ops.ApplyWithOptions(doc, options)
	if err != nil {
		return nil, &patchError{ErrNotApplicable, err}
	}
	patched, err := resource.Decode(doc)
	if err != nil {
		return nil, &patchError{ErrNotApplicable, err}
	}
	return patched, nil
}

// maxCopied bounds what "copy" operations may add up to, so that a small patch cannot make a huge object.
const maxCopied = 3 << 20

// mergeObject is RFC 7386.
func mergeObject(obj, change map[string]any) map[string]any {
	if obj == nil {
		obj = map[string]any{}
	}
	for k, v := range change {
		switch v := v.(type) {
		case nil:
			delete(obj, k)
		case map[string]any:
			old, _ := obj[k].(map[string]any)
			obj[k] = mergeObject(old, v)
		default:
			obj[k] = copyValue(v)
		}
	}
	return obj
}

// copyValue keeps the patch apart from the object: both live on when the patch is applied again.
func copyValue(v any) any {
	if _, ok := v.([]any); !ok {
		return v
	}
	return resource.DeepCopy(resource.Object{"v": v})["v"]
}

func (p *Patch) applyStrategic(obj resource.Object) (resource.Object, error) {
	meta, err := strategicpatch.NewPatchMetaFromStruct(reflect.New(reflect.TypeOf(p.goType).Elem()).Interface())
	if err != nil {
		return nil, err
	}
	patched, err := strategicpatch.StrategicMergeMapPatchUsingLookupPatchMeta(obj, resource.DeepCopy(p.merge), meta)
	if errors.Is(err, mergepatch.ErrBadJSONDoc) || err != nil {
		return nil, &patchError{ErrNotApplicable, err}
	}
	// The merge may leave numbers and slices of other types behind: back to the canonical shape.
	raw, err := json.Marshal(patched)
	if err != nil {
		return nil, err
	}
	return resource.Decode(raw)
}
