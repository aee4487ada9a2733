package informer

import (
	"encoding/json"
	"fmt"
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	kjson "sigs.k8s.io/json"
)

func isJSON(contentType string) error {
	if contentType == "" || contentType == "application/json" {
		return nil
	}
	return fmt.Errorf("no decoder for %s", contentType)
}

func decodeInto(contentType string, data []byte, into any) error {
	if err := isJSON(contentType); err != nil {
		return err
	}
	return kjson.UnmarshalCaseSensitivePreserveInts(data, into)
}

// bookmarkOf reads the metadata of a bookmark: by itself where it is JSON, by the sink's decoder otherwise.
func bookmarkOf(e Event, s sink) (metav1.Object, error) {
	if isJSON(e.ContentType) != nil {
		return s.decode(e.ContentType, e.Object)
	}
	var o metav1.PartialObjectMetadata
	err := json.Unmarshal(e.Object, &o)
	return &o, err
}

// decoder returns the decoder of a Config: its own, or the default for T.
func (c *Config[T]) decoder() func(contentType string, data []byte) (T, error) {
	if c.Decode != nil {
		return c.Decode
	}
	var zero T
	if _, ok := any(zero).(*unstructured.Unstructured); ok {
		p := &parser{keepManagedFields: c.KeepManagedFields, detach: c.Transform != nil}
		return func(contentType string, data []byte) (T, error) {
			var none T
			if err := isJSON(contentType); err != nil {
				return none, err
			}
			content, err := p.object(data)
			if err != nil {
				return none, err
			}
			return any(&unstructured.Unstructured{Object: content}).(T), nil
		}
	}
	made := reflect.TypeFor[T]().Elem()
	return func(contentType string, data []byte) (T, error) {
		object := reflect.New(made).Interface().(T)
		return object, decodeInto(contentType, data, object)
	}
}

// slowObject decodes as the rest of Kubernetes does; it defines what parser is to do, and the errors.
func slowObject(data []byte) (map[string]any, error) {
	var content map[string]any
	if err := utiljson.Unmarshal(data, &content); err != nil {
		return nil, err
	}
	if content == nil {
		return nil, fmt.Errorf("not an object: %.40q", data)
	}
	return content, nil
}
