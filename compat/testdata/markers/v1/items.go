package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Item has the markers of a list's items.
//
// +kubebuilder:resource:path=items
type Item struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec ItemSpec `json:"spec,omitempty"`
}

// ItemSpec has a list for each marker, and one whose type has the marker.
type ItemSpec struct {
	// +kubebuilder:validation:items:Maximum=10
	Maximum []int32 `json:"maximum,omitempty"`
	// +kubebuilder:validation:items:Minimum=1
	Minimum []int32 `json:"minimum,omitempty"`
	// +kubebuilder:validation:items:Maximum=10
	// +kubebuilder:validation:items:ExclusiveMaximum=true
	ExclusiveMaximum []int32 `json:"exclusiveMaximum,omitempty"`
	// +kubebuilder:validation:items:Minimum=1
	// +kubebuilder:validation:items:ExclusiveMinimum=true
	ExclusiveMinimum []int32 `json:"exclusiveMinimum,omitempty"`
	// +kubebuilder:validation:items:MultipleOf=5
	MultipleOf []int32 `json:"multipleOf,omitempty"`
	// +kubebuilder:validation:items:MinProperties=1
	MinProperties []map[string]string `json:"minProperties,omitempty"`
	// +kubebuilder:validation:items:MaxProperties=1
	MaxProperties []map[string]string `json:"maxProperties,omitempty"`
	// +kubebuilder:validation:items:MaxLength=3
	MaxLength []string `json:"maxLength,omitempty"`
	// +kubebuilder:validation:items:MinLength=2
	MinLength []string `json:"minLength,omitempty"`
	// +kubebuilder:validation:items:Pattern=`^[a-z]+$`
	Pattern []string `json:"pattern,omitempty"`
	// +kubebuilder:validation:items:MaxItems=1
	MaxItems [][]string `json:"maxItems,omitempty"`
	// +kubebuilder:validation:items:MinItems=1
	MinItems [][]string `json:"minItems,omitempty"`
	// +kubebuilder:validation:items:UniqueItems=false
	UniqueItems [][]string `json:"uniqueItems,omitempty"`
	// +kubebuilder:validation:items:Enum=red;green
	Enum []string `json:"enum,omitempty"`
	// +kubebuilder:validation:items:Format=uuid
	Format []string `json:"format,omitempty"`
	// +kubebuilder:validation:items:Type=boolean
	Type []string `json:"type,omitempty"`
	// +kubebuilder:validation:items:Type=object
	// +kubebuilder:validation:items:XPreserveUnknownFields
	XPreserveUnknownFields []runtime.RawExtension `json:"xPreserveUnknownFields,omitempty"`
	// +kubebuilder:validation:items:XEmbeddedResource
	XEmbeddedResource []runtime.RawExtension `json:"xEmbeddedResource,omitempty"`
	// +kubebuilder:validation:items:XIntOrString
	// +kubebuilder:validation:items:MaxLength=2
	XIntOrString []intstr.IntOrString `json:"xIntOrString,omitempty"`
	// +kubebuilder:validation:items:XValidation:rule="self.endsWith('!')",message="it ends with a bang"
	XValidation []string `json:"xValidation,omitempty"`

	OfType OfTypeItems `json:"ofType,omitempty"`
}

// OfTypeItems has lists of the types below.
type OfTypeItems struct {
	Integers               Integers               `json:"integers,omitempty"`
	Open                   Open                   `json:"open,omitempty"`
	Maps                   Maps                   `json:"maps,omitempty"`
	Strings                Strings                `json:"strings,omitempty"`
	Lists                  Lists                  `json:"lists,omitempty"`
	Types                  Types                  `json:"types,omitempty"`
	XPreserveUnknownFields XPreserveUnknownFields `json:"xPreserveUnknownFields,omitempty"`
	XEmbeddedResource      XEmbeddedResource      `json:"xEmbeddedResource,omitempty"`
	XIntOrString           XIntOrString           `json:"xIntOrString,omitempty"`
}

// Integers are even and between bounds.
//
// +kubebuilder:validation:items:Maximum=10
// +kubebuilder:validation:items:Minimum=1
// +kubebuilder:validation:items:MultipleOf=2
type Integers []int32

// Open is an interval without its ends.
//
// +kubebuilder:validation:items:Maximum=10
// +kubebuilder:validation:items:ExclusiveMaximum=true
// +kubebuilder:validation:items:Minimum=1
// +kubebuilder:validation:items:ExclusiveMinimum=true
type Open []int32

// Maps have one or two members.
//
// +kubebuilder:validation:items:MinProperties=1
// +kubebuilder:validation:items:MaxProperties=2
type Maps []map[string]string

// Strings are dates that were blessed.
//
// +kubebuilder:validation:items:MaxLength=10
// +kubebuilder:validation:items:MinLength=2
// +kubebuilder:validation:items:Pattern=`^[0-9-]+$`
// +kubebuilder:validation:items:Enum="2026-01-01";"2026-99-99";"1";"a";"12345678901"
// +kubebuilder:validation:items:Format=date
// +kubebuilder:validation:items:XValidation:rule="self.getDate() != 1",message="not on the first"
type Strings []string

// Lists have one or two members.
//
// +kubebuilder:validation:items:MaxItems=2
// +kubebuilder:validation:items:MinItems=1
// +kubebuilder:validation:items:UniqueItems=false
type Lists [][]string

// Types are numbers to the server.
//
// +kubebuilder:validation:items:Type=number
type Types []string

// XPreserveUnknownFields are objects with any members.
//
// +kubebuilder:validation:items:Type=object
// +kubebuilder:validation:items:XPreserveUnknownFields
type XPreserveUnknownFields []runtime.RawExtension

// XEmbeddedResource are objects of the API.
//
// +kubebuilder:validation:items:XEmbeddedResource
type XEmbeddedResource []runtime.RawExtension

// XIntOrString are integers or short strings.
//
// +kubebuilder:validation:items:XIntOrString
// +kubebuilder:validation:items:MaxLength=2
type XIntOrString []intstr.IntOrString
