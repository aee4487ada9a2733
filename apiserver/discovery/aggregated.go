package discovery

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	discoveryv2 "k8s.io/api/apidiscovery/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// root is one of the two paths that have an aggregated document.
type root string

const (
	coreRoot   root = "/api"
	groupsRoot root = "/apis"
)

// document is an aggregated document without its head, which differs by version.
type document struct {
	items []byte // the JSON of .items
	etag  string // quoted
}

// fragment is the part of one Definition in the aggregated document.
type fragment struct {
	byVersion map[string][]byte // an APIResourceDiscovery as JSON, by served version
}

func (s *Server) serveAggregated(w http.ResponseWriter, r *http.Request, which root, f format) error {
	doc, err := s.aggregated(which)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("ETag", doc.etag)
	h.Set("Vary", "Accept")
	h.Set("Cache-Control", "public")
	if r.Header.Get("If-None-Match") == doc.etag {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	head := `{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/` + f.aggregated + `","metadata":{},"items":`
	h.Set("Content-Type", f.contentType)
	h.Set("Content-Length", strconv.Itoa(len(head)+len(doc.items)+len("}\n")))
	for _, part := range [][]byte{[]byte(head), doc.items, []byte("}\n")} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// aggregated returns the document of a root, remade if the catalog changed since it was built. Requests that come
// meanwhile wait for the one that builds.
func (s *Server) aggregated(which root) (*document, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	generation, _ := s.catalog.Generation()
	if s.built == nil || s.generation != generation {
		if err := s.rebuild(); err != nil {
			return nil, err
		}
		// What changed while it was built may or may not be in it: the older number makes the next request look.
		s.generation = generation
	}
	return s.built[which], nil
}

// rebuild requires mu. Only Definitions that are new since the last time are encoded.
func (s *Server) rebuild() error {
	live := make(map[*resource.Definition]*fragment, len(s.fragments))
	core, groups := []byte{'['}, []byte{'['}
	for _, name := range s.orderedGroups() {
		into := &groups
		if name == "" {
			into = &core
		}
		var err error
		if *into, err = s.appendGroup(*into, name, live); err != nil {
			return err
		}
	}
	s.fragments = live
	s.built = map[root]*document{coreRoot: newDocument(append(core, ']')), groupsRoot: newDocument(append(groups, ']'))}
	return nil
}

func newDocument(items []byte) *document {
	return &document{items: items, etag: fmt.Sprintf(`"%X"`, sha256.Sum256(items))}
}

// appendGroup adds an APIGroupDiscovery to a JSON list that is being written.
func (s *Server) appendGroup(out []byte, name string, live map[*resource.Definition]*fragment) ([]byte, error) {
	defs := s.catalog.Group(name)
	versions := servedVersions(defs)
	if len(versions) == 0 {
		return out, nil
	}
	if len(out) > 1 {
		out = append(out, ',')
	}
	out = append(out, `{"metadata":{`...)
	if name != "" {
		out = append(out, `"name":`...)
		out = strconv.AppendQuote(out, name)
	}
	out = append(out, `},"versions":[`...)
	for i, v := range versions {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, `{"version":`...)
		out = strconv.AppendQuote(out, v)
		out = append(out, `,"resources":[`...)
		first := true
		for _, d := range defs {
			f, err := s.fragment(d, live)
			if err != nil {
				return nil, err
			}
			if part := f.byVersion[v]; part != nil {
				if !first {
					out = append(out, ',')
				}
				first = false
				out = append(out, part...)
			}
		}
		out = append(out, `],"freshness":"Current"}`...)
	}
	return append(out, `]}`...), nil
}

// fragment returns the part of d and notes it as live.
func (s *Server) fragment(d *resource.Definition, live map[*resource.Definition]*fragment) (*fragment, error) {
	if f := live[d]; f != nil {
		return f, nil
	}
	f := s.fragments[d]
	if f == nil {
		f = &fragment{byVersion: map[string][]byte{}}
		for i := range d.Versions {
			v := &d.Versions[i]
			if !v.Served {
				continue
			}
			data, err := json.Marshal(resourceDiscovery(d, v))
			if err != nil {
				return nil, fmt.Errorf("discovery of %s: %w", d.GroupResource(), err)
			}
			f.byVersion[v.Name] = data
		}
	}
	live[d] = f
	return f, nil
}

func resourceDiscovery(d *resource.Definition, v *resource.Version) *discoveryv2.APIResourceDiscovery {
	out := &discoveryv2.APIResourceDiscovery{
		Resource:         d.Names.Plural,
		ResponseKind:     responseKind(d, v),
		Scope:            discoveryv2.ScopeCluster,
		SingularResource: d.Names.Singular,
		Verbs:            verbsOf(d),
		ShortNames:       d.Names.ShortNames,
		Categories:       d.Names.Categories,
	}
	if d.Namespaced {
		out.Scope = discoveryv2.ScopeNamespace
	}
	for _, name := range subresourceNames(v) {
		sub := v.Subresources[name]
		s := discoveryv2.APISubresourceDiscovery{
			Subresource: name, ResponseKind: responseKind(d, v), Verbs: subresourceVerbsOf(sub),
		}
		if sub.Scale != nil {
			s.ResponseKind = &metav1.GroupVersionKind{Group: "autoscaling", Version: "v1", Kind: "Scale"}
		}
		out.Subresources = append(out.Subresources, s)
	}
	return out
}

// responseKind names the kind; Kubernetes spells out group and version for custom resources only.
func responseKind(d *resource.Definition, v *resource.Version) *metav1.GroupVersionKind {
	if d.Custom {
		return &metav1.GroupVersionKind{Group: d.Group, Version: v.Name, Kind: d.Names.Kind}
	}
	return &metav1.GroupVersionKind{Kind: d.Names.Kind}
}
