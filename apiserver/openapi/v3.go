package openapi

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"k8s.io/kube-openapi/pkg/spec3"
	"k8s.io/kube-openapi/pkg/validation/spec"

	"github.com/keelson-project/keelson/apiserver/builtin/models"
	"github.com/keelson-project/keelson/apiserver/resource"
)

// mediaTypes of objects in requests and answers. This is the place where protobuf and CBOR join.
var mediaTypes = []string{"application/json", "application/yaml"}

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
	if !acceptsJSON(r) {
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
	data, err := s.cached(gv+"@"+hash, func() ([]byte, error) { return s.documentV3(gv) })
	if err != nil {
		return true, err
	}
	h.Set("Content-Type", "application/json")
	_, err = w.Write(data)
	return true, err
}

func acceptsJSON(r *http.Request) bool {
	accept := strings.Join(r.Header.Values("Accept"), ",")
	if accept == "" {
		return true
	}
	for clause := range strings.SplitSeq(accept, ",") {
		media, _, _ := strings.Cut(strings.TrimSpace(clause), ";")
		switch media {
		case "application/json", "application/*", "*/*":
			return true
		}
	}
	return false
}

// documentV3 makes the document of one group and version.
func (s *Server) documentV3(gv string) ([]byte, error) {
	defs, version := s.definitionsOf(gv)
	c := components{models: s.options.Models, schemas: map[string]*spec.Schema{}}
	doc := &spec3.OpenAPI{
		Version: "3.0.0",
		Info:    &spec.Info{InfoProps: spec.InfoProps{Title: s.options.Title, Version: s.options.Version}},
		Paths:   &spec3.Paths{Paths: map[string]*spec3.Path{}},
	}
	for i, d := range defs {
		if i == 0 {
			p := resourcesPath(d.Group, version)
			doc.Paths.Paths[p.path] = pathV3(&p)
		}
		v := d.Version(version)
		c.addKind(d, v)
		for _, p := range kindPaths(d, v) {
			doc.Paths.Paths[p.path] = pathV3(&p)
			needed(&c, &p)
		}
	}
	c.need(models.APIResourceList)
	if err := c.err(); err != nil {
		return nil, err
	}
	doc.Components = &spec3.Components{
		Schemas:         c.schemas,
		SecuritySchemes: spec3.SecuritySchemes{"BearerToken": bearerToken()},
	}
	return json.Marshal(doc)
}

func bearerToken() *spec3.SecurityScheme {
	return &spec3.SecurityScheme{SecuritySchemeProps: spec3.SecuritySchemeProps{
		Type: "apiKey", Name: "authorization", In: "header", Description: "Bearer Token authentication",
	}}
}

// needed adds the models that the operations of a path name.
func needed(c *components, p *path) {
	for i := range p.operations {
		for _, model := range []string{p.operations[i].body, p.operations[i].result} {
			if model != "" && c.schemas[model] == nil {
				c.need(model)
			}
		}
	}
}

func pathV3(p *path) *spec3.Path {
	out := &spec3.Path{PathProps: spec3.PathProps{Parameters: paramsV3(p.params)}}
	for i := range p.operations {
		op := operationV3(&p.operations[i])
		switch p.operations[i].method {
		case "get":
			out.Get = op
		case "post":
			out.Post = op
		case "put":
			out.Put = op
		case "patch":
			out.Patch = op
		case "delete":
			out.Delete = op
		}
	}
	return out
}

func paramsV3(params []param) []*spec3.Parameter {
	out := make([]*spec3.Parameter, 0, len(params))
	for _, p := range params {
		s := &spec.Schema{SchemaProps: spec.SchemaProps{Type: spec.StringOrArray{p.kind}, UniqueItems: true}}
		out = append(out, &spec3.Parameter{ParameterProps: spec3.ParameterProps{
			Name: p.name, In: p.in, Description: p.description, Required: p.required, Schema: s,
		}})
	}
	return out
}

func operationV3(op *operation) *spec3.Operation {
	out := &spec3.Operation{OperationProps: spec3.OperationProps{
		Tags: []string{op.tag}, Description: op.description, OperationId: op.id, Parameters: paramsV3(op.params),
		Responses: &spec3.Responses{ResponsesProps: spec3.ResponsesProps{StatusCodeResponses: map[int]*spec3.Response{
			http.StatusUnauthorized: {ResponseProps: spec3.ResponseProps{Description: http.StatusText(http.StatusUnauthorized)}},
		}}},
	}}
	if op.body != "" {
		media := op.patches
		if media == nil {
			media = []string{"*/*"}
		}
		out.RequestBody = &spec3.RequestBody{RequestBodyProps: spec3.RequestBodyProps{Content: contentV3(op.body, media), Required: true}}
	}
	media := mediaTypes
	if op.watchable {
		media = append([]string{"application/json;stream=watch"}, mediaTypes...)
	}
	for _, code := range op.codes {
		out.Responses.StatusCodeResponses[code] = &spec3.Response{ResponseProps: spec3.ResponseProps{
			Description: http.StatusText(code), Content: contentV3(op.result, media),
		}}
	}
	out.Extensions = operationExtensions(op)
	return out
}

func operationExtensions(op *operation) spec.Extensions {
	if op.action == "" {
		return nil
	}
	return spec.Extensions{
		"x-kubernetes-action": op.action,
		gvkExtension:          map[string]any{"group": op.kind.Group, "version": op.kind.Version, "kind": op.kind.Kind},
	}
}

func contentV3(model string, media []string) map[string]*spec3.MediaType {
	out := make(map[string]*spec3.MediaType, len(media))
	for _, m := range media {
		out[m] = &spec3.MediaType{MediaTypeProps: spec3.MediaTypeProps{Schema: refSchema(model)}}
	}
	return out
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
