// Package models holds the schemas of Kubernetes' built-in types as data: what openapi-gen makes of the Go types
// of k8s.io/api and k8s.io/apimachinery, one compressed file for each Go package, decoded when it is asked for.
// The files are made by `go generate` (see internal/gen/models), never by hand.
package models

//go:generate go run github.com/keelson-project/keelson/internal/gen/models -out data

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"weak"

	"k8s.io/kube-openapi/pkg/validation/spec"

	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/internal/jsonscan"
)

//go:embed data/*.json.gz
var files embed.FS

// Names of the models that every kind uses.
const (
	ObjectMeta      = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
	ListMeta        = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta"
	Status          = "io.k8s.apimachinery.pkg.apis.meta.v1.Status"
	DeleteOptions   = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"
	WatchEvent      = "io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent"
	Patch           = "io.k8s.apimachinery.pkg.apis.meta.v1.Patch"
	APIResourceList = "io.k8s.apimachinery.pkg.apis.meta.v1.APIResourceList"
	Scale           = "io.k8s.api.autoscaling.v1.Scale"
)

// RefPrefix begins the references between models.
const RefPrefix = "#/components/schemas/"

// Set gives access to the models. It is safe for concurrent use. Decoded files are kept only as long as the
// garbage collector leaves them: a schema is compiled once and published rarely.
type Set struct {
	fingerprint func() string
	derived     resource.Derived

	mu     sync.Mutex
	loaded map[string]weak.Pointer[index] // by package
}

type index map[string]json.RawMessage // model name -> Entry as JSON, parts of one text

// Entry is one model.
type Entry struct {
	// Schema is the OpenAPI v3 schema as JSON; references begin with RefPrefix.
	Schema json.RawMessage `json:"schema"`
	// Zero names the fields that Go's JSON encoding leaves out when they have their zero value: neither
	// pointers nor always present. Sorted.
	Zero []string `json:"zero"`
	// Null names the fields that Go's JSON encoding writes as null when they have their zero value: times that are no
	// pointers. Sorted.
	Null []string `json:"null"`
	// Kinds under which Kubernetes registers the type, as GROUP/VERSION/KIND.
	Kinds []string `json:"kinds"`
}

// embedded is one for the process: it follows from the program alone, and a test that starts its hundredth server does
// not compile the kinds for the hundredth time.
var embedded = sync.OnceValue(New)

// Embedded returns the set that all servers of the process have in common.
func Embedded() *Set { return embedded() }

// New returns a set that has nothing in common with others. Nothing is decoded before it is asked for.
func New() *Set {
	return &Set{loaded: map[string]weak.Pointer[index]{}, fingerprint: sync.OnceValue(fingerprint)}
}

// Derive returns what somebody has made of the models alone and wants to keep: the value of key, which make makes where
// there is none yet. All who use the Set share it, so it must neither depend on one of them nor be changed. Keys are
// comparable values of a type that the caller alone has. make may run more than once at the same time; one result is
// kept.
func (s *Set) Derive(key any, make func() any) any { return s.derived.Get(key, make) }

// Fingerprint is a digest of all models; it changes when any of them does.
func (s *Set) Fingerprint() string { return s.fingerprint() }

func fingerprint() string {
	h := sha256.New()
	entries, err := files.ReadDir("data")
	if err != nil {
		panic(fmt.Sprintf("models: %v", err)) // the build is broken
	}
	for _, e := range entries {
		data, err := files.ReadFile("data/" + e.Name())
		if err != nil {
			panic(fmt.Sprintf("models: %v", err))
		}
		h.Write(data)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Entry returns the model of that name ("io.k8s.api.core.v1.Pod") and whether there is one.
func (s *Set) Entry(name string) (Entry, bool) {
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return Entry{}, false
	}
	raw, ok := (*s.load(name[:dot]))[name]
	if !ok {
		return Entry{}, false
	}
	var e Entry
	if err := json.Unmarshal(raw, &e); err != nil {
		panic(fmt.Sprintf("models: embedded model %s: %v", name, err)) // the build is broken
	}
	return e, true
}

// Schema returns a fresh copy of the published schema of that name, with its x-kubernetes-group-version-kind; nil
// where there is none.
func (s *Set) Schema(name string) *spec.Schema {
	e, ok := s.Entry(name)
	if !ok {
		return nil
	}
	out := &spec.Schema{}
	if err := json.Unmarshal(e.Schema, out); err != nil {
		panic(fmt.Sprintf("models: embedded schema %s: %v", name, err)) // the build is broken
	}
	if len(e.Kinds) > 0 {
		list := make([]any, 0, len(e.Kinds))
		for _, k := range e.Kinds {
			p := strings.SplitN(k, "/", 3)
			list = append(list, map[string]any{"group": p[0], "version": p[1], "kind": p[2]})
		}
		out.AddExtension("x-kubernetes-group-version-kind", list)
	}
	return out
}

// load returns the models of one Go package; empty where there are none.
func (s *Set) load(pkg string) *index {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ix := s.loaded[pkg].Value(); ix != nil {
		return ix
	}
	ix := index{}
	if data, err := files.ReadFile("data/" + pkg + ".json.gz"); err == nil {
		if ix, err = decode(data); err != nil {
			panic(fmt.Sprintf("models: embedded file of %s: %v", pkg, err)) // the build is broken
		}
	}
	s.loaded[pkg] = weak.Make(&ix)
	return &ix
}

func decode(data []byte) (index, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	var plain bytes.Buffer
	plain.Grow(int(binary.LittleEndian.Uint32(data[len(data)-4:])) + bytes.MinRead) // gzip ends with the length
	if _, err := plain.ReadFrom(r); err != nil {
		return nil, err
	}
	ix := index{}
	for name, entry := range jsonscan.Members(plain.Bytes()) {
		ix[string(name)] = entry
	}
	return ix, nil
}

// EachRef calls f with the name of each model that s refers to.
func EachRef(s *spec.Schema, f func(name string)) {
	if ref := s.Ref.String(); ref != "" {
		f(strings.TrimPrefix(ref, RefPrefix))
	}
	for _, p := range s.Properties {
		EachRef(&p, f)
	}
	if s.Items != nil && s.Items.Schema != nil {
		EachRef(s.Items.Schema, f)
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil {
		EachRef(s.AdditionalProperties.Schema, f)
	}
	for _, list := range [][]spec.Schema{s.AllOf, s.AnyOf, s.OneOf} {
		for i := range list {
			EachRef(&list[i], f)
		}
	}
	if s.Not != nil {
		EachRef(s.Not, f)
	}
}
