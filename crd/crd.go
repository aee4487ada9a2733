// Package crd makes served kinds out of CustomResourceDefinitions.
//
// NewDefinition turns one into a resource.Definition. Its schemas stay encoded until the first object of the
// kind arrives, so that a kind which nobody uses costs little more than its JSON. Definition is the kind
// customresourcedefinitions itself, with the rules that kube-apiserver has for it; an Installer keeps a
// resource.Catalog in step with the CustomResourceDefinitions that are stored.
package crd

import (
	"encoding/json"
	"fmt"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/version"

	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/crd/conversion"
)

// head is a CustomResourceDefinition with its schemas apart, which are kept as they are encoded.
type head struct {
	Metadata metav1.ObjectMeta                              `json:"metadata"`
	Spec     headSpec                                       `json:"spec"`
	Status   apiextensionsv1.CustomResourceDefinitionStatus `json:"status"`

	schemas schemas // of Spec.Versions
	// print changes with all that the Definition is made of; "" where nobody has worked it out.
	print string
}

type headSpec struct {
	Group                 string                                        `json:"group"`
	Names                 apiextensionsv1.CustomResourceDefinitionNames `json:"names"`
	Scope                 apiextensionsv1.ResourceScope                 `json:"scope"`
	Versions              []headVersion                                 `json:"versions"`
	PreserveUnknownFields bool                                          `json:"preserveUnknownFields"`
	Conversion            *apiextensionsv1.CustomResourceConversion     `json:"conversion"`
}

// headVersion is apiextensionsv1.CustomResourceDefinitionVersion without its schema.
type headVersion struct {
	Name               string                                           `json:"name"`
	Served             bool                                             `json:"served"`
	Storage            bool                                             `json:"storage"`
	Deprecated         bool                                             `json:"deprecated"`
	DeprecationWarning *string                                          `json:"deprecationWarning"`
	Subresources       *apiextensionsv1.CustomResourceSubresources      `json:"subresources"`
	Columns            []apiextensionsv1.CustomResourceColumnDefinition `json:"additionalPrinterColumns"`
	SelectableFields   []apiextensionsv1.SelectableField                `json:"selectableFields"`
}

// NewDefinition returns the Definition by which the objects of crd are served. The names are the accepted ones
// of its status, or where it has none, those of its spec. Webhooks behind Services are not reached by it.
// The error says that crd could not have been accepted.
func NewDefinition(crd *apiextensionsv1.CustomResourceDefinition) (*resource.Definition, error) {
	data, err := json.Marshal(crd)
	if err != nil {
		return nil, err
	}
	return ParseDefinition(data)
}

// ParseDefinition is NewDefinition on an encoded CustomResourceDefinition, and shares the memory of data, which
// must not be changed afterwards.
func ParseDefinition(data []byte) (*resource.Definition, error) {
	h, err := parseHead(data)
	if err != nil {
		return nil, err
	}
	return h.definition(conversion.NewWebhooks(conversion.Options{}))
}

func (h *head) definition(webhooks *conversion.Webhooks) (*resource.Definition, error) {
	names := h.Status.AcceptedNames
	if names.Plural == "" {
		names = h.Spec.Names
	}
	if h.Spec.Group == "" || names.Plural == "" || names.Kind == "" {
		return nil, fmt.Errorf("CustomResourceDefinition %q has no group, plural or kind", h.Metadata.Name)
	}
	d := &resource.Definition{
		Group: h.Spec.Group,
		Names: resource.Names{
			Plural: names.Plural, Singular: names.Singular, Kind: names.Kind, ListKind: names.ListKind,
			ShortNames: names.ShortNames, Categories: names.Categories,
		},
		Namespaced:  h.Spec.Scope == apiextensionsv1.NamespaceScoped,
		Prefix:      "/registry/" + h.Spec.Group + "/" + names.Plural + "/",
		Custom:      true,
		UID:         string(h.Metadata.UID),
		Terminating: h.terminating(),
	}
	for i := range h.Spec.Versions {
		v := &h.Spec.Versions[i]
		if v.Storage {
			d.Storage = v.Name
		}
		d.Versions = append(d.Versions, h.version(i))
	}
	if d.Storage == "" {
		return nil, fmt.Errorf("CustomResourceDefinition %q has no storage version", h.Metadata.Name)
	}
	slices.SortStableFunc(d.Versions, func(a, b resource.Version) int {
		return version.CompareKubeAwareVersionStrings(b.Name, a.Name)
	})
	shareShapes(d.Versions)
	d.SelectableFields = h.selectableFields()
	d.Hooks = objectHooks(d)
	h.convert(d, webhooks)
	return d, nil
}

// terminating says whether the instances are being deleted with their definition.
func (h *head) terminating() bool {
	return !h.Metadata.DeletionTimestamp.IsZero() || h.isTrue(apiextensionsv1.Terminating)
}

func (h *head) isTrue(condition apiextensionsv1.CustomResourceDefinitionConditionType) bool {
	for i := range h.Status.Conditions {
		if c := &h.Status.Conditions[i]; c.Type == condition {
			return c.Status == apiextensionsv1.ConditionTrue
		}
	}
	return false
}

func (h *head) version(i int) resource.Version {
	v := &h.Spec.Versions[i]
	s := newObjectSchema(h, i)
	out := resource.Version{
		Name: v.Name, Served: v.Served,
		DeprecationWarning: h.deprecationWarning(v),
		Schema:             s,
		SelectableFields:   selectableNames(v.SelectableFields),
		Columns:            columnsOf(v.Columns),
	}
	if sub := v.Subresources; sub != nil {
		out.Subresources = map[string]*resource.Subresource{}
		if sub.Status != nil {
			out.Reset = [][]string{{"status"}}
			out.Subresources["status"] = &resource.Subresource{Merge: mergeStatus, Reset: [][]string{{"metadata"}, {"spec"}}}
		}
		if sub.Scale != nil {
			out.Subresources["scale"] = &resource.Subresource{Scale: scaleOf(sub.Scale)}
		}
	}
	return out
}

// deprecationWarning is the text sent with every answer in a deprecated version; "" where v is not deprecated.
func (h *head) deprecationWarning(v *headVersion) string {
	if !v.Deprecated {
		return ""
	}
	if v.DeprecationWarning != nil {
		return *v.DeprecationWarning
	}
	newest := ""
	for i := range h.Spec.Versions {
		other := &h.Spec.Versions[i]
		if other.Served && !other.Deprecated && version.CompareKubeAwareVersionStrings(v.Name, other.Name) < 0 &&
			(newest == "" || version.CompareKubeAwareVersionStrings(newest, other.Name) < 0) {
			newest = other.Name
		}
	}
	group, kind := h.Spec.Group, h.Spec.Names.Kind
	text := fmt.Sprintf("%s/%s %s is deprecated", group, v.Name, kind)
	if newest != "" {
		text += fmt.Sprintf("; use %s/%s %s", group, newest, kind)
	}
	return text
}
