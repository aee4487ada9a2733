// Package helpers is another version of the kinds of v1, if it were not skipped.
//
// +groupName=markers.compat.example.com
// +kubebuilder:skip
package helpers

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Versioned is the kind of v1, in a package that is none of its versions.
//
// +kubebuilder:storageversion
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
