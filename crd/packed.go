package crd

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"crypto/sha256"

	"github.com/klauspost/compress/s2"
)

// Pack makes of an encoded CustomResourceDefinition what an Installer needs of it, in a fifth of the memory: the
// schemas, nine tenths of it, compressed until somebody asks for them. The result shares nothing with data.
// The error says that data is no encoded CustomResourceDefinition.
func Pack(data []byte) ([]byte, error) {
	s, ok := splitSchemas(data, "managedFields")
	if !ok {
		return nil, errors.New("what is stored is not the JSON of a CustomResourceDefinition")
	}
	spec := sha256.Sum256(s.spec)
	texts, places := s.distinct()
	block := packing.Get().(*[]byte)
	defer packing.Put(block)
	if need := s2.MaxEncodedLen(len(texts)); cap(*block) < need {
		*block = make([]byte, need)
	}
	compressed := s2.Encode((*block)[:cap(*block)], texts)

	b := make([]byte, 0, 1+sha256.Size+binary.MaxVarintLen64*(2*len(places)+2)+len(s.head)+len(compressed))
	b = append(append(b, packedForm), spec[:]...)
	b = binary.AppendUvarint(b, uint64(len(s.head)))
	b = append(b, s.head...)
	b = binary.AppendUvarint(b, uint64(len(places)))
	for _, p := range places {
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(p.from)), uint64(p.to))
	}
	return append(b, compressed...), nil
}

// packedForm is how packed bytes begin, and JSON does not.
const packedForm = 1

// packing holds buffers into which is compressed and unpacked: the largest that was needed, no more of them than are in use at once.
var packing = sync.Pool{New: func() any { return new([]byte) }}

// span is where the schema of a version stands in the text of all; from == to where it has none.
type span struct{ from, to int }

// distinct returns the schemas one after the other, equal ones once, and where each is.
func (s *split) distinct() (texts []byte, places []span) {
	places = make([]span, len(s.schemas))
	if len(s.schemas) == 1 {
		return s.schemas[0], append(places[:0], span{0, len(s.schemas[0])})
	}
next:
	for i, schema := range s.schemas {
		for j := range i {
			if string(s.schemas[j]) == string(schema) {
				places[i] = places[j]
				continue next
			}
		}
		places[i] = span{len(texts), len(texts) + len(schema)}
		texts = append(texts, schema...)
	}
	return texts, places
}

// schemas are those of the versions of one CustomResourceDefinition.
type schemas struct {
	places []span
	plain  []byte // the text of all, where it is at hand
	packed []byte // the same, compressed
}

// of returns the encoded schema of a version by its index, nil where it has none. It is unpacked for each call.
func (s *schemas) of(version int) []byte { return s.into(nil, version) }

// lend calls f with the encoded schema of a version, which f must not keep.
func (s *schemas) lend(version int, f func(raw []byte)) {
	buf := packing.Get().(*[]byte)
	defer packing.Put(buf)
	if size, err := s2.DecodedLen(s.packed); err == nil && size > cap(*buf) {
		*buf = make([]byte, size)
	}
	f(s.into((*buf)[:cap(*buf)], version))
}

// into is of, unpacked into buf if that is large enough.
func (s *schemas) into(buf []byte, version int) []byte {
	p := s.places[version]
	if p.from == p.to {
		return nil
	}
	if s.packed == nil {
		return s.plain[p.from:p.to:p.to]
	}
	text, err := s2.Decode(buf, s.packed)
	if err != nil || len(text) < p.to {
		panic(fmt.Sprintf("a schema packed by this process cannot be unpacked: %v", err))
	}
	return text[p.from:p.to:p.to]
}

// parsePacked reads what Pack made, which must not be changed afterwards. sum is that of the encoded spec.
func parsePacked(b []byte) (h *head, sum []byte, err error) {
	const fixed = 1 + sha256.Size
	if len(b) < fixed || b[0] != packedForm {
		return nil, nil, errors.New("not a packed CustomResourceDefinition")
	}
	sum, b = b[1:fixed], b[fixed:]
	number := func() (n int) {
		v, size := binary.Uvarint(b)
		b = b[max(size, 0):]
		return int(v)
	}
	size := number()
	h = &head{}
	if err := json.Unmarshal(b[:size], h); err != nil {
		return nil, nil, err
	}
	b = b[size:]
	h.schemas.places = make([]span, number())
	for i := range h.schemas.places {
		h.schemas.places[i] = span{number(), number()}
	}
	h.schemas.packed = b
	return h, sum, h.check()
}

// parseHead decodes an encoded CustomResourceDefinition. The schemas share data's memory.
func parseHead(data []byte) (*head, error) {
	h := &head{}
	s, ok := splitSchemas(data)
	if !ok {
		return nil, errors.New("not the JSON of a CustomResourceDefinition")
	}
	if err := json.Unmarshal(s.head, h); err != nil {
		return nil, err
	}
	h.schemas.plain, h.schemas.places = s.distinct()
	return h, h.check()
}

func (h *head) check() error {
	if schemas, versions := len(h.schemas.places), len(h.Spec.Versions); schemas != versions {
		return fmt.Errorf("spec.versions has %d elements and %d schemas", versions, schemas)
	}
	return nil
}
