// Package v1beta1 is another version of the kinds of v1.
//
// +groupName=markers.compat.example.com
package v1beta1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Versioned is the kind of v1, deprecated with words of its own.
//
// +kubebuilder:deprecatedversion:warning="versions of v1beta1 are old; take v1"
// +kubebuilder:resource:path=versions,singular=version,shortName=ver;vrs,categories=all;markers,scope=Cluster
type Versioned struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec VersionedSpec `json:"spec,omitempty"`
}

// VersionedSpec is what it should be.
type VersionedSpec struct {
	Color string `json:"color,omitempty"`
}
