// Package report holds what is measured, and prints it beside the goals and the peer.
package report

// Measure is one row of the report.
type Measure struct {
	ID     string // as the scenarios name it
	Work   string // what was done
	Unit   string
	Higher bool    // a higher value is better
	Goal   float64 // for Keelson; 0 where there is none
	Plain  bool    // a fact that explains others, with no ratio of its own
}

// Measures returns the rows in their order.
func Measures() []Measure {
	return []Measure{
		{ID: "start", Work: "start to /readyz, empty data directory", Unit: "ms", Goal: 250},
		{ID: "idle-rss", Work: "idle memory, resident", Unit: "MiB", Goal: 60},
		{ID: "idle-anon", Work: "idle memory, heap and stacks only", Unit: "MiB"},
		{ID: "crd-first", Work: "CRD created to its first object stored, p50", Unit: "ms", Goal: 10},
		{ID: "crd-memory", Work: "memory per CRD (40 KB each)", Unit: "KiB", Goal: 40},
		{ID: "crd-cpu", Work: "CPU per CRD (40 KB each), OpenAPI included", Unit: "ms", Goal: 1},
		{ID: "crds", Work: "CRDs held at once (40 KB each)", Unit: "", Plain: true},
		{ID: "many-first", Work: "the first of them created, p50", Unit: "ms"},
		{ID: "many-last", Work: "the last of them created, p50", Unit: "ms"},
		{ID: "many-slower", Work: "the last against the first", Unit: "times", Goal: 2},
		{ID: "many-cpu", Work: "CPU each, created and held", Unit: "ms"},
		{ID: "many-anon", Work: "heap and stacks each, the stored CRD included", Unit: "KiB", Goal: 80},
		{ID: "many-rss", Work: "resident memory with all of them", Unit: "MiB", Goal: 1024},
		{ID: "many-discovery-first", Work: "aggregated discovery after the last one, first answer", Unit: "ms"},
		{ID: "many-discovery", Work: "aggregated discovery, p50", Unit: "ms", Goal: 50},
		{ID: "many-openapi-first", Work: "OpenAPI v3 index after the last one, first answer", Unit: "ms"},
		{ID: "many-openapi", Work: "OpenAPI v3 index, p50", Unit: "ms", Goal: 50},
		{ID: "create-rate", Work: "create, 32 writers", Unit: "/s", Higher: true, Goal: 6000},
		{ID: "create-cpu", Work: "create, CPU each", Unit: "us", Goal: 330},
		{ID: "object-memory", Work: "memory per stored object, etcd's share included", Unit: "KiB", Goal: 4},
		{ID: "list-bytes", Work: "size of the full list", Unit: "MB", Plain: true},
		{ID: "list", Work: "list all objects, consistent", Unit: "ms", Goal: 40},
		{ID: "list-cpu", Work: "list all objects, CPU", Unit: "ms", Goal: 30},
		{ID: "label", Work: "list by label, 1 in 10", Unit: "ms", Goal: 6},
		{ID: "label-cpu", Work: "list by label, CPU", Unit: "ms", Goal: 4},
		{ID: "get-rate", Work: "get, 32 readers", Unit: "/s", Higher: true, Goal: 15000},
		{ID: "get-cpu", Work: "get, CPU each", Unit: "us", Goal: 100},
		{ID: "table", Work: "full list as a table", Unit: "ms", Goal: 80},
		{ID: "table-cpu", Work: "full list as a table, CPU", Unit: "ms"},
		{ID: "apply-rate", Work: "server-side apply, 32 writers", Unit: "/s", Higher: true, Goal: 3000},
		{ID: "apply-cpu", Work: "server-side apply, CPU each", Unit: "us", Goal: 600},
		{ID: "watch-rate", Work: "watch delivery, 100 watchers", Unit: "/s", Higher: true, Goal: 150000},
		{ID: "watch-cpu", Work: "watch delivery, CPU each (the writes included)", Unit: "us", Goal: 8},
		{ID: "delivery-p50", Work: "write to delivery, p50", Unit: "ms", Goal: 1},
		{ID: "delivery-p99", Work: "write to delivery, p99", Unit: "ms", Goal: 5},
	}
}

// LibraryMeasures returns the rows for libraries in their order.
func LibraryMeasures() []Measure {
	return []Measure{
		{ID: "lib-start", Work: "test server: start to ready, and stop", Unit: "ms", Goal: 20},
		{ID: "lib-start-controllers", Work: "the same, with two controllers", Unit: "ms", Goal: 20},
		{ID: "lib-start-first", Work: "the same, the first one of a process", Unit: "ms", Goal: 20},
		{ID: "lib-queue", Work: "workqueue add + get + done", Unit: "ns", Goal: 90},
		{ID: "lib-queue-bytes", Work: "the same, allocated", Unit: "B"},
		{ID: "lib-queue-allocs", Work: "the same, allocations", Unit: ""},
		{ID: "lib-queue-loop", Work: "the same in the loop of a worker (Items)", Unit: "ns", Goal: 90},
		{ID: "lib-queue-fresh", Work: "add + get + done, 100,000 keys in turn", Unit: "ns"},
		{ID: "lib-queue-producers", Work: "the same, 64 producers and one consumer", Unit: "ns", Goal: 100},
		{ID: "lib-queue-flood", Work: "add, by 64 producers, of keys most of which wait", Unit: "ns"},
		{ID: "lib-queue-priority", Work: "priority queue add + get + done", Unit: "ns", Goal: 700},
		{ID: "lib-queue-priority-bytes", Work: "the same, allocated", Unit: "B"},
		{ID: "lib-queue-priority-allocs", Work: "the same, allocations", Unit: ""},
		{ID: "lib-queue-groups", Work: "the same with turns for 16 namespaces", Unit: "ns"},
		{ID: "lib-informer", Work: "informer: first sync of 100,000 unstructured objects", Unit: "s", Goal: 2},
		{ID: "lib-informer-cpu", Work: "the same, CPU of the client per object", Unit: "us"},
		{ID: "lib-informer-allocs", Work: "the same, allocations per object", Unit: "", Goal: 97},
		{ID: "lib-informer-memory", Work: "memory per object", Unit: "B"},
		{ID: "lib-informer-p50", Work: "write sent to handler told, p50", Unit: "ms"},
		{ID: "lib-informer-p99", Work: "write sent to handler told, p99", Unit: "ms"},
		{ID: "lib-informer-compact", Work: "compact informer: first sync of the same", Unit: "s", Goal: 2},
		{ID: "lib-informer-compact-cpu", Work: "the same, CPU of the client per object", Unit: "us"},
		{ID: "lib-informer-compact-allocs", Work: "the same, allocations per object", Unit: "", Goal: 97},
		{ID: "lib-informer-compact-memory", Work: "memory per object", Unit: "B", Goal: 1600},
		{ID: "lib-informer-compact-p50", Work: "write sent to handler told, p50", Unit: "ms"},
		{ID: "lib-informer-compact-p99", Work: "write sent to handler told, p99", Unit: "ms"},
		{ID: "lib-reconcile-p50", Work: "event read to Reconcile called, p50", Unit: "us"},
		{ID: "lib-reconcile-p99", Work: "event read to Reconcile called, p99", Unit: "us", Goal: 1000},
		{ID: "lib-reconcile-cpu", Work: "CPU of the client per event", Unit: "us"},
		{ID: "lib-reconcile-write-p50", Work: "write sent to Reconcile called, p50", Unit: "us"},
		{ID: "lib-reconcile-write-p99", Work: "write sent to Reconcile called, p99", Unit: "us"},
		{ID: "lib-reconcile-start", Work: "manager started to 1,000 objects reconciled", Unit: "ms"},
		{ID: "lib-reconcile-start-cpu", Work: "the same, CPU of the client", Unit: "ms"},
		{ID: "lib-client-get", Work: "get a pod (JSON)", Unit: "ns"},
		{ID: "lib-client-get-allocs", Work: "the same, allocations", Unit: ""},
		{ID: "lib-client-list", Work: "list 500 pods (JSON), per pod", Unit: "ns"},
		{ID: "lib-client-list-allocs", Work: "the same, allocations", Unit: ""},
		{ID: "lib-client-create", Work: "create a pod (JSON)", Unit: "ns"},
		{ID: "lib-client-create-allocs", Work: "the same, allocations", Unit: ""},
		{ID: "lib-client-get-protobuf", Work: "get a pod (protobuf)", Unit: "ns"},
		{ID: "lib-client-get-protobuf-allocs", Work: "the same, allocations", Unit: ""},
		{ID: "lib-client-list-protobuf", Work: "list 500 pods (protobuf), per pod", Unit: "ns"},
		{ID: "lib-client-list-protobuf-allocs", Work: "the same, allocations", Unit: ""},
		{ID: "lib-client-create-protobuf", Work: "create a pod (protobuf)", Unit: "ns"},
		{ID: "lib-client-create-protobuf-allocs", Work: "the same, allocations", Unit: ""},
		{ID: "lib-packages", Work: "packages that runtime brings (controller-runtime's root)", Unit: "", Goal: 80},
		{ID: "lib-packages-queue", Work: "packages that workqueue brings (util/workqueue)", Unit: ""},
		{ID: "lib-packages-informer", Work: "packages that informer brings (tools/cache)", Unit: "", Goal: 80},
	}
}

// Results of one target, by a Measure's ID. A measure that could not be taken is in Notes instead.
type Results struct {
	Target string               `json:"target"`
	Values map[string][]float64 `json:"values"` // one for each round
	Notes  map[string]string    `json:"notes,omitempty"`
}

// New returns Results without values.
func New(target string) Results {
	return Results{Target: target, Values: map[string][]float64{}, Notes: map[string]string{}}
}

// Add adds the values of one round.
func (r Results) Add(values map[string]float64) {
	for id, v := range values {
		r.Values[id] = append(r.Values[id], v)
	}
}
