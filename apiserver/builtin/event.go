package builtin

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// eventTTL is how long an event is kept after its last write, as kube-apiserver's --event-ttl by default.
const eventTTL = time.Hour

// eventNames are the same in both groups.
func eventNames() resource.Names {
	return resource.Names{
		Plural: "events", Singular: "event", Kind: "Event", ListKind: "EventList", ShortNames: []string{"ev"},
	}
}

// event is the core group's, which keeps the objects of both.
func (k kinds) event() *resource.Definition {
	return &resource.Definition{
		Names: eventNames(), Namespaced: true,
		Storage: "v1", Prefix: "/registry/events/", TTL: eventTTL, CreateOnUpdate: true, NoDependents: true,
		SelectableFields: eventFields(coreEventWords),
		Convert: func(_ context.Context, obj resource.Object, _ string) (resource.Object, error) {
			return toCoreEvent(obj), nil
		},
		Versions: []resource.Version{{
			Name: "v1", Served: true, GoType: &corev1.Event{},
			Schema:  k.compiler.Schema("io.k8s.api.core.v1.Event", &corev1.Event{}, nil),
			Columns: eventColumns(coreEventWords),
		}},
		Hooks: resource.Hooks{Validate: validateEvent(coreEventWords)},
	}
}

// groupEvent is that of events.k8s.io: another view of the core group's objects.
func (k kinds) groupEvent(core *resource.Definition) *resource.Definition {
	return &resource.Definition{
		Group: "events.k8s.io", Names: eventNames(), Namespaced: true, Keeper: core,
		Storage: core.Storage, Prefix: core.Prefix, TTL: core.TTL, CreateOnUpdate: true, NoDependents: true,
		SelectableFields: eventFields(groupEventWords),
		Convert: func(_ context.Context, obj resource.Object, _ string) (resource.Object, error) {
			return toGroupEvent(obj), nil
		},
		Versions: []resource.Version{{
			Name: "v1", Served: true, GoType: &eventsv1.Event{},
			Schema:  k.compiler.Schema("io.k8s.api.events.v1.Event", &eventsv1.Event{}, nil),
			Columns: eventColumns(groupEventWords),
		}},
		Hooks: resource.Hooks{Validate: validateEvent(groupEventWords)},
	}
}

// eventFields are selectable in both groups, each by its own words and in one order; the paths are those of the stored
// form.
func eventFields(w eventWords) []resource.SelectableField {
	at := func(name string, path ...string) resource.SelectableField {
		return resource.SelectableField{Name: name, Path: path}
	}
	fields := []resource.SelectableField{
		at("reason", "reason"), at("type", "type"), at(w.controller, "reportingComponent"),
		{Name: "source", Path: []string{"source", "component"}, Or: []string{"reportingComponent"}},
	}
	for _, f := range []string{"kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"} {
		fields = append(fields, at(w.object+"."+f, "involvedObject", f))
	}
	return fields
}

// eventWords are the names of the fields that the two groups call differently.
type eventWords struct {
	apiVersion                           string
	object, message, source, controller  string
	firstTimestamp, lastTimestamp, count string
}

var (
	coreEventWords = eventWords{
		apiVersion: "v1", object: "involvedObject", message: "message", source: "source", controller: "reportingComponent",
		firstTimestamp: "firstTimestamp", lastTimestamp: "lastTimestamp", count: "count",
	}
	groupEventWords = eventWords{
		apiVersion: "events.k8s.io/v1", object: "regarding", message: "note", source: "deprecatedSource",
		controller: "reportingController", firstTimestamp: "deprecatedFirstTimestamp",
		lastTimestamp: "deprecatedLastTimestamp", count: "deprecatedCount",
	}
)

func (w eventWords) list() []string {
	return []string{w.object, w.message, w.source, w.controller, w.firstTimestamp, w.lastTimestamp, w.count}
}

func toCoreEvent(obj resource.Object) resource.Object {
	return renameEvent(obj, groupEventWords, coreEventWords)
}

// toGroupEvent leaves out who reported the event where nobody did, as that group does.
func toGroupEvent(obj resource.Object) resource.Object {
	obj = renameEvent(obj, coreEventWords, groupEventWords)
	for _, name := range []string{"reportingController", "reportingInstance"} {
		if obj[name] == "" {
			delete(obj, name)
		}
	}
	return obj
}

// renameEvent gives the fields their names in the other group. An object that has them already is left as it is.
func renameEvent(obj resource.Object, from, to eventWords) resource.Object {
	if text(obj, "apiVersion") == to.apiVersion {
		return obj
	}
	names := to.list()
	for i, name := range from.list() {
		if v, ok := obj[name]; ok && name != names[i] {
			delete(obj, name)
			obj[names[i]] = v
		}
	}
	obj["apiVersion"] = to.apiVersion
	return obj
}

// eventColumns are Kubernetes' (the name comes last).
func eventColumns(w eventWords) []resource.Column {
	doc := corev1.Event{}.SwaggerDoc()
	name := atPath("Name", metav1.ObjectMeta{}.SwaggerDoc()["name"], "metadata", "name")
	name.Format, name.Priority = "name", 1
	return []resource.Column{
		column("Last Seen", "string", doc["lastTimestamp"], func(obj resource.Object) any { return since(lastSeen(obj, w)) }),
		atPath("Type", doc["type"], "type"),
		atPath("Reason", doc["reason"], "reason"),
		column("Object", "string", doc["involvedObject"], func(obj resource.Object) any { return regarded(obj, w) }),
		wide(column("Subobject", "string", corev1.ObjectReference{}.SwaggerDoc()["fieldPath"], func(obj resource.Object) any {
			return text(obj, w.object, "fieldPath")
		})),
		wide(column("Source", "string", doc["source"], func(obj resource.Object) any { return eventSource(obj, w) })),
		column("Message", "string", doc["message"], func(obj resource.Object) any { return text(obj, w.message) }),
		wide(column("First Seen", "string", doc["firstTimestamp"], func(obj resource.Object) any { return since(firstSeen(obj, w)) })),
		wide(column("Count", "string", doc["count"], func(obj resource.Object) any { return eventCount(obj, w) })),
		name,
	}
}

func firstSeen(obj resource.Object, w eventWords) string {
	if t := text(obj, w.firstTimestamp); t != "" {
		return t
	}
	return text(obj, "eventTime")
}

func lastSeen(obj resource.Object, w eventWords) string {
	if t := text(obj, "series", "lastObservedTime"); t != "" {
		return t
	}
	if t := text(obj, w.lastTimestamp); t != "" {
		return t
	}
	return firstSeen(obj, w)
}

func eventCount(obj resource.Object, w eventWords) int64 {
	if n := number(obj, "series", "count"); n > 0 {
		return n
	}
	return max(number(obj, w.count), 1)
}

func regarded(obj resource.Object, w eventWords) string {
	kind, name := text(obj, w.object, "kind"), text(obj, w.object, "name")
	if name == "" {
		return lower(kind)
	}
	return lower(kind) + "/" + name
}

func eventSource(obj resource.Object, w eventWords) string {
	component, host := text(obj, w.source, "component"), text(obj, w.source, "host")
	if component == "" {
		component, host = text(obj, w.controller), text(obj, "reportingInstance")
	}
	if host == "" {
		return component
	}
	return fmt.Sprintf("%s, %s", component, host)
}
