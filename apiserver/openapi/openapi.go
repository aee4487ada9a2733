// Package openapi publishes the schemas of what a server serves, as OpenAPI v3 (an index at /openapi/v3, and a document
// for each group and version) and as one OpenAPI v2 document at /openapi/v2. Everything is made from a resource.Catalog
// when somebody asks: a kind that nobody reads about costs nothing, and a change remakes what it changed.
package openapi

import (
	"container/list"
	"net/http"
	"strings"
	"sync"

	"k8s.io/kube-openapi/pkg/validation/spec"

	"github.com/keelson-project/keelson/apiserver/builtin/models"
	"github.com/keelson-project/keelson/apiserver/resource"
)

// Models are the named schemas that published schemas refer to: ObjectMeta, Status, the types inside built-in kinds.
// *models.Set of package builtin/models is one.
type Models interface {
	// Schema returns a fresh copy of the schema of that name, in OpenAPI v3 form, or nil.
	Schema(name string) *spec.Schema
}

// Named is an optional interface of a resource.Schema that has a name of its own among the Models, and there also a
// list type (NAMEList). Others are published as REVERSED-GROUP.VERSION.KIND, with a list type made for them.
type Named interface {
	ModelName() string
}

// Fingerprinter is an optional interface of a resource.Schema: a digest that changes when what OpenAPI returns does. With
// it, the index of all documents is made without building the schemas.
type Fingerprinter interface {
	Fingerprint() string
}

// Options of a Server.
type Options struct {
	Models Models // nil: those of package builtin/models
	// Title and Version of info in the documents; "Kubernetes" and "unversioned" where they are "".
	Title, Version string
	// CacheBytes bounds the encoded documents that are kept between requests; zero: 32 MiB.
	CacheBytes int
}

// Server serves the documents. Make one with New.
type Server struct {
	catalog *resource.Catalog
	options Options

	mu sync.Mutex
	// The index, as of generation; nil until the first request.
	index      *index
	generation uint64
	// prints are the fingerprints of the Definitions in index, by identity and version.
	prints map[*resource.Definition]string
	// kept documents by cache key, least recently used last; their sizes add up to keptBytes.
	kept      map[string]*list.Element
	order     list.List
	keptBytes int
}

// New returns a Server of the documents of catalog. It builds nothing yet.
func New(catalog *resource.Catalog, o Options) *Server {
	if o.Models == nil {
		o.Models = models.New()
	}
	if o.Title == "" {
		o.Title = "Kubernetes"
	}
	if o.Version == "" {
		o.Version = "unversioned"
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = 32 << 20
	}
	return &Server{catalog: catalog, options: o, kept: map[string]*list.Element{}}
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
