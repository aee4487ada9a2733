package openapi

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/keelson-project/keelson/apiserver/builtin/models"
	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/internal/gzipped"
	"github.com/keelson-project/keelson/internal/jsonscan"
)

// serveV2 answers with the one document of all kinds. It grows with them, and is never held as a whole: each kind is
// written to the client when its turn comes, and forgotten. (Nothing of Kubernetes' own clients asks for it where
// /openapi/v3 is served.)
func (s *Server) serveV2(w http.ResponseWriter, r *http.Request) error {
	media, ok := negotiate(r, protoV2Legacy, protoV2)
	h := w.Header()
	h["Vary"] = []string{"Accept-Encoding", "Accept"}
	if !ok {
		w.WriteHeader(http.StatusNotAcceptable)
		return nil
	}
	ix, err := s.current()
	if err != nil {
		return err
	}
	h.Set("ETag", ix.etag)
	if r.Header.Get("If-None-Match") == ix.etag {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	doc, err := s.beginV2()
	if err != nil {
		return err
	}
	h.Set("Content-Type", media)
	if !gzipped.Accepted(r) {
		return doc.writeAs(media, w)
	}
	h.Set("Content-Encoding", "gzip")
	z := gzipped.NewWriter(w)
	return errors.Join(doc.writeAs(media, z), z.Close())
}

func (doc *documentV2) writeAs(media string, w io.Writer) error {
	if media == mediaJSON {
		return doc.write(&jsonSink{w: w})
	}
	return doc.write(&protoSink{w: w})
}

// sinkV2 takes a v2 document in parts: begin, then paths, then definitions, then parameters, then end. Each part of the
// middle three comes in several pieces, which are objects of some of its members. The bytes are the sink's until it
// returns.
type sinkV2 interface {
	begin(title, version string) error
	paths(object []byte) error
	definitions(object []byte) error
	parameters(object []byte) error
	end() error
}

// documentV2 is what a v2 document is going to say.
type documentV2 struct {
	title, version string
	params         *paramTexts
	kinds          []*resource.Definition
	models         []byte // the definitions that are models
}

// beginV2 makes what may fail, so that no answer breaks off half-way.
func (s *Server) beginV2() (*documentV2, error) {
	doc := &documentV2{title: s.options.Title, version: s.options.Version, params: s.params(), kinds: slices.Collect(s.catalog.All())}
	c := closure{models: s.options.Models, entries: map[string]models.Entry{}}
	roots := []string{
		models.ObjectMeta, models.ListMeta, models.Status, models.DeleteOptions, models.Patch, models.Scale, models.APIResourceList,
		models.WatchEvent,
	}
	for _, d := range doc.kinds {
		for v := range servedVersions(d) {
			if _, ok := v.Schema.(Named); ok {
				roots = append(roots, modelName(d, v), listName(d, v))
			}
		}
	}
	var err error
	doc.models, err = s.cached("v2 models "+strings.Join(roots, " "), func() ([]byte, error) {
		c.need(roots...)
		b, err := c.append([]byte{'{'}, true, audience{})
		if err != nil {
			return nil, err
		}
		return append(b, '}'), nil
	})
	return doc, err
}

func (doc *documentV2) write(to sinkV2) error {
	if err := to.begin(doc.title, doc.version); err != nil {
		return err
	}
	scratch := buffers.Get().(*[]byte)
	b := *scratch
	defer func() {
		if cap(b) <= keptBuffer {
			*scratch = b
		}
		buffers.Put(scratch)
	}()
	seen := map[string]bool{}
	for _, d := range doc.kinds {
		b = append(b[:0], '{')
		for v := range servedVersions(d) {
			if p := resourcesPath(d.Group, v.Name); !d.Custom && !seen[p.path] {
				seen[p.path] = true
				b = appendPaths(b, []path{p}, true)
			}
			b = appendPaths(b, doc.params.kindPaths(d, v), true)
		}
		if err := to.paths(append(b, '}')); err != nil {
			return err
		}
	}
	if err := to.definitions(doc.models); err != nil {
		return err
	}
	for _, d := range doc.kinds {
		b = append(b[:0], '{')
		for v := range servedVersions(d) {
			if _, ok := v.Schema.(Named); ok {
				continue
			}
			var err error
			if b, err = appendKind(b, d, v, true); err != nil {
				return err
			}
		}
		if err := to.definitions(append(b, '}')); err != nil {
			return err
		}
	}
	if err := to.parameters(doc.params.shared); err != nil {
		return err
	}
	return to.end()
}

// jsonSink writes the document as JSON.
type jsonSink struct {
	w       io.Writer
	section string // "paths", "definitions", "parameters": the member that is open
	err     error
}

func (s *jsonSink) text(b []byte) {
	if s.err == nil {
		_, s.err = s.w.Write(b)
	}
}

func (s *jsonSink) begin(title, version string) error {
	b := jsonscan.AppendString([]byte(`{"swagger":"2.0","info":{"title":`), title)
	s.text(append(jsonscan.AppendString(append(b, `,"version":`...), version), '}'))
	return s.err
}

func (s *jsonSink) members(section string, object []byte) error {
	if len(object) <= len(`{}`) {
		return s.err
	}
	switch s.section {
	case section:
		s.text([]byte{','})
	case "":
		s.text([]byte(`,"` + section + `":{`))
	default:
		s.text([]byte(`},"` + section + `":{`))
	}
	s.section = section
	s.text(object[1 : len(object)-1])
	return s.err
}

func (s *jsonSink) paths(object []byte) error       { return s.members("paths", object) }
func (s *jsonSink) definitions(object []byte) error { return s.members("definitions", object) }
func (s *jsonSink) parameters(object []byte) error  { return s.members("parameters", object) }

func (s *jsonSink) end() error {
	s.text([]byte(`},"securityDefinitions":` + bearerToken + `,"security":[{"BearerToken":[]}]}`))
	return s.err
}
