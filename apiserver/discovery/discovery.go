// Package discovery answers what a server serves: the legacy documents (/api, /apis, /api/v1, /apis/GROUP,
// /apis/GROUP/VERSION) and the aggregated one (/api and /apis with an Accept header that asks for it). All are
// made from a resource.Catalog when somebody asks, and remade only in what the catalog changed since: the part of
// each Definition is encoded once, as a Definition never changes.
package discovery

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// Options of a Server.
type Options struct {
	// ServerAddress is advertised in /api's serverAddressByClientCIDRs ("10.0.0.1:6443"); "" advertises the
	// Host that each request came for.
	ServerAddress string
	// GroupPriorities order the groups, highest first, and add to or replace Kubernetes' own table. A group
	// that neither names has 1000; equals are in alphabetical order.
	GroupPriorities map[string]int
}

// Server serves the documents. Make one with New.
type Server struct {
	catalog *resource.Catalog
	options Options

	mu sync.Mutex
	// The aggregated documents as of generation; nil until the first request.
	built      map[root]*document
	generation uint64
	// fragments of the Definitions in built, by identity.
	fragments map[*resource.Definition]*fragment
}

// New returns a Server of the documents of catalog. It builds nothing yet.
func New(catalog *resource.Catalog, o Options) *Server {
	return &Server{catalog: catalog, options: o, fragments: map[*resource.Definition]*fragment{}}
}

// Serve answers a GET request for a discovery document, and says whether its path is one: if not (another path, or
// a group or version that is not served), nothing was written. The error is an *apierrors.StatusError that is still
// to be written: 406 where nothing that the client accepts can be made.
func (s *Server) Serve(w http.ResponseWriter, r *http.Request) (bool, error) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case parts[0] == "api" && len(parts) == 1:
		return true, s.serveRoot(w, r, coreRoot)
	case parts[0] == "apis" && len(parts) == 1:
		return true, s.serveRoot(w, r, groupsRoot)
	case parts[0] == "api" && len(parts) == 2:
		return s.serveResources(w, r, "", parts[1])
	case parts[0] == "apis" && len(parts) == 2:
		return s.serveGroup(w, r, parts[1])
	case parts[0] == "apis" && len(parts) == 3 && parts[1] != "":
		return s.serveResources(w, r, parts[1], parts[2])
	}
	return false, nil
}

func (s *Server) serveRoot(w http.ResponseWriter, r *http.Request, which root) error {
	pick := negotiate
	if which == coreRoot {
		pick = routed
	}
	format, err := pick(r, true)
	if err != nil {
		return err
	}
	if format.aggregated != "" {
		return s.serveAggregated(w, r, which, format)
	}
	if which == coreRoot {
		return write(w, format, s.apiVersions(r))
	}
	return write(w, format, s.groupList())
}

func (s *Server) serveGroup(w http.ResponseWriter, r *http.Request, group string) (bool, error) {
	g := s.group(group)
	if g == nil {
		return false, nil
	}
	format, err := negotiate(r, false)
	if err != nil {
		return true, err
	}
	g.Kind, g.APIVersion = "APIGroup", "v1"
	return true, write(w, format, g)
}

func (s *Server) serveResources(w http.ResponseWriter, r *http.Request, group, version string) (bool, error) {
	list := s.resourceList(group, version)
	if list == nil {
		return false, nil
	}
	pick := negotiate
	if slices.ContainsFunc(s.catalog.Group(group), func(d *resource.Definition) bool { return !d.Custom }) {
		pick = routed
	}
	format, err := pick(r, false)
	if err != nil {
		return true, err
	}
	return true, write(w, format, list)
}

// write sends a legacy document; these have no ETag in Kubernetes either.
func write(w http.ResponseWriter, f format, doc any) error {
	data, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	if data, err = f.encode(data); err != nil {
		return err
	}
	w.Header().Set("Content-Type", f.contentType)
	w.Header().Set("Cache-Control", "no-cache, private")
	_, err = w.Write(data)
	return err
}
