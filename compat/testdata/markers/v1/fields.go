package v1

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Field has the markers of fields.
//
// +kubebuilder:resource:path=fields
type Field struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec FieldSpec `json:"spec,omitempty"`
}

// FieldSpec has a field for each marker.
type FieldSpec struct {
	// +kubebuilder:validation:Maximum=10
	Maximum int32 `json:"maximum,omitempty"`
	// +kubebuilder:validation:Minimum=-2
	Minimum int64 `json:"minimum,omitempty"`
	// +kubebuilder:validation:Maximum=10
	// +kubebuilder:validation:ExclusiveMaximum=true
	ExclusiveMaximum int32 `json:"exclusiveMaximum,omitempty"`
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:ExclusiveMinimum=true
	ExclusiveMinimum int32 `json:"exclusiveMinimum,omitempty"`
	// +kubebuilder:validation:MultipleOf=5
	MultipleOf int32 `json:"multipleOf,omitempty"`
	// +kubebuilder:validation:MinProperties=1
	MinProperties map[string]string `json:"minProperties,omitempty"`
	// +kubebuilder:validation:MaxProperties=2
	MaxProperties map[string]string `json:"maxProperties,omitempty"`
	// +kubebuilder:validation:MaxLength=3
	MaxLength string `json:"maxLength,omitempty"`
	// +kubebuilder:validation:MinLength=2
	MinLength string `json:"minLength,omitempty"`
	// +kubebuilder:validation:Pattern=`^[a-z]+$`
	Pattern string `json:"pattern,omitempty"`
	// +kubebuilder:validation:MaxItems=2
	MaxItems []string `json:"maxItems,omitempty"`
	// +kubebuilder:validation:MinItems=2
	MinItems []string `json:"minItems,omitempty"`
	// +kubebuilder:validation:UniqueItems=false
	UniqueItems []string `json:"uniqueItems,omitempty"`
	// +kubebuilder:validation:Enum=red;green;"sky blue"
	Enum string `json:"enum,omitempty"`
	// +kubebuilder:validation:Enum=1;2
	EnumInteger int32 `json:"enumInteger,omitempty"`
	// +kubebuilder:validation:Format=ipv4
	Format string `json:"format,omitempty"`
	// +kubebuilder:validation:Type=integer
	Type string `json:"type,omitempty"`
	// +kubebuilder:validation:XPreserveUnknownFields
	XPreserveUnknownFields Known `json:"xPreserveUnknownFields,omitempty"`
	// +kubebuilder:pruning:PreserveUnknownFields
	PreserveUnknownFields Known `json:"preserveUnknownFields,omitempty"`
	// +kubebuilder:validation:XEmbeddedResource
	XEmbeddedResource runtime.RawExtension `json:"xEmbeddedResource,omitempty"`
	// +kubebuilder:validation:EmbeddedResource
	// +kubebuilder:pruning:PreserveUnknownFields
	EmbeddedResource runtime.RawExtension `json:"embeddedResource,omitempty"`
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:Pattern=`^\d+%$`
	XIntOrString intstr.IntOrString `json:"xIntOrString,omitempty"`
	// +kubebuilder:validation:XValidation:rule="self.startsWith('a')",message="it starts with an a"
	// +kubebuilder:validation:XValidation:rule="self != 'ab'",messageExpression="'not ' + self"
	XValidation string `json:"xValidation,omitempty"`
	// +kubebuilder:validation:XValidation:rule="self.known != 'n'",reason="FieldValueForbidden",fieldPath=".known",message="n is not for you"
	XValidationReason Known `json:"xValidationReason,omitempty"`
	// +kubebuilder:validation:XValidation:rule="!oldSelf.hasValue() || oldSelf.value() <= self",optionalOldSelf=true,message="it only grows"
	XValidationOptionalOldSelf int32 `json:"xValidationOptionalOldSelf,omitempty"`
	// +nullable
	Nullable *string `json:"nullable,omitempty"`
	// +kubebuilder:default={a: 1, b: "x"}
	KubebuilderDefault map[string]intstr.IntOrString `json:"kubebuilderDefault,omitempty"`
	// +default="of Kubernetes"
	Default string `json:"default,omitempty"`
	// +default=1
	// +kubebuilder:default=2
	DefaultTwice int32 `json:"defaultTwice,omitempty"`
	// +kubebuilder:example="an example"
	Example string `json:"example,omitempty"`
	// +kubebuilder:title="The title"
	Title string `json:"title,omitempty"`
	// +kubebuilder:externalDocs:url="https://example.com/field"
	ExternalDocs string `json:"externalDocs,omitempty"`
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:pruning:PreserveUnknownFields
	Schemaless apiextensionsv1.JSON `json:"schemaless,omitempty"`
	// +k8s:immutable
	Immutable string `json:"immutable,omitempty"`
	// +k8s:maxItems=1
	K8sMaxItems []string `json:"k8sMaxItems,omitempty"`
	// +k8s:minimum=1
	K8sMinimum int32 `json:"k8sMinimum,omitempty"`
	// +k8s:maximum=1
	K8sMaximum int32 `json:"k8sMaximum,omitempty"`

	Required Required `json:"required,omitempty"`

	// +listType=set
	ListTypeSet []string `json:"listTypeSet,omitempty"`
	// +listType=atomic
	ListTypeAtomic []string `json:"listTypeAtomic,omitempty"`
	// +listType=map
	// +listMapKey=name
	// +listMapKey=port
	ListMapKey []Entry `json:"listMapKey,omitempty"`
	// +k8s:listType=map
	// +k8s:listMapKey=name
	K8sListMapKey []Entry `json:"k8sListMapKey,omitempty"`
	// +mapType=atomic
	MapTypeAtomic map[string]string `json:"mapTypeAtomic,omitempty"`
	// +mapType=granular
	MapTypeGranular map[string]string `json:"mapTypeGranular,omitempty"`
	// +structType=atomic
	StructTypeAtomic Pair `json:"structTypeAtomic,omitempty"`
	// +structType=granular
	StructTypeGranular Pair `json:"structTypeGranular,omitempty"`
}

// Known has one field that is known.
type Known struct {
	Known string `json:"known,omitempty"`
}

// Required has a field for each way to say that it is required.
type Required struct {
	// +required
	Required string `json:"required"`
	// +kubebuilder:validation:Required
	ValidationRequired string `json:"validationRequired"`
	// +k8s:required
	K8sRequired string `json:"k8sRequired"`
}

// Entry is of a list that is a map.
type Entry struct {
	// +required
	Name string `json:"name"`
	// +kubebuilder:default=80
	Port  int32  `json:"port,omitempty"`
	Value string `json:"value,omitempty"`
}

// Pair has two fields that may have two owners.
type Pair struct {
	A string `json:"a,omitempty"`
	B string `json:"b,omitempty"`
}
