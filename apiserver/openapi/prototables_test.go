package openapi

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	openapi_v2 "github.com/google/gnostic-models/openapiv2"
	openapi_v3 "github.com/google/gnostic-models/openapiv3"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// TestTablesAreGnostics compares each field of the tables with gnostic's descriptors, since many are in no document of today.
func TestTablesAreGnostics(t *testing.T) {
	for name, c := range map[string]struct {
		tables *protoType
		want   protoreflect.MessageDescriptor
		fields int
	}{
		"v2": {protoDocumentV2(), (&openapi_v2.Document{}).ProtoReflect().Descriptor(), 80},
		"v3": {protoDocumentV3(), (&openapi_v3.Document{}).ProtoReflect().Descriptor(), 80},
	} {
		t.Run(name, func(t *testing.T) {
			r := tablesReader{t: t, seen: map[string]bool{}}
			r.message(c.tables, c.want)
			if len(r.seen) < c.fields {
				t.Errorf("only %d fields", len(r.seen))
			}
		})
	}
}

type tablesReader struct {
	t    *testing.T
	seen map[string]bool // types and the fields that they are for
}

func (r *tablesReader) message(as *protoType, want protoreflect.MessageDescriptor) {
	for length, fields := range as.fields {
		for _, f := range fields {
			if len(f.name) != length {
				r.t.Errorf("%s: %s is not found", want.FullName(), f.name)
			}
			if d := r.numbered(f, want); d != nil && f.name != d.JSONName() && (f.name != "$ref" || d.Name() != "_ref") {
				r.t.Errorf("%s: %d is %s, not %s", want.FullName(), f.number, d.JSONName(), f.name)
			} else if d != nil {
				r.value(f.as, d)
			}
		}
	}
	if as.others.as != nil {
		if d := r.numbered(as.others, want); d != nil && d.IsList() && d.Message().Fields().ByNumber(1).Name() == "name" {
			r.value(as.others.as, d.Message().Fields().ByNumber(2))
		} else {
			r.t.Errorf("%s: %d holds no names and values", want.FullName(), as.others.number)
		}
	}
	for _, f := range as.oneof {
		d := r.numbered(f, want)
		if d == nil {
			continue
		}
		if len(as.oneof) > 1 && d.ContainingOneof() == nil {
			r.t.Errorf("%s is in no oneof", d.FullName())
		}
		r.value(f.as, d)
	}
}

func (r *tablesReader) numbered(f protoField, want protoreflect.MessageDescriptor) protoreflect.FieldDescriptor {
	d := want.Fields().ByNumber(f.number)
	if d == nil {
		r.t.Errorf("%s has no field %d, for %s", want.FullName(), f.number, f.name)
	}
	return d
}

func (r *tablesReader) value(as *protoType, want protoreflect.FieldDescriptor) {
	key := fmt.Sprintf("%p %s", as, want.FullName())
	if r.seen[key] {
		return
	}
	r.seen[key] = true
	if as.form == protoList {
		if !want.IsList() {
			r.t.Errorf("%s is no list", want.FullName())
		}
		as = as.elem
	}
	kind := map[protoForm]protoreflect.Kind{
		protoText: protoreflect.StringKind, protoFlag: protoreflect.BoolKind, protoNumber: protoreflect.DoubleKind,
		protoInteger: protoreflect.Int64Kind, protoAny: protoreflect.MessageKind, protoObject: protoreflect.MessageKind,
		protoOneof: protoreflect.MessageKind,
	}[as.form]
	switch {
	case want.Kind() != kind:
		r.t.Errorf("%s is %s, not %s", want.FullName(), want.Kind(), kind)
	case as.form == protoAny && want.Message().Name() != "Any":
		r.t.Errorf("%s is %s, not Any", want.FullName(), want.Message().Name())
	case as.form == protoObject || as.form == protoOneof:
		r.message(as, want.Message())
	}
}

// TestFields compares fields, whatever their length was guessed to be, with those of protowire.
func TestFields(t *testing.T) {
	lengths := []int{0, 1, 1<<7 - 1, 1 << 7, 1<<14 - 1, 1 << 14, 1<<21 - 1, 1 << 21}
	for _, number := range []protowire.Number{1, 15, 16, 36} {
		for _, n := range lengths {
			content := bytes.Repeat([]byte{'x'}, n)
			want := protowire.AppendBytes(protowire.AppendTag([]byte("before"), number, protowire.BytesType), content)
			for _, guess := range lengths {
				b, start := beginField([]byte("before"), number, guess)
				if b = endField(append(b, content...), start, guess); !bytes.Equal(b, want) {
					t.Errorf("field %d of %d bytes, guessed %d: %.20q, want %.20q", number, n, guess, b, want)
				}
			}
		}
	}
}

// TestMemoryIsUsedAgain: pieces of a v2 document are written in memory that the sink has, but for what jsonscan.Parse takes.
func TestMemoryIsUsedAgain(t *testing.T) {
	piece := []byte(`{"com.example.Widget":{"type":"object","description":"A \"widget\".","required":["spec"],"properties":{"spec":` +
		`{"maximum":1.5,"minLength":1,"nullable":true,"enum":["a",1],"additionalProperties":{"items":{"$ref":"#/definitions/x"}}}}}}`)
	s := &protoSink{w: io.Discard}
	if n := testing.AllocsPerRun(100, func() {
		if err := s.definitions(piece); err != nil {
			t.Fatal(err)
		}
	}); n > 1 {
		t.Errorf("%v allocations", n)
	}
}
