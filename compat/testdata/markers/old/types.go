// Package old is another version of the kinds of v1, named v1alpha1.
//
// +groupName=markers.compat.example.com
// +versionName=v1alpha1
package old

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Versioned is the kind of v1, no longer served.
//
// +kubebuilder:unservedversion
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
