// Package v1 uses every marker that controller-tools knows, each on a field or type that is named after it. The test
// generates CustomResourceDefinitions of it, as authors do, and tries each marker on a server.
//
// +groupName=markers.compat.example.com
// +kubebuilder:validation:Optional
package v1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Versioned is what the versions have in common: they are stored as v1, and shown as all that are served.
//
// +kubebuilder:storageversion
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.replicas,statuspath=.status.replicas,selectorpath=.status.selector
// +kubebuilder:resource:path=versions,singular=version,shortName=ver;vrs,categories=all;markers,scope=Cluster
// +kubebuilder:printcolumn:name="Color",type=string,JSONPath=`.spec.color`,description="What it is painted in."
// +kubebuilder:printcolumn:name="Replicas",type=integer,format=int32,JSONPath=`.spec.replicas`
// +kubebuilder:printcolumn:name="Ratio",type=number,JSONPath=`.spec.ratio`,priority=1
// +kubebuilder:printcolumn:name="On",type=boolean,JSONPath=`.spec.on`
// +kubebuilder:printcolumn:name="Since",type=date,JSONPath=`.spec.since`
// +kubebuilder:selectablefield:JSONPath=`.spec.color`
// +kubebuilder:selectablefield:JSONPath=`.spec.replicas`
// +kubebuilder:metadata:annotations="compat.example.com/note=kept",labels="compat.example.com/part=markers"
// +kubebuilder:externalDocs:url="https://example.com/versions",description="All about versions"
// +kubebuilder:title="A version"
type Versioned struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   VersionedSpec   `json:"spec,omitempty"`
	Status VersionedStatus `json:"status,omitempty"`
}

// VersionedSpec is what it should be.
type VersionedSpec struct {
	Color string `json:"color,omitempty"`
	// +kubebuilder:default=1
	Replicas int32 `json:"replicas,omitempty"`
	// +kubebuilder:validation:Type=number
	Ratio string       `json:"ratio,omitempty"`
	On    bool         `json:"on,omitempty"`
	Since *metav1.Time `json:"since,omitempty"`
}

// VersionedStatus is what it is.
type VersionedStatus struct {
	// +kubebuilder:validation:Minimum=0
	Replicas int32  `json:"replicas,omitempty"`
	Selector string `json:"selector,omitempty"`
}
