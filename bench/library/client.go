package library

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/keelson-project/keelson/runtime/client"
)

// Client compares runtime/client with client-go's typed client: pods are read, listed and created. The server is a
// round tripper that has its answers ready, so that what is measured is the client's own work, without a network.
type Client struct{}

// Name implements Scenario.
func (Client) Name() string { return "lib-client" }

// Loads implements Scenario.
func (Client) Loads() []Load {
	var loads []Load
	for _, encoding := range []struct{ suffix, contentType string }{{"", "application/json"}, {"-protobuf", protobufType}} {
		server := newCanned(encoding.contentType)
		for _, call := range []struct {
			name string
			n    int64
			ours func(context.Context, *client.Direct) error
			peer func(context.Context, kubernetes.Interface) error
		}{
			{"get", 1, getOurs, getPeer}, {"list", listed, listOurs, listPeer}, {"create", 1, createOurs, createPeer},
		} {
			loads = append(loads, Load{
				Keelson: benchmark("lib-client-"+call.name+encoding.suffix, call.n, func(b *testing.B) { server.ours(b, call.ours) }),
				Peer:    benchmark("lib-client-"+call.name+encoding.suffix, call.n, func(b *testing.B) { server.peer(b, call.peer) }),
			})
		}
	}
	return loads
}

const (
	protobufType = "application/vnd.kubernetes.protobuf"
	listed       = 500 // pods in a list: a page
)

// canned answers with what it has prepared.
type canned struct {
	contentType    string
	one, many, api []byte
}

func newCanned(contentType string) *canned {
	list := &corev1.PodList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PodList"}, ListMeta: metav1.ListMeta{ResourceVersion: "1000"}}
	for i := range listed {
		list.Items = append(list.Items, *pod(i))
		list.Items[i].TypeMeta = metav1.TypeMeta{}
	}
	return &canned{
		contentType: contentType, one: encoded(pod(0), contentType), many: encoded(list, contentType),
		api: []byte(`{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"v1","resources":[{"name":"pods","kind":"Pod","namespaced":true}]}`),
	}
}

func encoded(obj kruntime.Object, contentType string) []byte {
	var out bytes.Buffer
	var err error
	if contentType == protobufType {
		err = protobuf.NewSerializer(nil, nil).Encode(obj, &out)
	} else {
		err = json.NewEncoder(&out).Encode(obj)
	}
	if err != nil {
		panic(err) // of a value made here
	}
	return out.Bytes()
}

// RoundTrip implements http.RoundTripper.
func (c *canned) RoundTrip(r *http.Request) (*http.Response, error) {
	body, contentType := c.one, c.contentType
	switch {
	case r.URL.Path == "/api/v1":
		body, contentType = c.api, "application/json"
	case r.Method == http.MethodGet && r.URL.Path == "/api/v1/namespaces/default/pods":
		body = c.many
	}
	code := http.StatusOK
	if r.Body != nil {
		code = http.StatusCreated
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return nil, err
		}
		_ = r.Body.Close()
	}
	return &http.Response{
		StatusCode: code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {contentType}},
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}, nil
}

func (c *canned) ours(b *testing.B, call func(context.Context, *client.Direct) error) {
	scheme := kruntime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		b.Fatal(err)
	}
	d, err := client.New(client.Config{Host: "http://server", Transport: c}, client.Options{Scheme: scheme, FieldOwner: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	if err := getOurs(b.Context(), d); err != nil { // where pods are, and what the server speaks
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := call(b.Context(), d); err != nil {
			b.Fatal(err)
		}
	}
}

func (c *canned) peer(b *testing.B, call func(context.Context, kubernetes.Interface) error) {
	cfg := &rest.Config{Host: "http://server", QPS: -1, ContentConfig: rest.ContentConfig{ContentType: c.contentType}}
	if c.contentType == protobufType {
		cfg.AcceptContentTypes = protobufType + ",application/json"
	}
	set, err := kubernetes.NewForConfigAndClient(cfg, &http.Client{Transport: c})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := call(b.Context(), set); err != nil {
			b.Fatal(err)
		}
	}
}

func getOurs(ctx context.Context, d *client.Direct) error {
	var out corev1.Pod
	return named(d.Get(ctx, client.ObjectKey{Namespace: "default", Name: "pod-000"}, &out), &out)
}

func getPeer(ctx context.Context, set kubernetes.Interface) error {
	out, err := set.CoreV1().Pods("default").Get(ctx, "pod-000", metav1.GetOptions{})
	return named(err, out)
}

func listOurs(ctx context.Context, d *client.Direct) error {
	var out corev1.PodList
	return full(d.List(ctx, &out, client.InNamespace("default")), &out)
}

func listPeer(ctx context.Context, set kubernetes.Interface) error {
	out, err := set.CoreV1().Pods("default").List(ctx, metav1.ListOptions{})
	return full(err, out)
}

func createOurs(ctx context.Context, d *client.Direct) error {
	out := pod(0)
	return named(d.Create(ctx, out), out)
}

func createPeer(ctx context.Context, set kubernetes.Interface) error {
	out, err := set.CoreV1().Pods("default").Create(ctx, pod(0), metav1.CreateOptions{FieldManager: "bench"})
	return named(err, out)
}

func named(err error, pod *corev1.Pod) error {
	if err == nil && pod.Name != "pod-000" {
		err = fmt.Errorf("got pod %q", pod.Name)
	}
	return err
}

func full(err error, list *corev1.PodList) error {
	if err == nil && len(list.Items) != listed {
		err = fmt.Errorf("got %d pods", len(list.Items))
	}
	return err
}

// pod is one of some 2 KB of JSON.
func pod(i int) *corev1.Pod {
	name := fmt.Sprintf("pod-%03d", i)
	container := func(name string) corev1.Container {
		return corev1.Container{
			Name: name, Image: "registry.example.com/team/" + name + ":v1.2.3", Args: []string{"--listen=:8080", "--log=info"},
			Env:   []corev1.EnvVar{{Name: "REGION", Value: "north"}, {Name: "TIER", Value: "web"}},
			Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080, Protocol: corev1.ProtocolTCP}},
			VolumeMounts: []corev1.VolumeMount{
				{Name: "token", MountPath: "/var/run/secrets/kubernetes.io/serviceaccount", ReadOnly: true},
			},
			TerminationMessagePath: "/dev/termination-log", TerminationMessagePolicy: corev1.TerminationMessageReadFile,
			ImagePullPolicy: corev1.PullIfNotPresent,
		}
	}
	return &corev1.Pod{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "default", Name: name, UID: "0f0f0f0f-0000-4000-8000-000000000000", ResourceVersion: "123456",
			Labels:      map[string]string{"app": "web", "tier": "front", "pod-template-hash": "7d4b9c6f5d"},
			Annotations: map[string]string{"example.com/checksum": "4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865"},
			OwnerReferences: []metav1.OwnerReference{
				{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "web-7d4b9c6f5d", UID: "0f0f0f0f-0000-4000-8000-000000000001"},
			},
		},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{container("web"), container("proxy")}, RestartPolicy: corev1.RestartPolicyAlways,
			DNSPolicy: corev1.DNSClusterFirst, ServiceAccountName: "web", NodeName: "node-17", SchedulerName: "default-scheduler",
			Tolerations: []corev1.Toleration{{Key: "node.kubernetes.io/not-ready", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute}},
			Volumes:     []corev1.Volume{{Name: "token", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}},
		},
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning, PodIP: "10.1.2.3", HostIP: "192.168.1.17", QOSClass: corev1.PodQOSBestEffort,
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}, {Type: corev1.PodScheduled, Status: corev1.ConditionTrue}},
		},
	}
}
