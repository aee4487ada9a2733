package registry

import (
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"

	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/apiserver/watchcache"
)

// selector decides on projections alone which entries a request asks for.
type selector struct {
	labels labels.Selector // nil: all
	fields []fieldRequirement
	// name is set where the fields demand one exact metadata.name: a single key is read then.
	name string
}

type fieldRequirement struct {
	read  func(p *resource.Projection) string
	equal bool
	value string
}

// makeSelector fails with BadRequest for fields that the kind does not offer.
func (t *Target) makeSelector(l labels.Selector, f fields.Selector) (*selector, error) {
	s := &selector{}
	if l != nil && !l.Empty() {
		s.labels = l
	}
	if f == nil || f.Empty() {
		return s, nil
	}
	for _, req := range f.Requirements() {
		read := t.fieldReader(req.Field)
		if read == nil {
			return nil, apierrors.NewBadRequest(fmt.Sprintf("field label not supported: %s", req.Field))
		}
		equal := req.Operator == selection.Equals || req.Operator == selection.DoubleEquals
		if equal && req.Field == "metadata.name" {
			s.name = req.Value
		}
		s.fields = append(s.fields, fieldRequirement{read: read, equal: equal, value: req.Value})
	}
	return s, nil
}

func (t *Target) fieldReader(name string) func(*resource.Projection) string {
	switch name {
	case "metadata.name":
		return func(p *resource.Projection) string { return p.Name }
	case "metadata.namespace":
		if !t.Def.Namespaced {
			return nil
		}
		return func(p *resource.Projection) string { return p.Namespace }
	}
	for i := range t.Def.SelectableFields {
		if t.Def.SelectableFields[i].Name == name {
			return func(p *resource.Projection) string { return p.Fields[i] }
		}
	}
	return nil
}

func (s *selector) all() bool { return s.labels == nil && len(s.fields) == 0 }

func (s *selector) matches(e *watchcache.Entry) bool {
	for i := range s.fields {
		if f := &s.fields[i]; (f.read(&e.Projection) == f.value) != f.equal {
			return false
		}
	}
	return s.labels == nil || s.labels.Matches(e.Projection.Labels)
}

// match is the form that a watch wants: nil where everything matches.
func (s *selector) match() func(*watchcache.Entry) bool {
	if s.all() {
		return nil
	}
	return s.matches
}
