package openapi

import (
	"encoding/json"
	"net/http"
	"strings"

	openapi_v2 "github.com/google/gnostic-models/openapiv2"
	"google.golang.org/protobuf/proto"
	"k8s.io/kube-openapi/pkg/validation/spec"

	"github.com/keelson-project/keelson/apiserver/builtin/models"
)

// The media types of the v2 document. kubectl asks for the protobuf form, of which both names are in use.
const (
	protoV2       = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
	protoV2Legacy = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
)

// serveV2 answers with the one document of all kinds. It grows with them, and is made for who asks; nothing of Kubernetes'
// own clients does where /openapi/v3 is served.
func (s *Server) serveV2(w http.ResponseWriter, r *http.Request) error {
	media, ok := mediaV2(r)
	h := w.Header()
	h.Set("Vary", "Accept")
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
	asJSON := func() ([]byte, error) { return s.cached("v2@"+ix.etag, s.documentV2) }
	encode := asJSON
	if media != "application/json" {
		encode = func() ([]byte, error) {
			return s.cached("v2.proto@"+ix.etag, func() ([]byte, error) {
				data, err := asJSON()
				if err != nil {
					return nil, err
				}
				return toProto(data)
			})
		}
	}
	data, err := encode()
	if err != nil {
		return err
	}
	h.Set("Content-Type", media)
	_, err = w.Write(data)
	return err
}

func mediaV2(r *http.Request) (string, bool) {
	accept := strings.Join(r.Header.Values("Accept"), ",")
	if accept == "" {
		return "application/json", true
	}
	for clause := range strings.SplitSeq(accept, ",") {
		media, _, _ := strings.Cut(strings.TrimSpace(clause), ";")
		switch media {
		case "application/json", "application/*", "*/*":
			return "application/json", true
		case protoV2, protoV2Legacy:
			return protoV2Legacy, true
		}
	}
	return "", false
}

func toProto(data []byte) ([]byte, error) {
	doc, err := openapi_v2.ParseDocument(data)
	if err != nil {
		return nil, err
	}
	return proto.Marshal(doc)
}

func (s *Server) documentV2() ([]byte, error) {
	c := components{models: s.options.Models, schemas: map[string]*spec.Schema{}}
	doc := &spec.Swagger{SwaggerProps: spec.SwaggerProps{
		Swagger: "2.0",
		Info:    &spec.Info{InfoProps: spec.InfoProps{Title: s.options.Title, Version: s.options.Version}},
		Paths:   &spec.Paths{Paths: map[string]spec.PathItem{}},
	}}
	for d := range s.catalog.All() {
		for v := range servedVersions(d) {
			discovery := resourcesPath(d.Group, v.Name)
			doc.Paths.Paths[discovery.path] = pathV2(&discovery)
			c.addKind(d, v)
			for _, p := range kindPaths(d, v) {
				doc.Paths.Paths[p.path] = pathV2(&p)
				needed(&c, &p)
			}
		}
	}
	c.need(models.APIResourceList)
	if err := c.err(); err != nil {
		return nil, err
	}
	doc.Definitions = make(spec.Definitions, len(c.schemas))
	for name, schema := range c.schemas {
		doc.Definitions[name] = schemaV2(schema)
	}
	doc.SecurityDefinitions = spec.SecurityDefinitions{"BearerToken": {SecuritySchemeProps: spec.SecuritySchemeProps{
		Type: "apiKey", Name: "authorization", In: "header", Description: "Bearer Token authentication",
	}}}
	doc.Security = []map[string][]string{{"BearerToken": {}}}
	return json.Marshal(doc)
}

func pathV2(p *path) spec.PathItem {
	out := spec.PathItem{PathItemProps: spec.PathItemProps{Parameters: paramsV2(p.params)}}
	for i := range p.operations {
		op := operationV2(&p.operations[i])
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

func paramsV2(params []param) []spec.Parameter {
	out := make([]spec.Parameter, 0, len(params))
	for _, p := range params {
		v := spec.Parameter{ParamProps: spec.ParamProps{Name: p.name, In: p.in, Description: p.description, Required: p.required}}
		v.Type, v.UniqueItems = p.kind, true
		out = append(out, v)
	}
	return out
}

func operationV2(op *operation) *spec.Operation {
	out := &spec.Operation{OperationProps: spec.OperationProps{
		ID: op.id, Description: op.description, Tags: []string{op.tag}, Schemes: []string{"https"},
		Consumes: []string{"*/*"}, Produces: mediaTypes, Parameters: paramsV2(op.params),
		Responses: &spec.Responses{ResponsesProps: spec.ResponsesProps{StatusCodeResponses: map[int]spec.Response{
			http.StatusUnauthorized: {ResponseProps: spec.ResponseProps{Description: http.StatusText(http.StatusUnauthorized)}},
		}}},
	}}
	if op.patches != nil {
		out.Consumes = op.patches
	}
	if op.watchable {
		out.Produces = append([]string{"application/json;stream=watch"}, mediaTypes...)
	}
	if op.body != "" {
		body := spec.Parameter{ParamProps: spec.ParamProps{Name: "body", In: "body", Required: op.body != models.DeleteOptions, Schema: refV2(op.body)}}
		out.Parameters = append(out.Parameters, body)
	}
	for _, code := range op.codes {
		out.Responses.StatusCodeResponses[code] = spec.Response{ResponseProps: spec.ResponseProps{
			Description: http.StatusText(code), Schema: refV2(op.result),
		}}
	}
	out.Extensions = operationExtensions(op)
	return out
}

const definitionsPrefix = "#/definitions/"

func refV2(model string) *spec.Schema {
	return &spec.Schema{SchemaProps: spec.SchemaProps{Ref: spec.MustCreateRef(definitionsPrefix + model)}}
}

// schemaV2 says in v2 what it can of a v3 schema, as Kubernetes does: no defaults, no nullable, no oneOf and the like. It
// changes and reads s, which must not be used afterwards.
func schemaV2(s *spec.Schema) spec.Schema {
	if len(s.AllOf) == 1 && s.AllOf[0].Ref.String() != "" {
		s.Ref = s.AllOf[0].Ref
	}
	if ref := s.Ref.String(); ref != "" {
		s.Ref = spec.MustCreateRef(definitionsPrefix + strings.TrimPrefix(ref, models.RefPrefix))
	}
	if len(s.Type) == 0 && s.Ref.String() == "" && (len(s.OneOf) > 0 || len(s.AnyOf) > 0) && !intOrString(s) {
		s.Type = spec.StringOrArray{"string"} // Quantity and IntOrString, whose text form always works
	}
	s.AllOf, s.AnyOf, s.OneOf, s.Not, s.Default = nil, nil, nil, nil, nil
	if s.Nullable {
		s.Nullable, s.Type = false, nil
	}
	for name, p := range s.Properties {
		s.Properties[name] = schemaV2(&p)
	}
	if s.Items != nil && s.Items.Schema != nil {
		*s.Items.Schema = schemaV2(s.Items.Schema)
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil {
		*s.AdditionalProperties.Schema = schemaV2(s.AdditionalProperties.Schema)
	}
	return *s
}

func intOrString(s *spec.Schema) bool {
	v, _ := s.Extensions.GetBool("x-kubernetes-int-or-string")
	return v
}
