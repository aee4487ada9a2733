// Package resource says what a served kind is. Everything that Keelson serves is a Definition: names, scope,
// versions with their schemas, subresources, columns, and a few hooks. A CustomResourceDefinition makes one at
// run time (package crd), a built-in kind ships as one (package builtin); the registry, the handlers,
// discovery and OpenAPI know nothing else. The Catalog holds the Definitions that are served now.
package resource

import (
	"context"
	"reflect"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

// Object is a decoded object in the shape that k8s.io/apimachinery's unstructured uses: map[string]any, []any,
// string, bool, nil, int64 and float64 (no other number type).
type Object = map[string]any

// Definition is one served kind. It is immutable once it is in a Catalog: a change is a new Definition.
type Definition struct {
	Group      string // "" for the core group
	Names      Names
	Namespaced bool

	// Versions in order of preference (Kubernetes' version priority); at least one is served.
	Versions []Version
	// Storage names the version in which objects are stored.
	Storage string
	// Prefix of the objects' keys in the store, with a trailing slash: "/registry/apps/deployments/" is
	// "/registry/deployments/" in Kubernetes' layout, a custom resource's is "/registry/GROUP/PLURAL/".
	// Objects are at Prefix + NAMESPACE/NAME, or Prefix + NAME where not namespaced.
	Prefix string

	// NoDeleteCollection: the verb deletecollection is not served (405; namespaces).
	NoDeleteCollection bool

	// Keeper is set where the objects are those of a Definition of another group, which stores them
	// (events.k8s.io's events are the core group's): Prefix and Storage repeat the keeper's, so do the paths
	// of SelectableFields in their order (the names may differ), and what is stored is made by
	// Keeper.Convert(obj, Keeper.Storage), whatever obj's apiVersion is.
	Keeper *Definition

	// Fields that field selectors may name beside metadata.name and metadata.namespace; extracted into each
	// cached entry's Projection when it enters the cache. Paths are in the storage version.
	SelectableFields []SelectableField

	// ValidateName checks metadata.name (generated names included: prefix says that name is only the
	// generateName); nil means DNS-1123 subdomain.
	ValidateName func(name string, prefix bool) []string

	// MaxBody is how many bytes the body of a request for this kind may have; zero is Kubernetes' 3 MiB.
	MaxBody int64

	// DecodeNew reads the JSON of an object to be created, and may leave parts of it Encoded; nil, or false: it is read in
	// the ordinary way, which also has the words for what is wrong with it. (The schemas in CustomResourceDefinitions.)
	DecodeNew func(body []byte) (Object, bool)

	// Bulky: objects are large, and their metadata is a small part of them; readers of metadata alone have a cache of that.
	Bulky bool

	// TTL of objects after their last write; zero: they stay. (Events: one hour.)
	TTL time.Duration

	// Convert brings obj into another version of this Definition; nil means that only apiVersion differs.
	// obj's own apiVersion says what it is in: a version of this Definition, of its Keeper, or of one it keeps.
	// The result may share memory with obj, and obj must not be used afterwards.
	Convert func(ctx context.Context, obj Object, toVersion string) (Object, error)
	// ConvertList is Convert for many objects, in one call where each call is dear (a webhook); nil: Convert is called
	// for each. There is one result for each of objs, in their order.
	ConvertList func(ctx context.Context, objs []Object, toVersion string) []Converted

	// SchemaRevision is the store's revision since which objects have been written by these schemas: what is
	// older is pruned and defaulted when it is read. Two Definitions of a kind with the same SchemaRevision show
	// its objects alike. Zero: everything stored is as the schemas want it.
	SchemaRevision int64

	Hooks Hooks

	// CreateOnUpdate: a PUT of an object that does not exist creates it (Lease, Event).
	CreateOnUpdate bool
	// NoDependents: a deletion leaves the garbage collector nothing to do, whatever it is asked for (Event).
	NoDependents bool
	// AnswersDeleted: a deletion is answered with the object in its last state, and not with a Status (Service).
	AnswersDeleted bool
	// Graceful: what is deleted says so in its last state, by deletionTimestamp and deletionGracePeriodSeconds, as what
	// waits for somebody to end it does (Pod).
	Graceful bool
	// OrphanByDefault: dependents stay where a deletion does not say otherwise (Job).
	OrphanByDefault bool
	// RevisionRequired: a PUT must say which resourceVersion it is based on. All custom kinds want that.
	RevisionRequired bool

	// Custom says that a CustomResourceDefinition made it (UID is the CRD's).
	Custom bool
	UID    string
	// Terminating: the CustomResourceDefinition is being deleted, and create is Forbidden with the message
	// "create not allowed while custom resource definition is terminating".
	Terminating bool

	// Derived is what others made of the Definition.
	Derived Derived
}

// Converted is what became of one object of a list.
type Converted struct {
	Object Object // nil where Err is set
	Err    error
}

// Names of a kind, as in CustomResourceDefinition.spec.names.
type Names struct {
	Plural, Singular, Kind, ListKind string
	ShortNames, Categories           []string
}

// Version is one version of a Definition.
type Version struct {
	Name   string
	Served bool
	// DeprecationWarning is sent as a Warning header with every answer in this version; "" sends none.
	DeprecationWarning string
	Schema             Schema
	// SelectableFields names those of the Definition's SelectableFields that this version offers; nil: all.
	SelectableFields []string
	Columns          []Column // of the Table output, without Name, which comes first by itself unless a column has Format "name" (Event)
	// Subresources by name: "status", "scale", and others that a kind has.
	Subresources map[string]*Subresource
	// Reset are the paths that a write to the object itself leaves as they were, so that the writer does not come to
	// own them ({"status"}, where that is a subresource).
	Reset [][]string
	// GoType is a pointer to the Go struct of a built-in kind, nil for others. Its tags steer strategic merge
	// patches (refused with 415 without it), and it decodes protobuf bodies.
	GoType any
}

// NewGo returns a new value of the version's Go type, as a pointer; GoType must be set.
func (v *Version) NewGo() any { return reflect.New(reflect.TypeOf(v.GoType).Elem()).Interface() }

// Schema is what a Version knows about the shape of its objects. Implementations compile lazily, on first use,
// and are safe for concurrent use. Metadata is in their hands as far as pruning and type checks go; what
// metadata means (names, labels, ownerReferences) is checked by the registry.
type Schema interface {
	// Prune removes from obj what the schema does not specify and returns the paths of what it removed, as
	// Kubernetes' strict decoding prints them, in its order: `metadata.foo`, `spec.foo`, `spec.list[0].bar`.
	Prune(obj Object) []string
	// Default fills in defaults, in place.
	Default(obj Object)
	// Validate checks the whole obj; old is the stored object in an update (for transition rules and
	// ratcheting), nil in a create. Texts and order are kube-apiserver's.
	Validate(ctx context.Context, obj, old Object) field.ErrorList
	// OpenAPI is the published schema of the kind, in OpenAPI v3 form; it is built on each call, callers
	// cache what they need. References point to #/components/schemas/NAME.
	OpenAPI() *spec.Schema
}

// TypeChecker is an optional interface of a Schema whose type errors are decoding errors (400 BadRequest, as
// for Kubernetes' built-in kinds) and not validation errors (422 Invalid, as for custom resources).
type TypeChecker interface {
	// CheckTypes returns nil, or why obj cannot be decoded, in the words of Kubernetes' decoder.
	CheckTypes(obj Object) error
}

// Salvager is an optional interface of a Schema that can make do with objects that were stored before it: what it
// could not decode of their metadata, and that of resources embedded in them, is dropped.
type Salvager interface {
	// Salvage prunes obj as Prune does, and drops what is malformed. The error, in the words of Kubernetes' decoder,
	// says what is left that cannot be dropped.
	Salvage(obj Object) error
}

// ShapeComparer is an optional interface of a Schema that can tell when another one prunes alike: bytes of one version
// are then those of the other, but for their apiVersion.
type ShapeComparer interface {
	SameShape(other Schema) bool
}

// StatusValidator is an optional interface of a Schema that checks writes to the subresource status apart from those
// to whole objects; without it Validate checks both.
type StatusValidator interface {
	// ValidateStatus checks obj, which differs from old, the stored object, in its status only. What is wrong
	// elsewhere is no reason to refuse it.
	// found are the errors in its metadata, as for RuleValidator.
	ValidateStatus(ctx context.Context, obj, old Object, found field.ErrorList) field.ErrorList
}

// RuleValidator is an optional interface of a Schema with rules that are not evaluated for objects of the wrong shape, in
// their metadata or elsewhere.
type RuleValidator interface {
	// ValidateAfter is Validate where found is wrong with the metadata of obj. It does not return found.
	ValidateAfter(ctx context.Context, obj, old Object, found field.ErrorList) field.ErrorList
}

// Column is an additional printer column.
type Column struct {
	Name, Type, Format, Description string
	Priority                        int32
	Verbatim                        bool // a date is shown as it stands, not as an age
	// Path is set where the value stands at a plain path of names (say spec.replicas): it is then read from
	// the encoded object without decoding it. Otherwise Value computes it from the decoded one.
	Path  []string
	Value func(obj Object) any // nil result: no value; used where Path is empty
}

// SelectableField is a field that field selectors may name.
type SelectableField struct {
	Name    string   // as in the selector: "spec.nodeName"
	Path    []string // where it stands: {"spec", "nodeName"}
	Default string   // the value where the field is absent (Kubernetes: mostly "")
	// Or is a second path for the value where the first is absent (Event.source of both groups), or nil.
	Or []string
}

// Subresource is a named view of an object that is written apart from it. Exactly one of Merge, Scale is set.
type Subresource struct {
	// Verbs that it serves; nil: get, patch, update.
	Verbs []string
	// Merge returns what is to be stored when sent was written to the subresource of current. It may change
	// and return either; it decides which fields of sent count ("status": status alone).
	Merge func(sent, current Object) Object
	// Reset are the paths that Merge puts back; see Version.Reset.
	Reset [][]string
	// Scale serves autoscaling/v1 Scale from paths into the object.
	Scale *Scale
}

// Scale says where an object keeps what autoscaling/v1 Scale shows.
type Scale struct {
	SpecReplicas   []string // {"spec", "replicas"}
	StatusReplicas []string
	Selector       []string // of a serialized label selector (string), or nil
	// SelectorObject: the path is of a LabelSelector object (built-in workloads) instead of a string.
	SelectorObject bool
}

// Hooks are the few things about a kind that are Go and not data; each may be nil. They run in the order in
// which they stand here.
type Hooks struct {
	// PrepareCreate sets or resets what the server owns in an object about to be created (status emptied,
	// addresses allocated). It runs after pruning, before defaulting.
	PrepareCreate func(ctx context.Context, obj Object)
	// PrepareUpdate does the same in an update of the object itself: it puts back what a writer may not change
	// silently. In a write to a subresource, Subresource.Merge decides that, and PrepareUpdate does not run.
	PrepareUpdate func(ctx context.Context, obj, old Object)
	// Validate checks what the schema cannot; old is nil in a create.
	Validate func(ctx context.Context, obj, old Object) field.ErrorList
	// Warnings are sent back as Warning headers; old is nil in a create.
	Warnings func(ctx context.Context, obj, old Object) []string
	// SpecChanged says whether an update is to raise metadata.generation; nil: never, and objects have no
	// generation at creation either.
	SpecChanged func(obj, old Object) bool
	// BeginDelete runs on a delete request before finalizers are looked at. It says that the object stays, as it
	// left it, whatever o asks for: a kind with a finalizer of its own (Namespace: spec.finalizers) marks the
	// object in the first request, and does nothing in later ones until it lets go. It sees deletionTimestamp as it
	// was before the request.
	BeginDelete func(ctx context.Context, obj Object, o *metav1.DeleteOptions) (stays bool)
	// Released says whether the kind's own finalizer (see BeginDelete) lets go of obj; nil: always.
	Released func(obj Object) bool
	// Stored runs after a write was stored at revision and before it is answered; deleted says that the
	// object is gone. An error is answered as such, though the write happened.
	Stored func(ctx context.Context, obj Object, revision int64, deleted bool) error
}

// GroupResource of the Definition.
func (d *Definition) GroupResource() schema.GroupResource {
	return schema.GroupResource{Group: d.Group, Resource: d.Names.Plural}
}

// GroupKind of the Definition.
func (d *Definition) GroupKind() schema.GroupKind {
	return schema.GroupKind{Group: d.Group, Kind: d.Names.Kind}
}

// GroupVersionKind of one version.
func (d *Definition) GroupVersionKind(version string) schema.GroupVersionKind {
	return d.GroupKind().WithVersion(version)
}

// APIVersion is what objects of one version carry: "v1", "apps/v1".
func (d *Definition) APIVersion(version string) string {
	return schema.GroupVersion{Group: d.Group, Version: version}.String()
}

// Version returns the version of that name, served or not, or nil.
func (d *Definition) Version(name string) *Version {
	for i := range d.Versions {
		if d.Versions[i].Name == name {
			return &d.Versions[i]
		}
	}
	return nil
}

// Key of an object in the store; namespace is "" where the kind is not namespaced.
func (d *Definition) Key(namespace, name string) string {
	if namespace == "" {
		return d.Prefix + name
	}
	return d.Prefix + namespace + "/" + name
}
