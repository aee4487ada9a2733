package client

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// Patch is a change to an object.
type Patch interface {
	Type() types.PatchType
	// Data of the patch to obj, as it goes on the wire.
	Data(obj Object) ([]byte, error)
}

type rawPatch struct {
	kind types.PatchType
	data []byte
}

func (p rawPatch) Type() types.PatchType       { return p.kind }
func (p rawPatch) Data(Object) ([]byte, error) { return p.data, nil }

// RawPatch is a patch that the caller has encoded.
func RawPatch(kind types.PatchType, data []byte) Patch { return rawPatch{kind, data} }

type mergeFrom struct {
	from   Object
	locked bool
}

func (mergeFrom) Type() types.PatchType { return types.MergePatchType }
func (p mergeFrom) Data(obj Object) ([]byte, error) {
	var trees [2]map[string]any
	for i, o := range []Object{p.from, obj} {
		data, err := json.Marshal(o)
		if err == nil {
			err = utiljson.Unmarshal(data, &trees[i])
		}
		if err != nil {
			return nil, err
		}
		delete(trees[i], "apiVersion")
		delete(trees[i], "kind")
	}
	diff := mergeDiff(trees[0], trees[1])
	if p.locked {
		rv := p.from.GetResourceVersion()
		if rv == "" {
			return nil, fmt.Errorf("client: MergeFromWithOptimisticLock: %s has no resourceVersion", KeyOf(p.from))
		}
		metadata, _ := diff["metadata"].(map[string]any)
		if metadata == nil {
			metadata = map[string]any{}
			diff["metadata"] = metadata
		}
		metadata["resourceVersion"] = rv
	}
	return json.Marshal(diff)
}

// MergeFrom is the JSON merge patch that makes obj of from, a copy of it made before the changes. It says nothing of what
// others have changed meanwhile; a list is replaced as a whole.
func MergeFrom(from Object) Patch { return mergeFrom{from, false} }

// MergeFromWithOptimisticLock is MergeFrom, but a Conflict where the object is no longer of from's resourceVersion. Choose
// it where the patch has lists, which others may have changed.
func MergeFromWithOptimisticLock(from Object) Patch { return mergeFrom{from, true} }

// Configuration is what Apply takes, of one of the apply configurations that generators make of Go types: these say
// what is set and what is not, which the types themselves cannot. Error: it cannot be encoded, or has no kind.
func Configuration(of kruntime.ApplyConfiguration) (*unstructured.Unstructured, error) {
	data, err := json.Marshal(of)
	if err != nil {
		return nil, fmt.Errorf("client: %T: %w", of, err)
	}
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(data); err != nil {
		return nil, fmt.Errorf("client: %T: %w", of, err)
	}
	return u, nil
}
