package openapi

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// documentForm is part of every hash: raise it when what is made of a Definition changes.
const documentForm = "3"

// index is the list of the v3 documents.
type index struct {
	data []byte // the JSON of /openapi/v3
	etag string
	// hashes of the documents by path ("api/v1", "apis/apps/v1").
	hashes map[string]string
}

func (s *Server) serveIndex(w http.ResponseWriter, r *http.Request) error {
	ix, err := s.current()
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Vary", "Accept")
	h.Set("ETag", ix.etag)
	if r.Header.Get("If-None-Match") == ix.etag {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", "application/json")
	_, err = w.Write(ix.data)
	return err
}

// current returns the index, remade if the catalog has changed. Only what is new in the catalog is fingerprinted.
func (s *Server) current() (*index, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	generation, _ := s.catalog.Generation()
	if s.index != nil && s.generation == generation {
		return s.index, nil
	}
	live := make(map[*resource.Definition]string, len(s.prints))
	hashes := map[string]string{}
	for _, group := range s.catalog.Groups() {
		if err := s.hashGroup(group, live, hashes); err != nil {
			return nil, err
		}
	}
	ix, err := newIndex(hashes)
	if err != nil {
		return nil, err
	}
	// What changed meanwhile may be missing: the older generation makes the next request look again.
	s.index, s.generation, s.prints = ix, generation, live
	return ix, nil
}

// hashGroup requires mu. It adds the hash of each served version of a group.
func (s *Server) hashGroup(group string, live map[*resource.Definition]string, hashes map[string]string) error {
	sums := map[string]hash.Hash{}
	for _, d := range s.catalog.Group(group) {
		p, ok := s.prints[d]
		if !ok {
			var err error
			if p, err = fingerprint(d); err != nil {
				return err
			}
		}
		live[d] = p
		for i := range d.Versions {
			v := &d.Versions[i]
			if !v.Served {
				continue
			}
			if sums[v.Name] == nil {
				sums[v.Name] = sha256.New()
				fmt.Fprintln(sums[v.Name], documentForm, s.options.Models.Fingerprint(), s.options.Title, s.options.Version)
			}
			fmt.Fprintln(sums[v.Name], p)
		}
	}
	for version, sum := range sums {
		hashes[groupVersionPath(group, version)] = strings.ToUpper(hex.EncodeToString(sum.Sum(nil)))
	}
	return nil
}

func groupVersionPath(group, version string) string {
	if group == "" {
		return "api/" + version
	}
	return "apis/" + group + "/" + version
}

// fingerprint is a digest of all that the documents say about d.
func fingerprint(d *resource.Definition) (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %q %v %v\n", d.Group, d.Names.Plural, d.Names.Kind, d.Names.ListKind, d.Namespaced, d.NoDeleteCollection)
	for i := range d.Versions {
		v := &d.Versions[i]
		fmt.Fprintf(h, "%q %v %v\n", v.Name, v.Served, v.GoType != nil)
		for _, name := range slices.Sorted(maps.Keys(v.Subresources)) {
			fmt.Fprintf(h, "%q %v\n", name, v.Subresources[name].Verbs)
		}
		switch s := v.Schema.(type) {
		case Named:
			fmt.Fprintln(h, s.ModelName())
		case Publisher:
			fmt.Fprintln(h, s.Fingerprint())
		default:
			return "", fmt.Errorf("openapi: the schema of %s has no published form", d.GroupVersionKind(v.Name))
		}
	}
	return string(h.Sum(nil)), nil
}

func newIndex(hashes map[string]string) (*index, error) {
	type entry struct {
		ServerRelativeURL string `json:"serverRelativeURL"`
	}
	paths := make(map[string]entry, len(hashes))
	for gv, hash := range hashes {
		paths[gv] = entry{documentURL(gv, hash)}
	}
	data, err := json.Marshal(map[string]any{"paths": paths})
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	return &index{data: data, etag: fmt.Sprintf(`"%X"`, sum), hashes: hashes}, nil
}

func documentURL(gv, hash string) string { return "/openapi/v3/" + gv + "?hash=" + hash }

// definitionsOf returns the Definitions that the document at a path is about, and the version.
func (s *Server) definitionsOf(gv string) ([]*resource.Definition, string) {
	parts := strings.Split(gv, "/")
	group, version := "", parts[len(parts)-1]
	if parts[0] == "apis" {
		group = parts[1]
	}
	defs := slices.DeleteFunc(s.catalog.Group(group), func(d *resource.Definition) bool {
		v := d.Version(version)
		return v == nil || !v.Served
	})
	slices.SortFunc(defs, func(a, b *resource.Definition) int { return cmp.Compare(a.Names.Plural, b.Names.Plural) })
	return defs, version
}
