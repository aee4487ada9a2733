package client_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor/direct"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"

	"github.com/keelson-project/keelson/runtime/client"
)

// roundTripper answers requests in place of a server.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(code int, contentType string, body []byte) *http.Response {
	return &http.Response{
		StatusCode: code, Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}
}

const configMaps = `{"resources":[{"name":"configmaps","kind":"ConfigMap","namespaced":true},{"name":"configmaps/scale","kind":"Scale"}]}`

// answering is a client of a server that knows config maps only; do answers the requests that are about them.
func answering(t *testing.T, do roundTripper) *client.Direct {
	t.Helper()
	c, err := client.New(client.Config{Host: "http://server", Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.URL.Path == "/api/v1" {
			return answer(http.StatusOK, "application/json", []byte(configMaps)), nil
		}
		return do(r)
	})}, client.Options{Scheme: scheme(), FieldOwner: "test"})
	ok(t, err)
	return c
}

const protobufType = "application/vnd.kubernetes.protobuf"

// kubernetes answers as kube-apiserver does: with protobuf where that is asked for first. Objects are echoed.
type kubernetes struct {
	t        *testing.T
	codec    *protobuf.Serializer
	requests []string // METHOD Content-Type
}

func (k *kubernetes) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path == "/api/v1" {
		return answer(http.StatusOK, "application/json", []byte(configMaps)), nil
	}
	k.requests = append(k.requests, r.Method+" "+r.Header.Get("Content-Type"))
	accept, _, _ := strings.Cut(r.Header.Get("Accept"), ",")
	var obj kruntime.Object = configMap("one")
	switch {
	case strings.Contains(accept, "PartialObjectMetadataList"):
		obj = &metav1.PartialObjectMetadataList{ListMeta: metav1.ListMeta{ResourceVersion: "7"}, Items: []metav1.PartialObjectMetadata{{ObjectMeta: configMap("one").ObjectMeta}}}
	case strings.Contains(accept, "PartialObjectMetadata"):
		obj = &metav1.PartialObjectMetadata{ObjectMeta: configMap("one").ObjectMeta}
	case strings.HasSuffix(r.URL.Path, "/missing"):
		obj = &metav1.Status{Status: metav1.StatusFailure, Reason: metav1.StatusReasonNotFound, Message: "gone fishing", Code: 404}
	case strings.HasSuffix(r.URL.Path, "/configmaps") && r.Method == http.MethodGet:
		obj = &corev1.ConfigMapList{ListMeta: metav1.ListMeta{ResourceVersion: "7"}, Items: []corev1.ConfigMap{*configMap("one"), *configMap("two")}}
	}
	if r.Body != nil {
		data, err := io.ReadAll(r.Body)
		ok(k.t, err)
		if r.Header.Get("Content-Type") == protobufType {
			obj, _, err = k.codec.Decode(data, nil, nil)
		} else {
			err = json.Unmarshal(data, obj)
		}
		ok(k.t, err)
	}
	code := http.StatusOK
	if s, is := obj.(*metav1.Status); is {
		code = int(s.Code)
		obj.GetObjectKind().SetGroupVersionKind(metav1.SchemeGroupVersion.WithKind("Status"))
	}
	if !strings.HasPrefix(accept, protobufType) {
		if code == http.StatusOK {
			obj.GetObjectKind().SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ConfigMap"))
		}
		data, err := json.Marshal(obj)
		ok(k.t, err)
		return answer(code, "application/json", data), nil
	}
	var out bytes.Buffer
	ok(k.t, k.codec.Encode(obj, &out))
	return answer(code, protobufType, out.Bytes()), nil
}

func startKubernetes(t *testing.T) (*client.Direct, *kubernetes) {
	s := scheme()
	metav1.AddToGroupVersion(s, corev1.SchemeGroupVersion)
	k := &kubernetes{t: t, codec: protobuf.NewSerializer(s, s)}
	c, err := client.New(client.Config{Host: "http://server", Transport: k}, client.Options{Scheme: scheme(), FieldOwner: "test"})
	ok(t, err)
	return c, k
}

func TestProtobuf(t *testing.T) {
	c, k := startKubernetes(t)
	ctx, one := t.Context(), client.KeyOf(configMap("one"))
	ok(t, c.Create(ctx, configMap("first"))) // nothing is known of the server yet
	var list corev1.ConfigMapList
	ok(t, c.List(ctx, &list))
	if len(list.Items) != 2 || list.ResourceVersion != "7" || list.Items[1].Name != "two" || list.Items[1].Kind != "ConfigMap" || list.Kind != "ConfigMapList" {
		t.Fatalf("list %+v", list)
	}
	cm := corev1.ConfigMap{Data: map[string]string{"old": "value"}}
	ok(t, c.Get(ctx, one, &cm))
	want := configMap("one")
	want.APIVersion, want.Kind = "v1", "ConfigMap"
	if !reflect.DeepEqual(&cm, want) {
		t.Fatalf("got %+v", cm)
	}
	ok(t, c.Create(ctx, configMap("one")))
	cm.Data["b"] = "2"
	ok(t, c.Update(ctx, &cm))
	if cm.Data["b"] != "2" {
		t.Fatalf("updated to %v", cm.Data)
	}
	ok(t, c.Update(ctx, &cm, client.Strict))
	ok(t, c.Patch(ctx, &cm, client.MergeFrom(want)))
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(cm.GroupVersionKind())
	ok(t, c.Get(ctx, one, u))
	m := &metav1.PartialObjectMetadata{}
	m.SetGroupVersionKind(cm.GroupVersionKind())
	ok(t, c.Get(ctx, one, m))
	if u.GetName() != "one" || m.Name != "one" || m.Kind != "ConfigMap" {
		t.Fatalf("got %v and %v", u, m)
	}
	err := c.Get(ctx, client.ObjectKey{Namespace: "default", Name: "missing"}, &cm)
	if !apierrors.IsNotFound(err) || !strings.Contains(err.Error(), "gone fishing") {
		t.Fatalf("want NotFound, got %v", err)
	}
	wantRequests := []string{
		"POST application/json", "GET ", "GET ", "POST " + protobufType, "PUT " + protobufType, "PUT application/json", "PATCH application/merge-patch+json",
		"GET ", "GET ", "GET ",
	}
	if !reflect.DeepEqual(k.requests, wantRequests) {
		t.Fatalf("sent %q", k.requests)
	}
}

// TestMetadataTeachesNothing: servers have metadata of custom resources in protobuf, but not the objects.
func TestMetadataTeachesNothing(t *testing.T) {
	c, k := startKubernetes(t)
	m := &metav1.PartialObjectMetadataList{}
	m.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ConfigMapList"))
	ok(t, c.List(t.Context(), m))
	ok(t, c.Update(t.Context(), configMap("one")))
	if got := k.requests[1]; got != "PUT application/json" || m.Items[0].Kind != "ConfigMap" {
		t.Fatalf("sent %s; %+v", got, m)
	}
}

func TestCBOR(t *testing.T) {
	content := map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "one", "generation": int64(3)}, "data": map[string]any{"f": 1.5},
	}
	c := answering(t, func(r *http.Request) (*http.Response, error) {
		if !strings.HasPrefix(r.Header.Get("Accept"), "application/cbor,") {
			t.Errorf("accepts %s", r.Header.Get("Accept"))
		}
		var obj any = content
		if strings.HasSuffix(r.URL.Path, "/configmaps") {
			obj = map[string]any{"apiVersion": "v1", "kind": "ConfigMapList", "metadata": map[string]any{"resourceVersion": "7"}, "items": []any{content}}
		}
		data, err := direct.Marshal(obj)
		ok(t, err)
		return answer(http.StatusOK, "application/cbor", data), nil
	})
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ConfigMap"))
	ok(t, c.Get(t.Context(), client.ObjectKey{Namespace: "default", Name: "one"}, u))
	if !reflect.DeepEqual(u.Object, content) {
		t.Fatalf("got %v", u.Object)
	}
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ConfigMapList"))
	ok(t, c.List(t.Context(), list))
	if len(list.Items) != 1 || list.GetResourceVersion() != "7" || !reflect.DeepEqual(list.Items[0].Object, content) {
		t.Fatalf("got %v", list)
	}
}

func TestAnswerOfAnotherKindLeavesTheObject(t *testing.T) {
	for contentType, body := range map[string]string{
		"application/json": `{"data":`, protobufType: "k8s\x00\x12\x09", "application/cbor": "\xff", protobufType + ";x": "something else",
	} {
		c := answering(t, func(*http.Request) (*http.Response, error) {
			return answer(http.StatusOK, contentType, []byte(body)), nil
		})
		cm := configMap("one")
		err := c.Get(t.Context(), client.KeyOf(cm), cm)
		if err == nil || !strings.HasPrefix(err.Error(), "GET /api/v1/namespaces/default/configmaps/one: decoding the answer: ") {
			t.Errorf("%s: %v", contentType, err)
		}
		if !reflect.DeepEqual(cm, configMap("one")) {
			t.Errorf("%s: the object is %v now", contentType, cm)
		}
	}
}
