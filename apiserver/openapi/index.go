package openapi

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"hash"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// documentForm is part of every hash: raise it when what is made of a Definition changes.
const documentForm = "4"

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
	live := make(map[*resource.Definition]print, len(s.prints))
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

// print is a digest of all that the documents say about a Definition.
type print [sha256.Size]byte

// hashGroup requires mu. It adds the hash of each served version of a group.
func (s *Server) hashGroup(group string, live map[*resource.Definition]print, hashes map[string]string) error {
	sums := map[string]hash.Hash{} // by version
	for _, d := range s.catalog.Group(group) {
		p, ok := s.prints[d]
		if !ok {
			var err error
			if s.scratch, err = appendIdentity(s.scratch[:0], d); err != nil {
				return err
			}
			p = sha256.Sum256(s.scratch)
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
			s.scratch = append(s.scratch[:0], p[:]...)
			_, _ = sums[v.Name].Write(s.scratch)
		}
	}
	for version, sum := range sums {
		hashes[groupVersionPath(group, version)] = fmt.Sprintf("%X", sum.Sum(nil))
	}
	return nil
}

func groupVersionPath(group, version string) string {
	if group == "" {
		return "api/" + version
	}
	return "apis/" + group + "/" + version
}

// appendIdentity appends all that the documents say about d, or what changes with it.
func appendIdentity(b []byte, d *resource.Definition) ([]byte, error) {
	for _, s := range []string{d.Group, d.Names.Plural, d.Names.Kind, d.Names.ListKind} {
		b = appendSized(b, s)
	}
	b = strconv.AppendBool(strconv.AppendBool(b, d.Namespaced), d.NoDeleteCollection)
	b = strconv.AppendBool(b, d.AnswersDeleted)
	for i := range d.Versions {
		v := &d.Versions[i]
		b = strconv.AppendBool(strconv.AppendBool(appendSized(b, v.Name), v.Served), v.GoType != nil)
		names := make([]string, 0, len(v.Subresources))
		for name := range v.Subresources {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			b = appendSized(b, name)
			for _, verb := range v.Subresources[name].Verbs {
				b = appendSized(b, verb)
			}
		}
		switch s := v.Schema.(type) {
		case Named:
			b = appendSized(b, s.ModelName())
		case Publisher:
			b = appendSized(b, s.Fingerprint())
		default:
			return nil, fmt.Errorf("openapi: the schema of %s has no published form", d.GroupVersionKind(v.Name))
		}
	}
	return b, nil
}

// appendSized appends s so that what follows cannot be taken for a part of it.
func appendSized(b []byte, s string) []byte {
	return append(strconv.AppendInt(b, int64(len(s)), 10), ":"+s...)
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
