package patch

import (
	"fmt"
	"strings"
	"sync"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	kjson "sigs.k8s.io/json"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// maxCopied bounds what "copy" operations may add up to, so that a small patch cannot make a huge object.
const maxCopied = 3 << 20

// limitCopies tells the library of maxCopied, which it keeps for the whole process; it has no other way.
var limitCopies = sync.OnceFunc(func() { jsonpatch.AccumulatedCopySizeLimit = maxCopied })

// jsonPatchOp is what an operation may hold. Kubernetes shows the type's name in errors.
type jsonPatchOp struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	From  string `json:"from"`
	Value any    `json:"value"`
}

func (p *Patch) parseOperations(body []byte, ignore bool) (err error) {
	limitCopies()
	if !ignore {
		var ops []jsonPatchOp
		strict, err := kjson.UnmarshalStrict(body, &ops)
		if err != nil {
			text := strings.ReplaceAll(err.Error(), "patch.jsonPatchOp", "handlers.jsonPatchOp")
			return malformed(fmt.Errorf("error decoding patch: %s", text))
		}
		for _, e := range strict {
			p.Strict = append(p.Strict, "json patch "+e.Error())
		}
	}
	if p.ops, err = jsonpatch.DecodePatch(body); err != nil {
		return malformed(err)
	}
	if len(p.ops) > MaxOperations {
		return &patchError{ErrTooLarge, fmt.Errorf("The allowed maximum operations in a JSON patch is %d, got %d", MaxOperations, len(p.ops))} //nolint:staticcheck // Kubernetes' text
	}
	return nil
}

func (p *Patch) applyOperations(obj resource.Object) (resource.Object, error) {
	doc, err := resource.Encode(obj)
	if err != nil {
		return nil, err
	}
	if doc, err = applyTo(doc, p.ops); err != nil {
		return nil, &patchError{ErrNotApplicable, err}
	}
	patched, err := resource.Decode(doc)
	if err != nil {
		return nil, &patchError{ErrNotApplicable, err}
	}
	return patched, nil
}

// applyTo survives what the library does not: a test of the whole document without a value, for one.
func applyTo(doc []byte, ops jsonpatch.Patch) (patched []byte, err error) {
	defer func() {
		if recover() != nil {
			err = ErrNotApplicable
		}
	}()
	return ops.Apply(doc)
}
