package endpoints

import (
	"bytes"
	"errors"
	"fmt"

	kruntime "k8s.io/apimachinery/pkg/runtime"

	"github.com/keelson-project/keelson/apiserver/registry"
)

// protobufUnmarshaler is what the generated types of k8s.io/api and apimachinery implement.
type protobufUnmarshaler interface{ Unmarshal([]byte) error }

var protobufPrefix = []byte("k8s\x00")

// openEnvelope takes Kubernetes' protobuf envelope apart.
func openEnvelope(body []byte) (*kruntime.Unknown, error) {
	raw, ok := bytes.CutPrefix(body, protobufPrefix)
	if !ok {
		return nil, errors.New("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
	}
	var envelope kruntime.Unknown
	if err := envelope.Unmarshal(raw); err != nil {
		return nil, err
	}
	if len(envelope.ContentEncoding) > 0 || (envelope.ContentType != "" && envelope.ContentType != mediaProtobuf) {
		return nil, fmt.Errorf("unsupported content %q inside a protobuf envelope", envelope.ContentType)
	}
	return &envelope, nil
}

func unwrapProtobuf(body []byte, into protobufUnmarshaler) error {
	envelope, err := openEnvelope(body)
	if err != nil {
		return err
	}
	return into.Unmarshal(envelope.Raw)
}

// decodeProtobuf reads an object of a built-in type; custom resources have no protobuf form.
func decodeProtobuf(body []byte, t *registry.Target) (*decoded, error) {
	if t.Version.GoType == nil {
		return nil, unsupportedMediaType(mediaJSON + ", " + mediaYAML)
	}
	typed := t.Version.NewGo()
	into, ok := typed.(protobufUnmarshaler)
	if !ok {
		return nil, unsupportedMediaType(mediaJSON + ", " + mediaYAML)
	}
	envelope, err := openEnvelope(body)
	if err != nil {
		return nil, err
	}
	if err := into.Unmarshal(envelope.Raw); err != nil {
		return nil, err
	}
	obj, err := kruntime.DefaultUnstructuredConverter.ToUnstructured(typed)
	if err != nil {
		return nil, err
	}
	if envelope.Kind != "" {
		obj["kind"], obj["apiVersion"] = envelope.Kind, envelope.APIVersion
	}
	return &decoded{obj: obj}, nil
}
