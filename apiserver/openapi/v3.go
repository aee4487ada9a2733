package openapi

import (
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/keelson-project/keelson/apiserver/builtin/models"
	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/internal/jsonscan"
)

// serveV3 answers with the document of a group and version, false where there is none. A request that names the hash of
// the content may be cached for good; one that names another hash is sent to the right one.
func (s *Server) serveV3(w http.ResponseWriter, r *http.Request, gv string) (bool, error) {
	ix, err := s.current()
	if err != nil {
		return true, err
	}
	hash, ok := ix.hashes[gv]
	if !ok {
		return false, nil
	}
	h := w.Header()
	h.Set("Vary", "Accept")
	media, ok := negotiate(r, protoV3Legacy, protoV3)
	if !ok {
		w.WriteHeader(http.StatusNotAcceptable)
		return true, nil
	}
	if asked := r.URL.Query().Get("hash"); asked != "" {
		if asked != hash {
			http.Redirect(w, r, documentURL(gv, hash), http.StatusMovedPermanently)
			return true, nil
		}
		h.Set("Cache-Control", "public, immutable")
		h.Set("Expires", time.Now().AddDate(1, 0, 0).UTC().Format(http.TimeFormat))
	}
	h.Set("ETag", strconv.Quote(hash))
	if r.Header.Get("If-None-Match") == strconv.Quote(hash) {
		w.WriteHeader(http.StatusNotModified)
		return true, nil
	}
	return true, s.writeV3(w, media, gv, hash)
}

// writeV3 keeps the documents that have built-in kinds, which take long to make and never change. All others are made
// for who asks.
func (s *Server) writeV3(w http.ResponseWriter, media, gv, hash string) error {
	defs, version := s.definitionsOf(gv)
	var data []byte
	var err error
	if isCustom(defs) {
		scratch := buffers.Get().(*[]byte)
		defer buffers.Put(scratch)
		data, err = s.documentV3((*scratch)[:0], defs, version)
		if cap(data) <= keptBuffer {
			*scratch = data
		}
		if err == nil && media == protoV3Legacy {
			data = appendProtoV3(nil, data)
		}
	} else {
		data, err = s.cached(media+" "+gv+"@"+hash, func() ([]byte, error) {
			doc, err := s.documentV3(nil, defs, version)
			if err == nil && media == protoV3Legacy {
				doc = appendProtoV3(nil, doc)
			}
			return doc, err
		})
	}
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", media)
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	_, err = w.Write(data)
	return err
}

// buffers are those in which documents, or parts of them, are made. None larger than keptBuffer is kept.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

const keptBuffer = 4 << 20

// isCustom says whether all of a document's kinds are made by CustomResourceDefinitions.
func isCustom(defs []*resource.Definition) bool {
	return !slices.ContainsFunc(defs, func(d *resource.Definition) bool { return !d.Custom })
}

// documentV3 appends the document of one group and version to b. Kubernetes makes those of custom kinds apart from all others,
// and they look like it.
func (s *Server) documentV3(b []byte, defs []*resource.Definition, version string) ([]byte, error) {
	custom := isCustom(defs)
	title, release := s.options.Title, s.options.Version
	if custom {
		title, release = "Kubernetes CRD Swagger", "v0.1.0"
	}
	b = jsonscan.AppendString(append(b, `{"openapi":"3.0.0","info":{"title":`...), title)
	b = jsonscan.AppendString(append(b, `,"version":`...), release)
	b = append(b, `},"paths":{`...)
	var all []path
	if !custom {
		all = append(all, resourcesPath(defs[0].Group, version))
	}
	for _, d := range defs {
		all = append(all, s.params().kindPaths(d, d.Version(version))...)
	}
	b = append(appendPaths(b, all, false), `},"components":{"schemas":{`...)
	b, err := s.appendSchemas(b, defs, version, all, custom)
	if err != nil {
		return nil, err
	}
	b = append(b, '}')
	if !custom {
		b = append(append(b, `,"securitySchemes":`...), bearerToken...)
	}
	return append(b, `}}`...), nil
}

const bearerToken = `{"BearerToken":{"description":"Bearer Token authentication","type":"apiKey","name":"authorization","in":"header"}}`

// appendSchemas appends the schemas of the kinds, and the models that they and the paths refer to.
func (s *Server) appendSchemas(b []byte, defs []*resource.Definition, version string, paths []path, custom bool) (_ []byte, err error) {
	if custom {
		return s.appendCustom(b, defs, version)
	}
	c := closure{models: s.options.Models, entries: map[string]models.Entry{}}
	var own []string
	for _, d := range defs {
		v := d.Version(version)
		if _, ok := v.Schema.(Named); ok {
			c.need(modelName(d, v), listName(d, v))
			continue
		}
		c.need(models.ObjectMeta, models.ListMeta)
		own = append(own, modelName(d, v), listName(d, v))
		if b, err = appendKind(b, d, v, false); err != nil {
			return nil, err
		}
	}
	c.needOperations(paths, own...)
	return c.append(b, false, audience{gv: schema.GroupVersion{Group: defs[0].Group, Version: version}})
}

// appendCustom appends what documents of custom kinds have, most of which is always the same.
func (s *Server) appendCustom(b []byte, defs []*resource.Definition, version string) (_ []byte, err error) {
	scaled := false
	for _, d := range defs {
		v := d.Version(version)
		scaled = scaled || v.Subresources["scale"] != nil
		if b, err = appendKind(b, d, v, false); err != nil {
			return nil, err
		}
	}
	texts, err := s.customModels()
	if err != nil {
		return nil, err
	}
	b = append(comma(b), texts.always...)
	if scaled {
		b = append(append(b, ','), texts.scale...)
	}
	return b, nil
}

// customModels are the models that documents of custom kinds have.
type customModels struct{ always, scale []byte }

func newCustomModels(set Models) (out customModels, err error) {
	about := audience{custom: true}
	c := closure{models: set, entries: map[string]models.Entry{}}
	c.need(models.ObjectMeta, models.ListMeta, models.Status, models.DeleteOptions, models.Patch)
	if out.always, err = c.append([]byte{'{'}, false, about); err != nil {
		return out, err
	}
	scale := closure{models: set, entries: map[string]models.Entry{}}
	scale.need(models.Scale)
	for name := range c.entries {
		delete(scale.entries, name)
	}
	if out.scale, err = scale.append([]byte{'{'}, false, about); err != nil {
		return out, err
	}
	out.always, out.scale = out.always[1:], out.scale[1:]
	return out, nil
}

// servedVersions yields each served version of d.
func servedVersions(d *resource.Definition) func(yield func(*resource.Version) bool) {
	return func(yield func(*resource.Version) bool) {
		for i := range d.Versions {
			if d.Versions[i].Served && !yield(&d.Versions[i]) {
				return
			}
		}
	}
}
