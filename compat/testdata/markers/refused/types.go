// Package refused has what controller-tools writes and a server does not take.
//
// +groupName=refused.markers.compat.example.com
// +versionName=v1
package refused

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Refused has a list that no server is willing to check.
type Refused struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec RefusedSpec `json:"spec,omitempty"`
}

// RefusedSpec is what it should be.
type RefusedSpec struct {
	// +kubebuilder:validation:UniqueItems=true
	UniqueItems []string `json:"uniqueItems,omitempty"`
	// +kubebuilder:validation:Pattern=`^(?=a)`
	Pattern string `json:"pattern,omitempty"`
	// +kubebuilder:validation:Maximum=3
	// +kubebuilder:default=4
	Default int32 `json:"default,omitempty"`
	// +kubebuilder:validation:XValidation:rule="self.size() > true"
	XValidation string `json:"xValidation,omitempty"`
	// +kubebuilder:validation:XValidation:rule="self.all(a, self.all(b, a.all(x, b.all(y, x != y))))"
	XValidationCost [][]string `json:"xValidationCost,omitempty"`
	// +listType=set
	ListTypeSet []Loose `json:"listTypeSet,omitempty"`
	// +listType=map
	// +listMapKey=key
	ListMapKey []Loose `json:"listMapKey,omitempty"`
}

// Loose is an object whose key may be missing.
type Loose struct {
	// +optional
	Key string `json:"key,omitempty"`
}
