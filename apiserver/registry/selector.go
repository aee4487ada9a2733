package registry

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"

	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/apiserver/watchcache"
)

// Selection is which objects of a collection are asked for: those that all of it matches. Nil matches all.
type Selection struct {
	Labels labels.Selector
	Fields fields.Selector
	Shards *ShardSelector
}

// selector decides on projections alone which entries a request asks for.
type selector struct {
	shards *ShardSelector  // nil: all
	labels labels.Selector // nil: all
	fields []fieldRequirement
	// name is set where the fields demand one exact metadata.name: a single key is read then.
	name string
	// converts is set where fields are to be read in the target's version, and that takes a conversion.
	converts *Target
	ctx      func() context.Context // of those conversions
}

type fieldRequirement struct {
	read  func(p *resource.Projection) string
	field *resource.SelectableField // nil for metadata
	equal bool
	value string
}

// makeSelector fails with BadRequest for fields that the kind does not offer.
func (t *Target) makeSelector(ctx context.Context, o *Selection) (*selector, error) {
	s := &selector{shards: o.Shards}
	l, f := o.Labels, o.Fields
	if l != nil && !l.Empty() {
		s.labels = l
	}
	if f == nil || f.Empty() {
		return s, nil
	}
	for _, req := range f.Requirements() {
		read, declared := t.fieldReader(req.Field)
		if read == nil {
			return nil, t.unknownField(req.Field)
		}
		equal := req.Operator == selection.Equals || req.Operator == selection.DoubleEquals
		if equal && req.Field == "metadata.name" {
			s.name = req.Value
		}
		s.fields = append(s.fields, fieldRequirement{read: read, field: declared, equal: equal, value: req.Value})
		if declared != nil && t.Def.Custom && t.Def.Convert != nil {
			full := *t
			full.MetadataOnly, full.AsStored = false, false
			s.converts, s.ctx = &full, func() context.Context { return ctx }
		}
	}
	return s, nil
}

// unknownField refuses a field that the kind does not offer. Built-in kinds without fields of their own have other words.
func (t *Target) unknownField(name string) error {
	if !t.Def.Custom && len(t.Def.SelectableFields) == 0 {
		return apierrors.NewBadRequest(fmt.Sprintf("%q is not a known field selector: only \"metadata.name\", \"metadata.namespace\"", name))
	}
	return apierrors.NewBadRequest(fmt.Sprintf("field label not supported: %s", name))
}

// fieldReader returns how a field is read, nil where it is not offered, and its declaration, nil for metadata.
func (t *Target) fieldReader(name string) (read func(*resource.Projection) string, declared *resource.SelectableField) {
	switch name {
	case "metadata.name":
		return func(p *resource.Projection) string { return p.Name }, nil
	case "metadata.namespace":
		if !t.Def.Namespaced {
			return nil, nil
		}
		return func(p *resource.Projection) string { return p.Namespace }, nil
	}
	if offered := t.Version.SelectableFields; offered != nil && !slices.Contains(offered, name) {
		return nil, nil
	}
	for i := range t.Def.SelectableFields {
		if f := &t.Def.SelectableFields[i]; f.Name == name {
			return func(p *resource.Projection) string { return p.Fields[i] }, f
		}
	}
	return nil, nil
}

func (s *selector) all() bool { return s.shards == nil && s.labels == nil && len(s.fields) == 0 }

func (s *selector) matches(e *watchcache.Entry) bool {
	if s.shards != nil && !s.shards.Matches(&e.Projection) {
		return false
	}
	if s.converts != nil {
		return s.matchesConverted(e)
	}
	for i := range s.fields {
		if f := &s.fields[i]; (f.read(&e.Projection) == f.value) != f.equal {
			return false
		}
	}
	return s.labels == nil || s.labels.Matches(e.Projection.Labels)
}

// matchesConverted reads fields and labels in the target's version. What cannot be converted matches, so that whoever
// asked is told why when it is to be shown.
func (s *selector) matchesConverted(e *watchcache.Entry) bool {
	data, err := s.converts.encodeEntry(s.ctx(), e)
	if err != nil {
		return true
	}
	for i := range s.fields {
		f := &s.fields[i]
		value := ""
		if f.field != nil {
			value = f.field.Text(data)
		} else {
			value = f.read(&e.Projection)
		}
		if (value == f.value) != f.equal {
			return false
		}
	}
	return s.labels == nil || s.labels.Matches(resource.Project(data, nil).Labels)
}

// match is the form that a watch wants: nil where everything matches.
func (s *selector) match() func(*watchcache.Entry) bool {
	if s.all() {
		return nil
	}
	return s.matches
}
