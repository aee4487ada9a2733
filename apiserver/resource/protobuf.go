package resource

import (
	"bytes"
	"errors"
	"fmt"

	kruntime "k8s.io/apimachinery/pkg/runtime"
)

// ErrNoProtobuf says that a version has no protobuf form: that of a custom kind.
var ErrNoProtobuf = errors.New("the kind has no protobuf form")

var protobufPrefix = []byte("k8s\x00")

const protobufMedia = "application/vnd.kubernetes.protobuf"

// protobufUnmarshaler is what the generated types of k8s.io/api and apimachinery implement.
type protobufUnmarshaler interface{ Unmarshal([]byte) error }

// IsProtobuf says whether data is in Kubernetes' protobuf envelope.
func IsProtobuf(data []byte) bool { return bytes.HasPrefix(data, protobufPrefix) }

// SealProtobuf puts a message into Kubernetes' protobuf envelope.
func SealProtobuf(apiVersion, kind string, message []byte) ([]byte, error) {
	envelope := kruntime.Unknown{TypeMeta: kruntime.TypeMeta{APIVersion: apiVersion, Kind: kind}, Raw: message}
	raw, err := envelope.Marshal()
	return append(bytes.Clone(protobufPrefix), raw...), err
}

// OpenProtobuf takes Kubernetes' protobuf envelope apart.
func OpenProtobuf(data []byte) (*kruntime.Unknown, error) {
	raw, ok := bytes.CutPrefix(data, protobufPrefix)
	if !ok {
		return nil, errors.New("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
	}
	var envelope kruntime.Unknown
	if err := envelope.Unmarshal(raw); err != nil {
		return nil, err
	}
	if len(envelope.ContentEncoding) > 0 || (envelope.ContentType != "" && envelope.ContentType != protobufMedia) {
		return nil, fmt.Errorf("unsupported content %q inside a protobuf envelope", envelope.ContentType)
	}
	return &envelope, nil
}

// DecodeProtobuf reads what an envelope holds as an object of a version; kind and apiVersion are the envelope's. Errors:
// ErrNoProtobuf, and the decoder's.
func DecodeProtobuf(envelope *kruntime.Unknown, v *Version) (Object, error) {
	if v.GoType == nil {
		return nil, ErrNoProtobuf
	}
	typed := v.NewGo()
	into, ok := typed.(protobufUnmarshaler)
	if !ok {
		return nil, ErrNoProtobuf
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
	return obj, nil
}
