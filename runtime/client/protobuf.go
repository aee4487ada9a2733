package client

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// protobufMessage is what the types of k8s.io/api are, and those of custom resources are not.
type protobufMessage interface {
	Marshal() ([]byte, error)
	Unmarshal([]byte) error
	Reset()
}

// magic stands before each object that Kubernetes encodes in protobuf; a runtime.Unknown with the object follows.
var magic = []byte("k8s\x00")

var errNoProtobuf = errors.New("the answer is not what Kubernetes makes of protobuf")

// decodeProtobuf decodes an object in its envelope. Its apiVersion and kind are left out.
func decodeProtobuf(data []byte, into protobufMessage) error {
	envelope, ok := bytes.CutPrefix(data, magic)
	if !ok {
		return errNoProtobuf
	}
	raw, err := rawOf(envelope)
	if err != nil {
		return err
	}
	into.Reset()
	return into.Unmarshal(raw)
}

// rawOf finds field 2 (raw) of a runtime.Unknown, whose Unmarshal would copy it: lists are large. Its other fields are
// strings and messages, too. An empty object may have none.
func rawOf(envelope []byte) (raw []byte, err error) {
	for len(envelope) > 0 {
		tag, n := binary.Uvarint(envelope)
		if n <= 0 || tag&7 != 2 {
			return nil, errNoProtobuf
		}
		size, m := binary.Uvarint(envelope[n:])
		if m <= 0 || size > uint64(len(envelope)-n-m) {
			return nil, errNoProtobuf
		}
		value := envelope[n+m:][:size]
		envelope = envelope[n+m:][size:]
		switch tag >> 3 {
		case 2:
			raw = value
		case 3:
			if len(value) > 0 {
				return nil, fmt.Errorf("%w: contentEncoding %q", errNoProtobuf, value)
			}
		}
	}
	return raw, nil
}

// encodeProtobuf encodes an object in its envelope.
func encodeProtobuf(m protobufMessage, gvk schema.GroupVersionKind) ([]byte, error) {
	raw, err := m.Marshal()
	if err != nil {
		return nil, err
	}
	version, kind := gvk.ToAPIVersionAndKind()
	envelope := kruntime.Unknown{TypeMeta: kruntime.TypeMeta{APIVersion: version, Kind: kind}, Raw: raw}
	data := make([]byte, len(magic)+envelope.Size())
	copy(data, magic)
	_, err = envelope.MarshalTo(data[len(magic):])
	return data, err
}
