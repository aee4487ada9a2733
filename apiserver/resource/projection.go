package resource

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/keelson-project/keelson/internal/jsonscan"
)

// Projection is the small part of an object that the server keeps decoded, so that selectors, garbage
// collection and metadata-only clients never decode the rest.
type Projection struct {
	Namespace, Name string
	UID             types.UID
	Labels          Pairs
	// Fields are the values of the Definition's SelectableFields, in their order.
	Fields []string
	Owners []Owner
	// Deleting: metadata.deletionTimestamp is set. Finalizing: metadata.finalizers is not empty.
	Deleting, Finalizing bool
	// Generated: metadata.generation is set, and not zero.
	Generated bool
}

// Owner is one entry of metadata.ownerReferences.
type Owner struct {
	APIVersion, Kind, Name         string
	UID                            types.UID
	Controller, BlockOwnerDeletion bool
}

// Project reads the Projection out of an encoded object.
func Project(data []byte, fields []SelectableField) Projection {
	var p Projection
	for k, v := range jsonscan.Members(jsonscan.Get(data, "metadata")) {
		switch string(k) {
		case "name":
			p.Name = jsonscan.String(v)
		case "namespace":
			p.Namespace = jsonscan.String(v)
		case "uid":
			p.UID = types.UID(jsonscan.String(v))
		case "labels":
			p.Labels = projectPairs(v)
		case "ownerReferences":
			p.Owners = projectOwners(v)
		case "deletionTimestamp":
			p.Deleting = jsonscan.String(v) != ""
		case "generation":
			p.Generated = string(v) != "0"
		case "finalizers":
			for range jsonscan.Elements(v) {
				p.Finalizing = true
				break
			}
		}
	}
	if len(fields) > 0 {
		p.Fields = make([]string, len(fields))
		for i := range fields {
			p.Fields[i] = fields[i].Text(data)
		}
	}
	return p
}

// Text is the value of the field in an encoded object, as selectors compare it.
func (f *SelectableField) Text(data []byte) string {
	raw := jsonscan.Get(data, f.Path...)
	if raw == nil && f.Or != nil {
		raw = jsonscan.Get(data, f.Or...)
	}
	if raw == nil {
		return f.Default
	}
	return jsonscan.Text(raw)
}

func projectPairs(raw []byte) Pairs {
	var p Pairs
	sorted := true
	for k, v := range jsonscan.Members(raw) {
		key := jsonscan.String(slices.Concat([]byte{'"'}, k, []byte{'"'}))
		if n := len(p); n > 0 && p[n-2] >= key {
			sorted = false
		}
		p = append(p, key, jsonscan.String(v))
	}
	if sorted {
		return slices.Clip(p)
	}
	m := map[string]string{}
	for i := 0; i < len(p); i += 2 {
		m[p[i]] = p[i+1]
	}
	return MakePairs(m)
}

func projectOwners(raw []byte) []Owner {
	var owners []Owner
	for e := range jsonscan.Elements(raw) {
		var o Owner
		for k, v := range jsonscan.Members(e) {
			switch string(k) {
			case "apiVersion":
				o.APIVersion = jsonscan.String(v)
			case "kind":
				o.Kind = jsonscan.String(v)
			case "name":
				o.Name = jsonscan.String(v)
			case "uid":
				o.UID = types.UID(jsonscan.String(v))
			case "controller":
				o.Controller = string(v) == "true"
			case "blockOwnerDeletion":
				o.BlockOwnerDeletion = string(v) == "true"
			}
		}
		owners = append(owners, o)
	}
	return owners
}

// Pairs is a small immutable map in the form that costs least: key, value, key, value, sorted by key. It
// implements labels.Labels of k8s.io/apimachinery.
type Pairs []string

// MakePairs returns the pairs of m.
func MakePairs(m map[string]string) Pairs {
	p := make(Pairs, 0, 2*len(m))
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		p = append(p, k, m[k])
	}
	return p
}

// Lookup returns the value of key and whether there is one.
func (p Pairs) Lookup(key string) (value string, exists bool) {
	for i := 0; i+1 < len(p); i += 2 {
		switch c := strings.Compare(p[i], key); {
		case c == 0:
			return p[i+1], true
		case c > 0:
			return "", false
		}
	}
	return "", false
}

// Has says whether key is there.
func (p Pairs) Has(key string) bool { _, ok := p.Lookup(key); return ok }

// Get returns the value of key, "" where there is none.
func (p Pairs) Get(key string) string { v, _ := p.Lookup(key); return v }
