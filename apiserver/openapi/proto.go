package openapi

import (
	"io"
	"slices"

	"github.com/keelson-project/keelson/internal/jsonscan"
)

// appendProtoV3 appends the protobuf form (openapi.v3.Document) of a v3 document in JSON.
func appendProtoV3(b, document []byte) []byte {
	tape, ok := jsonscan.Parse(document, make(jsonscan.Tape, 0, len(document)/24)) // most have no more
	if !ok {
		return b
	}
	w := protoWriter{document, tape}
	return w.members(slices.Grow(b, len(document)), protoDocumentV3(), 0)
}

// protoSink writes the document in the protobuf form that gnostic defines (openapi.v2.Document). Its parts are messages
// that protobuf merges: a field of a message may be written in several pieces, so that none must be known as a whole.
type protoSink struct {
	w    io.Writer
	b    []byte
	tape jsonscan.Tape
}

// member writes a member of the document, or one piece of it.
func (s *protoSink) member(name string, value []byte) error {
	var ok bool
	if s.tape, ok = jsonscan.Parse(value, s.tape[:0]); !ok || len(value) <= len(`{}`) {
		return nil
	}
	w := protoWriter{value, s.tape}
	f := protoDocumentV2().field([]byte(name))
	s.b = w.field(s.b[:0], f.number, f.as, 0)
	_, err := s.w.Write(s.b)
	return err
}

func (s *protoSink) begin(title, version string) error {
	if err := s.member("swagger", []byte(`"2.0"`)); err != nil {
		return err
	}
	info := jsonscan.AppendString([]byte(`{"title":`), title)
	info = append(jsonscan.AppendString(append(info, `,"version":`...), version), '}')
	return s.member("info", info)
}

func (s *protoSink) paths(object []byte) error       { return s.member("paths", object) }
func (s *protoSink) definitions(object []byte) error { return s.member("definitions", object) }
func (s *protoSink) parameters(object []byte) error  { return s.member("parameters", object) }

// bearerTokenV2 is bearerToken in the order in which gnostic writes its members.
const bearerTokenV2 = `{"BearerToken":{"type":"apiKey","name":"authorization","in":"header","description":"Bearer Token authentication"}}`

func (s *protoSink) end() error {
	if err := s.member("security", []byte(`[{"BearerToken":[]}]`)); err != nil {
		return err
	}
	return s.member("securityDefinitions", []byte(bearerTokenV2))
}
