package conversion

import (
	"errors"
	"fmt"

	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	kschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// accept decodes what a webhook made of original, checks that it is the same object, and puts back what of metadata
// is none of a conversion's business: all but labels and annotations.
func accept(original resource.Object, raw []byte, apiVersion string) (resource.Object, error) {
	obj, err := decodeConverted(raw)
	if err != nil {
		return nil, err
	}
	was, is := gvkOf(original), gvkOf(obj)
	want, err := kschema.ParseGroupVersion(apiVersion)
	if err != nil {
		return nil, err
	}
	if is.GroupVersion() != want {
		return nil, fmt.Errorf("conversion webhook for %v returned invalid object at index 0: invalid groupVersion (expected %v, received %v)", was, want, is.GroupVersion())
	}
	if is.Kind != was.Kind {
		return nil, fmt.Errorf("conversion webhook for %v returned invalid object at index 0: invalid kind (expected %v, received %v)", was, was.Kind, is.Kind)
	}
	for _, same := range []struct{ name, key string }{{"name", "name"}, {"namespace", "namespace"}, {"UID", "uid"}} {
		if before, after := metaString(original, same.key), metaString(obj, same.key); before != after {
			return nil, fmt.Errorf("conversion webhook for %v returned invalid object: must have the same %s: %v != %v", was, same.name, before, after)
		}
	}
	if err := restoreMetadata(original, obj); err != nil {
		return nil, fmt.Errorf("conversion webhook for %v returned invalid metadata: %w", was, err)
	}
	return obj, nil
}

func decodeConverted(raw []byte) (resource.Object, error) {
	if string(raw) == "null" {
		return nil, errors.New("Object 'Kind' is missing in 'null'") //nolint:staticcheck // Kubernetes' text
	}
	obj, err := resource.Decode(raw)
	if err != nil {
		return nil, err
	}
	if kind, _ := obj["kind"].(string); kind == "" {
		return nil, fmt.Errorf("Object 'Kind' is missing in '%s'", raw) //nolint:staticcheck // Kubernetes' text
	}
	return obj, nil
}

func metaString(obj resource.Object, key string) string {
	meta, _ := obj["metadata"].(map[string]any)
	s, _ := meta[key].(string)
	return s
}

// restoreMetadata gives converted the metadata of original, with the labels and annotations that it brought.
func restoreMetadata(original, converted resource.Object) error {
	sent, ok := converted["metadata"]
	if !ok {
		return errors.New("missing metadata in converted object")
	}
	brought, ok := sent.(map[string]any)
	if !ok {
		return fmt.Errorf("invalid metadata of type %T in converted object", sent)
	}
	before, _ := original["metadata"].(map[string]any)
	meta := make(map[string]any, len(before))
	for k, v := range before {
		meta[k] = v
	}
	for _, name := range []string{"labels", "annotations"} {
		if err := takeStrings(meta, brought, name); err != nil {
			return err
		}
	}
	converted["metadata"] = meta
	return nil
}

// takeStrings moves one map of strings, and checks its content where that has changed.
func takeStrings(meta, brought map[string]any, name string) error {
	value := brought[name]
	if value == nil {
		delete(meta, name)
		return nil
	}
	now, ok := value.(map[string]any)
	if !ok {
		return fmt.Errorf("invalid metadata.%s of type %T in converted object", name, value)
	}
	before, ok := meta[name].(map[string]any)
	if !ok && meta[name] != nil {
		return fmt.Errorf("invalid metadata.%s of type %T in original object", name, meta[name])
	}
	changed := len(before) != len(now)
	texts := make(map[string]string, len(now))
	for k, v := range now {
		if texts[k], ok = v.(string); !ok {
			return fmt.Errorf("metadata.%s[%s] must be a string, but is %T in converted object", name, k, v)
		}
		changed = changed || before[k] != v
	}
	meta[name] = now
	if !changed {
		return nil
	}
	if name == "labels" {
		return metav1validation.ValidateLabels(texts, field.NewPath("metadata", "labels")).ToAggregate()
	}
	return apivalidation.ValidateAnnotations(texts, field.NewPath("metadata", "annotation")).ToAggregate() // without s, as in Kubernetes
}
