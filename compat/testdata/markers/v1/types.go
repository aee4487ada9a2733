package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Type has the markers of types.
//
// +kubebuilder:resource:path=types
type Type struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec TypeSpec `json:"spec,omitempty"`
}

// TypeSpec has a field of each type below.
type TypeSpec struct {
	Integer    Integer     `json:"integer,omitempty"`
	Inside     Inside      `json:"inside,omitempty"`
	Labels     Labels      `json:"labels,omitempty"`
	Word       Word        `json:"word,omitempty"`
	Words      Words       `json:"words,omitempty"`
	Number     Number      `json:"number,omitempty"`
	Preserve   Preserve    `json:"preserve,omitempty"`
	XPreserve  XPreserve   `json:"xPreserve,omitempty"`
	Embedded   Embedded    `json:"embedded,omitempty"`
	Percent    Percent     `json:"percent,omitempty"`
	AtMostOne  AtMostOne   `json:"atMostOne,omitempty"`
	ExactlyOne *ExactlyOne `json:"exactlyOne,omitempty"`
	AtLeastOne *AtLeastOne `json:"atLeastOne,omitempty"`
	Phase      Phase       `json:"phase,omitempty"`
	Set        Set         `json:"set,omitempty"`
	Entries    Entries     `json:"entries,omitempty"`
	K8sEntries K8sEntries  `json:"k8sEntries,omitempty"`
	AtomicMap  AtomicMap   `json:"atomicMap,omitempty"`
	AtomicPair AtomicPair  `json:"atomicPair,omitempty"`
	Titled     Titled      `json:"titled,omitempty"`
	// Both has markers of its own beside those of its type.
	//
	// +kubebuilder:validation:MaxLength=4
	// +kubebuilder:validation:XValidation:rule="self.size() != 3",message="not three"
	Both Word `json:"both,omitempty"`
}

// Integer is even and between bounds.
//
// +kubebuilder:validation:Maximum=10
// +kubebuilder:validation:Minimum=1
// +kubebuilder:validation:MultipleOf=2
type Integer int32

// Inside is between bounds that do not belong to it.
//
// +kubebuilder:validation:Maximum=10
// +kubebuilder:validation:ExclusiveMaximum=true
// +kubebuilder:validation:Minimum=1
// +kubebuilder:validation:ExclusiveMinimum=true
type Inside int32

// Labels has one or two members.
//
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:MaxProperties=2
// +mapType=granular
type Labels map[string]string

// Word is a lower-case name.
//
// +kubebuilder:validation:MaxLength=6
// +kubebuilder:validation:MinLength=2
// +kubebuilder:validation:Pattern=`^[a-z]+$`
// +kubebuilder:validation:Enum=red;green;blue;go;yellow;Purple
// +kubebuilder:validation:Format=hostname
// +kubebuilder:validation:XValidation:rule="self != 'green'",message="anything but green"
type Word string

// Words are few.
//
// +kubebuilder:validation:MaxItems=2
// +kubebuilder:validation:MinItems=1
// +kubebuilder:validation:UniqueItems=false
// +listType=atomic
type Words []string

// Number is a number to the server.
//
// +kubebuilder:validation:Type=number
type Number string

// Preserve keeps what it does not know.
//
// +kubebuilder:pruning:PreserveUnknownFields
type Preserve struct {
	Known string `json:"known,omitempty"`
}

// XPreserve keeps what it does not know, as was said in the past.
//
// +kubebuilder:validation:XPreserveUnknownFields
type XPreserve struct {
	Known string `json:"known,omitempty"`
}

// Embedded is an object of the API with one more member.
//
// +kubebuilder:validation:XEmbeddedResource
type Embedded struct {
	metav1.TypeMeta `json:",inline"`
	Extra           string `json:"extra,omitempty"`
}

// Percent is a number or a share.
//
// +kubebuilder:validation:XIntOrString
// +kubebuilder:validation:Pattern=`^\d+%$`
type Percent intstr.IntOrString

// AtMostOne is one thing or another, or none.
//
// +kubebuilder:validation:AtMostOneOf=a;b
type AtMostOne Pair

// ExactlyOne is one thing or another.
//
// +kubebuilder:validation:ExactlyOneOf=a;b
type ExactlyOne struct {
	A *string `json:"a,omitempty"`
	B *string `json:"b,omitempty"`
}

// AtLeastOne is one thing or another, or both.
//
// +kubebuilder:validation:AtLeastOneOf=a;b
type AtLeastOne struct {
	A *string `json:"a,omitempty"`
	B *string `json:"b,omitempty"`
	C *string `json:"c,omitempty"`
}

// Phase is one of its constants.
//
// +k8s:enum
type Phase string

// The phases.
const (
	Waxing Phase = "Waxing"
	Waning Phase = "Waning"
)

// Set has each of its members once.
//
// +listType=set
type Set []string

// Entries are told apart by two members.
//
// +listType=map
// +listMapKey=name
// +listMapKey=port
type Entries []Entry

// K8sEntries are told apart by their names.
//
// +k8s:listType=map
// +k8s:listMapKey=name
type K8sEntries []Entry

// AtomicMap has one owner.
//
// +mapType=atomic
type AtomicMap map[string]string

// AtomicPair has one owner.
//
// +structType=atomic
type AtomicPair struct {
	A string `json:"a,omitempty"`
	B string `json:"b,omitempty"`
}

// Titled is well documented.
//
// +kubebuilder:title="The titled"
// +kubebuilder:externalDocs:url="https://example.com/type"
type Titled string
