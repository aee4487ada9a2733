package builtin_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/keelson-project/keelson/apiserver/builtin"
	"github.com/keelson-project/keelson/apiserver/registry"
	"github.com/keelson-project/keelson/apiserver/resource"
)

var writeOptions = registry.WriteOptions{}

// row is what the columns of a kind show of an object.
func row(d *resource.Definition, version string, obj resource.Object) (header, cells string) {
	var h, c []string
	for _, col := range d.Version(version).Columns {
		v := any(nil)
		if col.Value != nil {
			v = col.Value(obj)
		} else {
			path := make([]any, len(col.Path))
			for i := range path {
				path[i] = col.Path[i]
			}
			v = at(obj, path...)
		}
		name := strings.ToUpper(col.Name)
		if col.Priority > 0 {
			name = "(" + name + ")"
		}
		h, c = append(h, name), append(c, fmt.Sprint(v))
	}
	return strings.Join(h, " | "), strings.Join(c, " | ")
}

func TestColumns(t *testing.T) {
	cat := resource.NewCatalog()
	for _, d := range builtin.Definitions(builtin.Options{}) {
		cat.Put(d)
	}
	ago := time.Now().Add(-5 * time.Minute).UTC().Format(time.RFC3339)
	meta := "metadata: {name: a, creationTimestamp: '" + ago + "'}, "
	for _, c := range []struct{ group, plural, object, header, cells string }{
		{"", "namespaces", "{" + meta + "status: {phase: Active}}", "STATUS | AGE", "Active | 5m"},
		{"", "configmaps", "{" + meta + "data: {a: b, c: d}, binaryData: {e: Zg==}}", "DATA | AGE", "3 | 5m"},
		{"", "secrets", "{" + meta + "type: Opaque, data: {a: Yg==}}", "TYPE | DATA | AGE", "Opaque | 1 | 5m"},
		{"", "serviceaccounts", "{" + meta + "}", "AGE", "5m"},
		{"coordination.k8s.io", "leases", "{" + meta + "spec: {holderIdentity: me}}", "HOLDER | AGE", "me | 5m"},
		{"", "services", "{" + meta + "spec: {type: LoadBalancer, clusterIP: 10.96.0.7, ports: [{port: 80, nodePort: 30080, protocol: TCP}, {port: 53, protocol: UDP}], selector: {b: c, a: b}}}",
			"TYPE | CLUSTER-IP | EXTERNAL-IP | PORT(S) | AGE | (SELECTOR)", "LoadBalancer | 10.96.0.7 | <pending> | 80:30080/TCP,53/UDP | 5m | a=b,b=c"},
		{"apps", "deployments", "{" + meta + "spec: {replicas: 3, selector: {matchLabels: {a: b}}, template: {spec: {containers: [{name: x, image: i}, {name: z, image: j}]}}}, status: {readyReplicas: 1, updatedReplicas: 2, availableReplicas: 1}}",
			"READY | UP-TO-DATE | AVAILABLE | AGE | (CONTAINERS) | (IMAGES) | (SELECTOR)", "1/3 | 2 | 1 | 5m | x,z | i,j | a=b"},
		{"", "pods", "{" + meta + "spec: {nodeName: node, containers: [{name: x}, {name: y}]}, status: {phase: Running, podIP: 10.0.0.1, containerStatuses: [{name: x, ready: true, state: {running: {}}}, {name: y, restartCount: 3, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {finishedAt: '" + ago + "'}}}]}}",
			"READY | STATUS | RESTARTS | AGE | (IP) | (NODE) | (NOMINATED NODE) | (READINESS GATES)", "1/2 | CrashLoopBackOff | 3 (5m ago) | 5m | 10.0.0.1 | node | <none> | <none>"},
		{"", "events", "{" + meta + "involvedObject: {kind: Pod, name: p}, type: Warning, reason: Failed, message: nope, source: {component: kubelet, host: node}, count: 4, lastTimestamp: '" + ago + "'}",
			"LAST SEEN | TYPE | REASON | OBJECT | (SUBOBJECT) | (SOURCE) | MESSAGE | (FIRST SEEN) | (COUNT) | (NAME)", "5m | Warning | Failed | pod/p |  | kubelet, node | nope | <unknown> | 4 | a"},
		{"events.k8s.io", "events", "{" + meta + "regarding: {kind: Pod, name: p}, type: Warning, reason: Failed, note: nope, reportingController: c, reportingInstance: i, eventTime: '" + ago + "'}",
			"LAST SEEN | TYPE | REASON | OBJECT | (SUBOBJECT) | (SOURCE) | MESSAGE | (FIRST SEEN) | (COUNT) | (NAME)", "5m | Warning | Failed | pod/p |  | c, i | nope | 5m | 1 | a"},
		{"batch", "jobs", "{" + meta + "spec: {completions: 3, selector: {matchLabels: {a: b}}, template: {spec: {containers: [{name: x, image: i}]}}}, status: {succeeded: 1, startTime: '2026-01-01T00:00:00Z', completionTime: '2026-01-01T00:01:40Z', conditions: [{type: Failed, status: 'True'}]}}",
			"STATUS | COMPLETIONS | DURATION | AGE | (CONTAINERS) | (IMAGES) | (SELECTOR)", "Failed | 1/3 | 100s | 5m | x | i | a=b"},
		{"storagemigration.k8s.io", "storageversionmigrations", "{" + meta + "spec: {resource: {group: example.com, resource: sites}}, status: {conditions: [{type: Running, status: 'False'}, {type: Succeeded, status: 'True'}]}}",
			"RESOURCE | STATUS", "sites.example.com | Succeeded"},
		{"storagemigration.k8s.io", "storageversionmigrations", "{" + meta + "spec: {resource: {group: '', resource: pods}}, status: {}}",
			"RESOURCE | STATUS", "pods | Unknown"},
	} {
		header, cells := row(cat.Lookup(c.group, c.plural), "v1", parse(t, c.object))
		if header != c.header || cells != c.cells {
			t.Errorf("%s %s:\n got %s\n     %s\nwant %s\n     %s", c.group, c.plural, header, cells, c.header, c.cells)
		}
	}
}

func TestPodStatus(t *testing.T) {
	cat := resource.NewCatalog()
	for _, d := range builtin.Definitions(builtin.Options{}) {
		cat.Put(d)
	}
	for pod, want := range map[string]string{
		"{status: {phase: Pending}}":                                   "Pending",
		"{metadata: {deletionTimestamp: x}, status: {phase: Running}}": "Terminating",
		"{status: {phase: Failed, reason: Evicted}}":                   "Evicted",
		"{spec: {initContainers: [{name: i}]}, status: {phase: Pending, initContainerStatuses: [{name: i, state: {running: {}}}]}}":                                                     "Init:0/1",
		"{spec: {initContainers: [{name: i}]}, status: {phase: Pending, initContainerStatuses: [{name: i, state: {terminated: {exitCode: 2}}}]}}":                                       "Init:ExitCode:2",
		"{status: {phase: Succeeded, containerStatuses: [{state: {terminated: {reason: Completed}}}]}}":                                                                                 "Completed",
		"{status: {phase: Running, conditions: [{type: Ready, status: 'True'}], containerStatuses: [{state: {terminated: {reason: Completed}}}, {ready: true, state: {running: {}}}]}}": "Running",
		"{status: {phase: Pending, conditions: [{type: PodScheduled, reason: SchedulingGated}]}}":                                                                                       "SchedulingGated",
	} {
		_, cells := row(cat.Lookup("", "pods"), "v1", parse(t, pod))
		if got := strings.Split(cells, " | ")[1]; got != want {
			t.Errorf("%s: got %s, want %s", pod, got, want)
		}
	}
}
