package endpoints

import (
	"errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/keelson-project/keelson/apiserver/registry"
	"github.com/keelson-project/keelson/apiserver/resource"
)

func unwrapProtobuf(body []byte, into *metav1.DeleteOptions) error {
	envelope, err := resource.OpenProtobuf(body)
	if err != nil {
		return err
	}
	return into.Unmarshal(envelope.Raw)
}

// protobufStatus is the one answer that is ever encoded as protobuf: for a client that accepts nothing else, it says so.
func protobufStatus(s *metav1.Status) []byte {
	message, _ := s.Marshal()
	data, _ := resource.SealProtobuf(s.APIVersion, s.Kind, message)
	return data
}

// decodeProtobuf reads an object of a built-in type; custom resources have no protobuf form.
func decodeProtobuf(body []byte, t *registry.Target) (*decoded, error) {
	if t.Version.GoType == nil {
		return nil, unsupportedMediaType(mediaJSON + ", " + mediaYAML)
	}
	envelope, err := resource.OpenProtobuf(body)
	if err != nil {
		return nil, err
	}
	obj, err := resource.DecodeProtobuf(envelope, t.Version)
	if errors.Is(err, resource.ErrNoProtobuf) {
		return nil, unsupportedMediaType(mediaJSON + ", " + mediaYAML)
	}
	if err != nil {
		return nil, err
	}
	return &decoded{obj: obj}, nil
}
