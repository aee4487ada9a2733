package builtin_test

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/keelson-project/keelson/apiserver/builtin"
	"github.com/keelson-project/keelson/apiserver/resource"
)

const web = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: nginx
        ports: [{containerPort: 80}]
        readinessProbe: {httpGet: {port: 80}}
        resources: {limits: {cpu: 0.5, memory: 1024Mi}}
      volumes:
      - {name: config, configMap: {name: web}}
`

func TestDeploymentDefaults(t *testing.T) {
	w := newWorld(t, builtin.Options{})
	got := w.mustCreate(web)
	want := parse(t, `
progressDeadlineSeconds: 600
replicas: 1
revisionHistoryLimit: 10
selector: {matchLabels: {app: web}}
strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 25%, maxUnavailable: 25%}}
template:
  metadata: {labels: {app: web}}
  spec:
    containers:
    - name: web
      image: nginx
      imagePullPolicy: Always
      ports: [{containerPort: 80, protocol: TCP}]
      readinessProbe: {failureThreshold: 3, httpGet: {path: /, port: 80, scheme: HTTP}, periodSeconds: 10, successThreshold: 1, timeoutSeconds: 1}
      resources: {limits: {cpu: 500m, memory: 1Gi}}
      terminationMessagePath: /dev/termination-log
      terminationMessagePolicy: File
    dnsPolicy: ClusterFirst
    restartPolicy: Always
    schedulerName: default-scheduler
    securityContext: {}
    terminationGracePeriodSeconds: 30
    volumes:
    - {name: config, configMap: {name: web, defaultMode: 420}}
`)
	if !reflect.DeepEqual(got["spec"], any(want)) {
		a, _ := json.MarshalIndent(got["spec"], "", " ")
		t.Errorf("got %s", a)
	}
	if status, ok := got["status"].(map[string]any); !ok || len(status) != 0 {
		t.Errorf("status is %v", got["status"])
	}
	if g := at(got, "metadata", "generation"); g != int64(1) {
		t.Errorf("generation is %v", g)
	}
	if same, err := w.update(got, ""); err != nil || at(same, "metadata", "resourceVersion") != at(got, "metadata", "resourceVersion") {
		t.Errorf("an update without a change: %v %v", same, err)
	}
	got["spec"].(map[string]any)["replicas"] = int64(0)
	changed, err := w.update(got, "")
	if err != nil || at(changed, "metadata", "generation") != int64(2) || at(changed, "spec", "replicas") != int64(0) {
		t.Errorf("scaled to zero: %v %v", changed, err)
	}
	changed["status"] = map[string]any{"replicas": int64(3)}
	changed["spec"].(map[string]any)["replicas"] = int64(9)
	status, err := w.update(changed, "status")
	if err != nil || at(status, "status", "replicas") != int64(3) || at(status, "spec", "replicas") != int64(0) || at(status, "metadata", "generation") != int64(2) {
		t.Errorf("status: %v %v", status, err)
	}
}

// TestPodDefaults are those that templates of pods do not have.
func TestPodDefaults(t *testing.T) {
	got := newWorld(t, builtin.Options{}).mustCreate(`
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  hostNetwork: true
  containers:
  - {name: a, image: "a:1", ports: [{containerPort: 80}], resources: {limits: {cpu: 1}}}
  - {name: b, image: "b@sha256:4ce9d9d2"}
`)
	c := at(got, "spec", "containers", 0)
	if at(c, "ports", 0, "hostPort") != int64(80) || at(c, "resources", "requests", "cpu") != "1" || at(c, "imagePullPolicy") != "IfNotPresent" {
		t.Errorf("container: %v", c)
	}
	if at(got, "spec", "containers", 1, "imagePullPolicy") != "IfNotPresent" || at(got, "spec", "enableServiceLinks") != true {
		t.Errorf("spec: %v", got["spec"])
	}
	if at(got, "status", "phase") != "Pending" || at(got, "status", "qosClass") != "Burstable" || at(got, "metadata", "generation") != int64(1) {
		t.Errorf("status: %v", got["status"])
	}
}

func TestRefusals(t *testing.T) {
	w := newWorld(t, builtin.Options{})
	meta := "\nmetadata: {name: a}\n"
	pod := "apiVersion: v1\nkind: Pod" + meta
	service := "apiVersion: v1\nkind: Service" + meta
	for _, c := range []struct {
		name, object string
		want         []string
	}{
		{"selector", strings.Replace(web, "labels: {app: web}", "labels: {app: other}", 1),
			[]string{"spec.template.metadata.labels: Invalid value: {\"app\":\"other\"}: `selector` does not match template `labels`"}},
		{"no selector", strings.Replace(web, "selector: {matchLabels: {app: web}}", "", 1), []string{"spec.selector: Required value", "spec.template.metadata.labels: Invalid value: {\"app\":\"web\"}: `selector` does not match template `labels`"}},
		{"replicas", strings.Replace(web, "spec:", "spec:\n  replicas: -1", 1),
			[]string{"spec.replicas: Invalid value: -1: must be greater than or equal to 0"}},
		{"strategy", strings.Replace(web, "spec:", "spec:\n  strategy: {type: Often}", 1),
			[]string{`spec.strategy.type: Unsupported value: "Often": supported values: "Recreate", "RollingUpdate"`}},
		{"recreate", strings.Replace(web, "spec:", "spec:\n  strategy: {type: Recreate, rollingUpdate: {}}", 1),
			[]string{"spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"}},
		{"zero", strings.Replace(web, "spec:", "spec:\n  strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0%}}", 1),
			[]string{"spec.strategy.rollingUpdate.maxUnavailable: Invalid value: \"0%\": may not be 0 when `maxSurge` is 0"}},
		{"no containers", pod + "spec: {}", []string{"spec.containers: Required value"}},
		{"container", pod + "spec: {containers: [{image: x}, {name: A_b}]}", []string{
			"spec.containers[0].name: Required value",
			"spec.containers[1].image: Required value",
			"spec.containers[1].name: Invalid value: \"A_b\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
		}},
		{"port", pod + "spec: {containers: [{name: x, image: x, ports: [{containerPort: 70000}]}]}",
			[]string{"spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive"}},
		{"mount", pod + "spec: {containers: [{name: x, image: x, volumeMounts: [{name: vol, mountPath: /y}]}]}",
			[]string{`spec.containers[0].volumeMounts[0].name: Not found: "vol"`}},
		{"request", pod + "spec: {containers: [{name: x, image: x, resources: {limits: {cpu: 1}, requests: {cpu: 2}}}]}",
			[]string{`spec.containers[0].resources.requests[cpu]: Invalid value: "2": must be less than or equal to cpu limit of 1`}},
		{"policy", pod + "spec: {restartPolicy: Perhaps, containers: [{name: x, image: x}]}",
			[]string{`spec.restartPolicy: Unsupported value: "Perhaps": supported values: "Always", "Never", "OnFailure"`}},
		{"service without ports", service + "spec: {}", []string{"spec.ports: Required value"}},
		{"service port", service + "spec: {ports: [{port: 0}, {name: b, port: 1, protocol: X}]}", []string{
			"spec.ports[0].name: Required value",
			"spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
			"spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive",
			`spec.ports[1].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"`,
		}},
		{"service address", service + "spec: {clusterIP: 10.0.0.1, ports: [{port: 1}]}", []string{
			`spec.clusterIPs: Invalid value: ["10.0.0.1"]: failed to allocate IP 10.0.0.1: the provided IP is not in the valid range. The range of valid IPs is 10.96.0.0/12`,
		}},
		{"config key", "apiVersion: v1\nkind: ConfigMap" + meta + "data: {a/b: c}", []string{
			"data[a/b]: Invalid value: \"a/b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
		}},
		{"tls", "apiVersion: v1\nkind: Secret" + meta + "type: kubernetes.io/tls", []string{
			"data[tls.crt]: Required value", "data[tls.key]: Required value",
		}},
		{"lease", "apiVersion: coordination.k8s.io/v1\nkind: Lease" + meta + "spec: {leaseDurationSeconds: 0, leaseTransitions: -1}", []string{
			"spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0",
			"spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0",
		}},
		{"event", "apiVersion: v1\nkind: Event" + meta + "involvedObject: {namespace: other}", []string{
			`involvedObject.namespace: Invalid value: "other": does not match event.namespace`,
		}},
		{"namespace", "apiVersion: v1\nkind: Namespace\nmetadata: {name: a.b}", []string{
			`metadata.name: Invalid value: "a.b": must not contain dots`,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := w.create(c.object)
			if err == nil {
				t.Fatal("was accepted")
			}
			if got := causes(err); !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func TestDecodingErrors(t *testing.T) {
	w := newWorld(t, builtin.Options{})
	for object, want := range map[string]string{
		strings.Replace(web, "spec:", "spec:\n  replicas: three", 1):        `Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32`,
		strings.Replace(web, "spec:", "spec:\n  replica: 3", 1):             `Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.replica"`,
		"apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {a: '%'}": `Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 0`,
	} {
		if _, err := w.create(object); err == nil || err.Error() != want || !apierrors.IsBadRequest(err) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestImmutableThings(t *testing.T) {
	w := newWorld(t, builtin.Options{})
	set := func(obj resource.Object, v any, path ...string) resource.Object {
		m := obj
		for _, p := range path[:len(path)-1] {
			m = m[p].(map[string]any)
		}
		m[path[len(path)-1]] = v
		return obj
	}
	cm := w.mustCreate("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, immutable: true, data: {a: b}}")
	secret := w.mustCreate("{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {a: b}}")
	dep := w.mustCreate(strings.Replace(web, "app: web}}\n  template", "app: web}}\n  template", 1))
	pod := w.mustCreate("{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: a, image: 'a:1'}]}}")
	svc := w.mustCreate("{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 1}]}}")
	if at(secret, "data", "a") != "Yg==" || secret["stringData"] != nil || secret["type"] != "Opaque" {
		t.Errorf("secret is %v", secret)
	}
	for name, c := range map[string]struct {
		obj  resource.Object
		want string
	}{
		"data":     {set(cm, map[string]any{}, "data"), "data: Forbidden: field is immutable when `immutable` is set"},
		"type":     {set(secret, "kubernetes.io/tls-not", "type"), `type: Invalid value: "kubernetes.io/tls-not": field is immutable`},
		"selector": {set(set(dep, map[string]any{"app": "x"}, "spec", "selector", "matchLabels"), map[string]any{"app": "x"}, "spec", "template", "metadata", "labels"), `spec.selector: Invalid value: {"matchLabels":{"app":"x"}}: field is immutable`},
		"pod":      {set(pod, "other", "spec", "nodeName"), "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"},
		"address":  {set(set(svc, "10.97.0.1", "spec", "clusterIP"), []any{"10.97.0.1"}, "spec", "clusterIPs"), `spec.clusterIPs[0]: Invalid value: ["10.97.0.1"]: may not change once set`},
	} {
		if _, err := w.update(c.obj, ""); err == nil || !slices.Contains(causes(err), c.want) {
			t.Errorf("%s: got %v\nwant %s", name, err, c.want)
		}
	}
}

func TestServiceAddresses(t *testing.T) {
	ips := builtin.NewIPAllocator(netip.MustParsePrefix("10.1.0.0/29"), nil) // six addresses
	w := newWorld(t, builtin.Options{ServiceIPs: ips})
	service := func(name, spec string) string {
		return "{apiVersion: v1, kind: Service, metadata: {name: " + name + "}, spec: {ports: [{port: 80}]" + spec + "}}"
	}
	first := w.mustCreate(service("first", ", clusterIP: 10.1.0.3"))
	seen := map[any]bool{at(first, "spec", "clusterIP"): true}
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		s := w.mustCreate(service(name, ""))
		ip := at(s, "spec", "clusterIP")
		if ip == nil || seen[ip] || at(s, "spec", "clusterIPs", 0) != ip {
			t.Fatalf("%s got %v", name, s["spec"])
		}
		seen[ip] = true
	}
	want := parse(t, `{clusterIP: 10.1.0.3, clusterIPs: [10.1.0.3], internalTrafficPolicy: Cluster, ipFamilies: [IPv4], ipFamilyPolicy: SingleStack,
		ports: [{port: 80, protocol: TCP, targetPort: 80}], sessionAffinity: None, type: ClusterIP}`)
	if !reflect.DeepEqual(first["spec"], any(want)) || !reflect.DeepEqual(first["status"], any(map[string]any{"loadBalancer": map[string]any{}})) {
		t.Errorf("got %v", first)
	}
	_, err := w.create(service("full", ""))
	if err == nil || !strings.Contains(err.Error(), "range is full") {
		t.Errorf("seventh of six: %v", err)
	}
	_, err = w.create(service("taken", ", clusterIP: 10.1.0.3"))
	if err == nil || !strings.Contains(err.Error(), "provided IP is already allocated") {
		t.Errorf("taken: %v", err)
	}
	bare := w.mustCreate(service("headless", ", clusterIP: None, selector: {a: b}"))
	if at(bare, "spec", "clusterIPs", 0) != "None" {
		t.Errorf("headless: %v", bare["spec"])
	}
	if _, err := w.delete(first); err != nil {
		t.Fatal(err)
	}
	if again := w.mustCreate(service("again", "")); at(again, "spec", "clusterIP") != "10.1.0.3" {
		t.Errorf("after a delete: %v", again["spec"])
	}
	// An update that leaves the address out keeps it.
	replaced, err := w.update(parse(t, service("a", ", type: ClusterIP")), "")
	if err != nil || !seen[at(replaced, "spec", "clusterIP")] {
		t.Errorf("replaced: %v %v", replaced, err)
	}
}

func TestServiceChangesItsType(t *testing.T) {
	w := newWorld(t, builtin.Options{})
	s := w.mustCreate(`{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {type: LoadBalancer, ports: [{port: 80, nodePort: 30080}]}}`)
	ip := at(s, "spec", "clusterIP")
	if at(s, "spec", "externalTrafficPolicy") != "Cluster" || at(s, "spec", "allocateLoadBalancerNodePorts") != true {
		t.Errorf("LoadBalancer: %v", s["spec"])
	}
	s["spec"].(map[string]any)["type"] = "ClusterIP"
	s, err := w.update(s, "")
	if err != nil {
		t.Fatal(err)
	}
	spec := s["spec"].(map[string]any)
	if spec["clusterIP"] != ip || spec["externalTrafficPolicy"] != nil || spec["allocateLoadBalancerNodePorts"] != nil || at(spec, "ports", 0, "nodePort") != nil {
		t.Errorf("ClusterIP: %v", spec)
	}
	spec["type"], spec["externalName"] = "ExternalName", "example.com"
	if s, err = w.update(s, ""); err != nil || at(s, "spec", "clusterIP") != nil || at(s, "spec", "ipFamilies") != nil {
		t.Fatalf("ExternalName: %v %v", s, err)
	}
	s["spec"].(map[string]any)["type"] = "ClusterIP"
	if s, err = w.update(s, ""); err != nil || at(s, "spec", "clusterIP") == nil || at(s, "spec", "ipFamilyPolicy") != "SingleStack" {
		t.Errorf("ClusterIP again: %v %v", s, err)
	}
}

func TestNamespaceLife(t *testing.T) {
	w := newWorld(t, builtin.Options{})
	ns := w.mustCreate("{apiVersion: v1, kind: Namespace, metadata: {name: a}}")
	if at(ns, "status", "phase") != "Active" || at(ns, "spec", "finalizers", 0) != "kubernetes" || at(ns, "metadata", "labels", "kubernetes.io/metadata.name") != "a" {
		t.Errorf("created: %v", ns)
	}
	without := parse(t, "{apiVersion: v1, kind: Namespace, metadata: {name: a}}")
	if kept, err := w.update(without, ""); err != nil || at(kept, "spec", "finalizers", 0) != "kubernetes" {
		t.Errorf("updated without finalizers: %v %v", kept, err)
	}
	d, err := w.delete(ns)
	if err != nil || d.Gone {
		t.Fatalf("deleted: %+v %v", d, err)
	}
	going, err := resource.Decode(d.Object(t.Context()))
	if err != nil || at(going, "status", "phase") != "Terminating" || at(going, "metadata", "deletionTimestamp") == nil {
		t.Fatalf("going: %v %v", going, err)
	}
	going["spec"] = map[string]any{"finalizers": []any{}}
	if _, err := w.update(going, "finalize"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.delete(ns); !apierrors.IsNotFound(err) {
		t.Errorf("after finalize: %v", err)
	}
}

func TestEventsOfBothGroups(t *testing.T) {
	w := newWorld(t, builtin.Options{})
	core := w.mustCreate(`{apiVersion: v1, kind: Event, metadata: {name: a}, involvedObject: {kind: Pod, name: p, namespace: default},
		message: hello, count: 2, source: {component: kubelet}, type: Normal, reason: Because, lastTimestamp: "2026-01-01T00:00:00Z"}`)
	core["apiVersion"] = "events.k8s.io/v1"
	same := resource.Object{"apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": map[string]any{"name": "a", "namespace": "default"}}
	target := w.target(same)
	target.Name = "a"
	res, err := w.reg.Modify(t.Context(), target, writeOptions, func(current resource.Object) (resource.Object, error) {
		if at(current, "note") != "hello" || at(current, "regarding", "name") != "p" || at(current, "deprecatedCount") != int64(2) || current["message"] != nil {
			t.Errorf("seen from events.k8s.io: %v", current)
		}
		current["note"] = "good bye"
		return current, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := resource.Decode(res.Data); at(got, "note") != "good bye" || at(got, "apiVersion") != "events.k8s.io/v1" {
		t.Errorf("answer: %v", got)
	}
	target = w.target(parse(t, "{apiVersion: v1, kind: Event, metadata: {name: a}}"))
	target.Name = "a"
	if _, err := w.reg.Modify(t.Context(), target, writeOptions, func(current resource.Object) (resource.Object, error) {
		if at(current, "message") != "good bye" || at(current, "apiVersion") != "v1" || at(current, "source", "component") != "kubelet" {
			t.Errorf("stored: %v", current)
		}
		return current, nil
	}); err != nil {
		t.Fatal(err)
	}
}
