package crd

import (
	"bytes"

	"github.com/keelson-project/keelson/internal/jsonscan"
)

// split is an encoded CustomResourceDefinition taken apart in one pass over its bytes.
type split struct {
	head    []byte   // JSON, with {} (or null) where the schemas were
	schemas [][]byte // openAPIV3Schema of each of spec.versions, as encoded; nil where there is none
	spec    []byte   // as encoded, schemas included
}

// splitSchemas takes data apart. It returns false where data is not of the form that it expects, which encoded ones
// always have: then nothing is known. What it leaves in head is not checked, and neither are the schemas.
//
// without names members of metadata that nobody needs.
func splitSchemas(data []byte, without ...string) (*split, bool) {
	s := &splitter{b: data, out: make([]byte, 0, min(len(data), 8<<10))}
	s.space()
	s.members(func(name []byte) {
		switch string(name) {
		case "metadata":
			s.members(func(name []byte) { s.metadata(name, without) })
		case "spec":
			from := s.i
			s.members(s.specMember)
			if !s.bad {
				s.res.spec = data[from:s.i:s.i]
			}
		default:
			s.copy()
		}
	})
	s.space()
	s.res.head = s.out
	return &s.res, !s.bad && s.i == len(data) && len(s.out) > 0 && s.out[0] == '{'
}

// splitter is a position in b, and what has been written of it so far. After bad, nothing moves any more.
type splitter struct {
	b   []byte
	i   int
	out []byte
	res split
	bad bool
}

func (s *splitter) metadata(name []byte, without []string) {
	for _, w := range without {
		if string(name) == w {
			s.skip()
			s.out = append(s.out, "null"...)
			return
		}
	}
	s.copy()
}

func (s *splitter) specMember(name []byte) {
	if string(name) != "versions" || s.at() != '[' {
		s.copy()
		return
	}
	if s.res.schemas != nil {
		s.bad = true // a second list: only a decoder knows what comes of that
		return
	}
	s.out = append(s.out, '[')
	s.i++
	for s.space(); s.at() != ']' && !s.bad; s.space() {
		s.res.schemas = append(s.res.schemas, nil)
		s.members(s.versionMember)
		s.comma(']')
	}
	s.i++
	s.out = append(s.out, ']')
}

func (s *splitter) versionMember(name []byte) {
	if string(name) != "schema" {
		s.copy()
		return
	}
	s.members(func(name []byte) {
		if string(name) != "openAPIV3Schema" || s.at() != '{' {
			s.copy()
			return
		}
		last := len(s.res.schemas) - 1
		s.bad = s.bad || s.res.schemas[last] != nil
		s.res.schemas[last] = s.skip()
		s.out = append(s.out, '{', '}')
	})
}

// members copies the object that begins here, with the values that visit leaves for each of its names. What is no object
// is copied as it is.
func (s *splitter) members(visit func(name []byte)) {
	if s.at() != '{' {
		s.copy()
		return
	}
	s.out = append(s.out, '{')
	s.i++
	for s.space(); s.at() != '}' && !s.bad; s.space() {
		name := s.skip()
		if len(name) < 2 || name[0] != '"' || bytes.IndexByte(name, '\\') >= 0 {
			s.bad = true
			return
		}
		s.space()
		if s.at() != ':' {
			s.bad = true
			return
		}
		s.i++
		s.space()
		s.out = append(append(s.out, name...), ':')
		visit(name[1 : len(name)-1])
		s.comma('}')
	}
	s.i++
	s.out = append(s.out, '}')
}

// comma goes over one, which must be there unless end is.
func (s *splitter) comma(end byte) {
	s.space()
	if s.at() == ',' {
		s.i++
		s.out = append(s.out, ',')
		s.space()
		s.bad = s.bad || s.at() == end
	} else if s.at() != end {
		s.bad = true
	}
}

// copy copies the value that begins here.
func (s *splitter) copy() { s.out = append(s.out, s.skip()...) }

// skip goes over the value that begins here, and returns it.
func (s *splitter) skip() []byte {
	from := s.i
	to := jsonscan.Skip(s.b, from)
	if s.bad || to < 0 {
		s.bad = true
		return nil
	}
	s.i = to
	return s.b[from:to:to]
}

// at is the next byte, 0 where there is none.
func (s *splitter) at() byte {
	if s.i >= len(s.b) {
		return 0
	}
	return s.b[s.i]
}

func (s *splitter) space() { s.i = jsonscan.Space(s.b, s.i) }
