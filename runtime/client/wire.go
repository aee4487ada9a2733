package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor/direct"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

const (
	jsonType     = "application/json"
	protobufType = "application/vnd.kubernetes.protobuf"
	cborType     = "application/cbor"

	asMetadata   = ";as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
	asMetaList   = ";as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
	metadataType = jsonType + asMetadata
	metadataList = jsonType + asMetaList
)

// acceptable are the encodings that obj can be decoded of, best first. Who cannot serve the first serves the last.
func acceptable(obj any) string {
	switch obj.(type) {
	case *metav1.PartialObjectMetadata:
		return protobufType + asMetadata + "," + jsonType + asMetadata + "," + jsonType
	case *metav1.PartialObjectMetadataList:
		return protobufType + asMetaList + "," + jsonType + asMetaList + "," + jsonType
	case *unstructured.Unstructured, *unstructured.UnstructuredList:
		return cborType + "," + jsonType
	case protobufMessage:
		return protobufType + "," + jsonType
	}
	return jsonType
}

// decode replaces obj with what data holds. On an error obj is as it was.
func decode(data []byte, contentType string, obj kruntime.Object) error {
	var into any
	switch obj := obj.(type) {
	case kruntime.Unstructured:
		if !isCBOR(contentType) {
			if u, ok := obj.(json.Unmarshaler); ok {
				return u.UnmarshalJSON(data)
			}
		}
		var content map[string]any
		if err := decodeInto(data, contentType, &content); err != nil {
			return err
		}
		return setContent(obj, content)
	default:
		into = reflect.New(reflect.TypeOf(obj).Elem()).Interface()
	}
	if err := decodeInto(data, contentType, into); err != nil {
		return err
	}
	reflect.ValueOf(obj).Elem().Set(reflect.ValueOf(into).Elem())
	return nil
}

// setContent of an object or list that is not typed.
func setContent(obj kruntime.Unstructured, content map[string]any) error {
	list, ok := obj.(*unstructured.UnstructuredList)
	if !ok {
		obj.SetUnstructuredContent(content)
		return nil
	}
	elements, _ := content["items"].([]any)
	delete(content, "items")
	items := make([]unstructured.Unstructured, len(elements))
	for i, element := range elements {
		if items[i].Object, ok = element.(map[string]any); !ok {
			return fmt.Errorf("item %d is no object", i)
		}
	}
	list.Object, list.Items = content, items
	return nil
}

func decodeInto(data []byte, contentType string, into any) error {
	switch {
	case isProtobuf(contentType):
		m, ok := into.(protobufMessage)
		if !ok {
			return fmt.Errorf("%T cannot be decoded of protobuf", into)
		}
		return decodeProtobuf(data, m)
	case isCBOR(contentType):
		return direct.Unmarshal(data, into)
	}
	return decodeJSON(data, into)
}

func decodeJSON(data []byte, into any) error { return utiljson.Unmarshal(data, into) }

func isProtobuf(contentType string) bool { return strings.HasPrefix(contentType, protobufType) }
func isCBOR(contentType string) bool     { return strings.HasPrefix(contentType, cborType) }

// encode an object, with its kind, into protobuf where that is asked for and possible.
func encode(obj Object, gvk schema.GroupVersionKind, protobuf bool) (data []byte, contentType string, err error) {
	if _, ok := obj.(*metav1.PartialObjectMetadata); ok {
		return nil, "", errors.New("client: a PartialObjectMetadata can be patched and deleted, not written")
	}
	obj.GetObjectKind().SetGroupVersionKind(gvk)
	if m, ok := obj.(protobufMessage); ok && protobuf {
		data, err := encodeProtobuf(m, gvk)
		return data, protobufType, err
	}
	if u, ok := obj.(*unstructured.Unstructured); ok {
		data, err = u.MarshalJSON()
	} else {
		data, err = json.Marshal(obj)
	}
	return data, jsonType, err
}
