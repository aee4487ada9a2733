package informer

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/keelson-project/keelson/internal/packed"
)

// Meta is what can be known of an object without decoding it. Objects themselves implement it. What it returns must
// not be changed.
type Meta interface {
	GetNamespace() string
	GetName() string
	GetUID() types.UID
	GetResourceVersion() string
	GetGeneration() int64
	GetLabels() map[string]string
	GetAnnotations() map[string]string
	GetFinalizers() []string
	GetOwnerReferences() []metav1.OwnerReference
	GetCreationTimestamp() metav1.Time
	GetDeletionTimestamp() *metav1.Time
}

// packedItem is an object in compact mode: a record, and what makes an object of it.
type packedItem struct {
	value packed.Value
	*packing
}

// packing is what the packed items of an informer have in common.
type packing struct {
	keys   *packed.Keys
	decode func(packed.Value) (Object, error)
	failed func(error)
}

var _ item = (*packedItem)(nil)

func (p *packedItem) object() Object {
	o, err := p.decode(p.value)
	if err != nil { // it could be decoded when it came: the decoder is not a pure function
		p.failed(err)
	}
	return o
}

func (p *packedItem) size() int { return len(p.value) + packedOverhead }

func (p *packedItem) find(path ...string) packed.Value { return p.keys.Find(p.value, path...) }

func (p *packedItem) text(name string) string { return p.keys.Text(p.find("metadata", name)) }

func (p *packedItem) GetNamespace() string       { return p.text("namespace") }
func (p *packedItem) GetName() string            { return p.text("name") }
func (p *packedItem) GetUID() types.UID          { return types.UID(p.text("uid")) }
func (p *packedItem) GetResourceVersion() string { return p.text("resourceVersion") }
func (p *packedItem) GetGeneration() int64       { return p.keys.Int(p.find("metadata", "generation")) }

func (p *packedItem) GetLabels() map[string]string      { return p.pairs("labels") }
func (p *packedItem) GetAnnotations() map[string]string { return p.pairs("annotations") }

func (p *packedItem) pairs(name string) map[string]string {
	v := p.find("metadata", name)
	if v == "" {
		return nil
	}
	m := map[string]string{}
	for key, value := range p.keys.Members(v) {
		m[key] = p.keys.Text(value)
	}
	return m
}

func (p *packedItem) GetFinalizers() (names []string) {
	for v := range p.keys.Elements(p.find("metadata", "finalizers")) {
		names = append(names, p.keys.Text(v))
	}
	return names
}

func (p *packedItem) GetOwnerReferences() (refs []metav1.OwnerReference) {
	for v := range p.keys.Elements(p.find("metadata", "ownerReferences")) {
		refs = append(refs, p.owner(v))
	}
	return refs
}

func (p *packedItem) owner(v packed.Value) (ref metav1.OwnerReference) {
	for key, value := range p.keys.Members(v) {
		switch key {
		case "apiVersion":
			ref.APIVersion = p.keys.Text(value)
		case "kind":
			ref.Kind = p.keys.Text(value)
		case "name":
			ref.Name = p.keys.Text(value)
		case "uid":
			ref.UID = types.UID(p.keys.Text(value))
		case "controller":
			ref.Controller = p.boolean(value)
		case "blockOwnerDeletion":
			ref.BlockOwnerDeletion = p.boolean(value)
		}
	}
	return ref
}

func (p *packedItem) boolean(v packed.Value) *bool {
	if b, ok := p.keys.Decode(v).(bool); ok {
		return &b
	}
	return nil
}

func (p *packedItem) GetCreationTimestamp() metav1.Time {
	t, err := time.Parse(time.RFC3339, p.text("creationTimestamp"))
	if err != nil {
		return metav1.Time{}
	}
	return metav1.Time{Time: t.Local()}
}

func (p *packedItem) GetDeletionTimestamp() *metav1.Time {
	t, err := time.Parse(time.RFC3339, p.text("deletionTimestamp"))
	if err != nil {
		return nil
	}
	return &metav1.Time{Time: t.Local()}
}
