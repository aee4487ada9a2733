// Package openapi publishes the schemas of what a server serves, as OpenAPI v3 (an index at /openapi/v3, and a document
// for each group and version) and as one OpenAPI v2 document at /openapi/v2. Everything is made from a resource.Catalog
// when somebody asks: a kind that nobody reads about costs nothing, and a change remakes what it changed.
package openapi

import (
	"container/list"
	"net/http"
	"strings"
	"sync"

	"github.com/keelson-project/keelson/apiserver/builtin/models"
	"github.com/keelson-project/keelson/apiserver/resource"
)

// Models are the named schemas that published schemas refer to: ObjectMeta, Status, the types inside built-in kinds.
// *models.Set of package builtin/models is one.
type Models interface {
	// Entry returns the model of that name, its schema in OpenAPI v3 form, and whether there is one.
	Entry(name string) (models.Entry, bool)
	// Fingerprint is a digest of all models.
	Fingerprint() string
}

// Named is an optional interface of a resource.Schema that is published as a model, with a list type there (NAMEList).
// Others have to be Publishers: they are published as REVERSED-GROUP.VERSION.KIND, with a list type made for them.
type Named interface {
	ModelName() string
}

// Publisher is an optional interface of a resource.Schema that writes its own published form.
type Publisher interface {
	// AppendOpenAPI appends the schema of the whole kind to b, as JSON in the form of OpenAPI v2 or v3. It refers to no
	// model but ObjectMeta.
	AppendOpenAPI(b []byte, v2 bool) []byte
	// Fingerprint is a digest that changes when the schema does. It is asked for often, the schema rarely.
	Fingerprint() string
}

// Options of a Server.
type Options struct {
	Models Models // nil: those of package builtin/models
	// Title and Version of info in the documents; "Kubernetes" and "unversioned" where they are "".
	Title, Version string
	// CacheBytes bounds the encoded documents that are kept between requests; zero: 8 MiB.
	CacheBytes int
}

// Server serves the documents. Make one with New.
type Server struct {
	catalog *resource.Catalog
	options Options
	// params and customModels are parts of documents that are always the same.
	params       func() *paramTexts
	customModels func() (customModels, error)

	mu sync.Mutex
	// The index, as of generation; nil until the first request.
	index      *index
	generation uint64
	// prints are the fingerprints of the Definitions in index, by identity and version.
	prints  map[*resource.Definition]print
	scratch []byte // for what prints are made of
	// kept documents by cache key, least recently used last; their sizes add up to keptBytes.
	kept      map[string]*list.Element
	order     list.List
	keptBytes int
}

// New returns a Server of the documents of catalog. It builds nothing yet.
func New(catalog *resource.Catalog, o Options) *Server {
	if o.Models == nil {
		o.Models = models.Embedded()
	}
	if o.Title == "" {
		o.Title = "Kubernetes"
	}
	if o.Version == "" {
		o.Version = "unversioned"
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = 8 << 20
	}
	return &Server{
		catalog: catalog, options: o, kept: map[string]*list.Element{}, params: sync.OnceValue(newParamTexts),
		customModels: sync.OnceValues(func() (customModels, error) { return newCustomModels(o.Models) }),
	}
}

// Serve answers a GET request for an OpenAPI document, and says whether its path is one: if not (another path, or a
// group and version that is not served), nothing was written. The error, if any, is still to be written.
func (s *Server) Serve(w http.ResponseWriter, r *http.Request) (bool, error) {
	path := strings.Trim(r.URL.Path, "/")
	switch gv, isV3 := strings.CutPrefix(path, "openapi/v3/"); {
	case path == "openapi/v2":
		return true, s.serveV2(w, r)
	case path == "openapi/v3":
		return true, s.serveIndex(w, r)
	case isV3:
		return s.serveV3(w, r, gv)
	}
	return false, nil
}
