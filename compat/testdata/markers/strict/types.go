// Package strict requires every field that does not say that it is optional.
//
// +groupName=strict.markers.compat.example.com
// +versionName=v1
// +kubebuilder:validation:Required
package strict

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Strict has fields that are optional by each of the markers for it, and others.
type Strict struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec StrictSpec `json:"spec"`
}

// StrictSpec is what it should be.
type StrictSpec struct {
	// Without is required by its package's marker.
	Without string `json:"without"`
	// +optional
	Optional string `json:"optional,omitempty"`
	// +kubebuilder:validation:Optional
	ValidationOptional string `json:"validationOptional,omitempty"`
	// +k8s:optional
	K8sOptional string `json:"k8sOptional,omitempty"`
}
