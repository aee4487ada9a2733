package informer

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	kjson "sigs.k8s.io/json"

	"github.com/keelson-project/keelson/internal/jsonscan"
	"github.com/keelson-project/keelson/internal/packed"
)

// edge makes items of what a server sends: decoded, without managed fields, transformed, packed, as a Config says.
type edge[T Object] struct {
	*Config[T]
	untyped bool // objects are unstructured and nobody brought a decoder: records are decoded without a way over JSON
	fresh   func() T
	packing *packing

	mu     sync.Mutex // of packer: there is a reflector for each namespace
	packer packed.Packer
}

// errNoName: an object that cannot be stored.
var errNoName = errors.New("the object has no name")

func newEdge[T Object](cfg *Config[T]) *edge[T] {
	e := &edge[T]{Config: cfg, fresh: cfg.New}
	if e.fresh == nil {
		if made := reflect.TypeFor[T](); made.Kind() == reflect.Pointer {
			e.fresh = func() T { return reflect.New(made.Elem()).Interface().(T) }
		}
	}
	if e.fresh != nil && e.Decode == nil {
		_, e.untyped = any(e.fresh()).(*unstructured.Unstructured)
	}
	e.packer = packed.Packer{Keys: packed.NewKeys(), DropManagedFields: !cfg.KeepManagedFields}
	e.packing = &packing{keys: e.packer.Keys, decode: e.unpack, failed: func(err error) {
		if cfg.OnError != nil {
			cfg.OnError(fmt.Errorf("informer: decoding an object of %s again: %w", cfg.Scope, err))
		}
	}}
	return e
}

// pack makes a record of JSON. What the packer does not take goes over the ordinary decoder, whose errors count.
func (e *edge[T]) pack(data []byte) (packed.Value, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if v, ok := e.packer.Pack(data); ok {
		return v, nil
	}
	var content map[string]any
	if err := utiljson.Unmarshal(data, &content); err != nil {
		return "", err
	}
	clean, err := json.Marshal(content)
	if err != nil {
		return "", err
	}
	if v, ok := e.packer.Pack(clean); ok {
		return v, nil
	}
	return "", errors.New("the object is nested too deeply")
}

// hold makes an item of encoded bytes, of which it keeps nothing.
func (e *edge[T]) hold(contentType string, data []byte) (item, error) {
	if e.untyped && isJSON(contentType) == nil {
		v, err := e.pack(data)
		if err != nil {
			return nil, err
		}
		if e.Compact && e.Transform == nil {
			p := &packedItem{v, e.packing}
			if p.GetName() == "" {
				return nil, errNoName
			}
			return p, nil
		}
		content, size := e.packer.Keys.DecodeSized(v, e.Transform != nil)
		object, err := e.finish(asUnstructured[T](content))
		return e.keep(object, nil, size, err)
	}
	if !e.KeepManagedFields && isJSON(contentType) == nil {
		if from, to := jsonscan.Index(data, "metadata", "managedFields"); from >= 0 {
			data = slices.Concat(data[:from], []byte("null"), data[to:])
		}
	}
	object, err := e.decode(contentType, data)
	if err == nil {
		object, err = e.finish(object)
	}
	if isJSON(contentType) != nil || e.Transform != nil {
		data = nil
	}
	return e.keep(object, data, 0, err)
}

// keep makes the item of an object; data is its JSON where there is some, size what it takes where that is known.
func (e *edge[T]) keep(object T, data []byte, size int, err error) (item, error) {
	if err != nil {
		return nil, err
	}
	if !e.Compact {
		if size == 0 {
			// Encoded and decoded have about the same texts; numbers and pointers take more, names of fields none.
			size = int(reflect.TypeOf(object).Elem().Size()) + len(data)*3/2
		}
		return &liveItem{object, size}, nil
	}
	if data == nil {
		if data, err = json.Marshal(object); err != nil {
			return nil, err
		}
	}
	v, err := e.pack(data)
	return &packedItem{v, e.packing}, err
}

// finish does what follows decoding.
func (e *edge[T]) finish(object T) (T, error) {
	e.setKind(object)
	if !e.KeepManagedFields && len(object.GetManagedFields()) > 0 {
		object.SetManagedFields(nil)
	}
	if e.Transform != nil {
		var err error
		if object, err = e.Transform(object); err != nil {
			return object, fmt.Errorf("transform: %w", err)
		}
	}
	if object.GetName() == "" {
		return object, errNoName
	}
	return object, nil
}

// setKind fills in what lists of built-in kinds leave out, and gives partial metadata the kind of its object.
func (e *edge[T]) setKind(object Object) {
	kind := object.GetObjectKind()
	if e.Scope.MetadataOnly || kind.GroupVersionKind().Kind == "" {
		kind.SetGroupVersionKind(e.Scope.GVK)
	}
}

// unpack makes a fresh object of a record.
func (e *edge[T]) unpack(v packed.Value) (Object, error) {
	if e.untyped {
		object := asUnstructured[T](e.packer.Keys.Decode(v))
		e.setKind(object)
		return object, nil
	}
	object, err := e.decode("application/json", e.packer.Keys.AppendJSON(make([]byte, 0, 2*len(v)), v))
	if err != nil {
		return nil, err
	}
	e.setKind(object)
	return object, nil
}

// decode makes an object of encoded bytes: by the author's decoder, or of JSON.
func (e *edge[T]) decode(contentType string, data []byte) (T, error) {
	if e.Decode != nil {
		return e.Decode(contentType, data)
	}
	object := e.fresh()
	return object, decodeInto(contentType, data, object)
}

// asUnstructured wraps decoded content. A caller has made sure that T can be that.
func asUnstructured[T Object](content any) T {
	m, _ := content.(map[string]any)
	if m == nil {
		m = map[string]any{}
	}
	return any(&unstructured.Unstructured{Object: m}).(T)
}

func isJSON(contentType string) error {
	if contentType == "" || contentType == "application/json" {
		return nil
	}
	return fmt.Errorf("no decoder for %s", contentType)
}

func decodeInto(contentType string, data []byte, into any) error {
	if err := isJSON(contentType); err != nil {
		return err
	}
	return kjson.UnmarshalCaseSensitivePreserveInts(data, into)
}

// bookmark reads the metadata of a bookmark: by itself where it is JSON, by the author's decoder otherwise.
func (e *edge[T]) bookmark(contentType string, data []byte) (metav1.Object, error) {
	if isJSON(contentType) != nil {
		return e.decode(contentType, data)
	}
	var o metav1.PartialObjectMetadata
	err := json.Unmarshal(data, &o)
	return &o, err
}
