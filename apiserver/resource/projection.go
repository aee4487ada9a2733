package resource

import "k8s.io/apimachinery/pkg/types"

// Projection is the small part of an object that the server keeps decoded, so that selectors, garbage
// collection and metadata-only clients never decode the rest.
type Projection struct {
	Namespace, Name string
	UID             types.UID
	Labels          Pairs
	// Fields are the values of the Definition's SelectableFields, in their order.
	Fields []string
	Owners []Owner
	// Deleting: metadata.deletionTimestamp is set. Finalizing: metadata.finalizers is not empty.
	Deleting, Finalizing bool
}

// Owner is one entry of metadata.ownerReferences.
type Owner struct {
	APIVersion, Kind, Name         string
	UID                            types.UID
	Controller, BlockOwnerDeletion bool
}

// Pairs is a small immutable map in the form that costs least: key, value, key, value, sorted by key. It
// implements k8s.io/apimachinery/pkg/labels.Labels.
type Pairs []string
