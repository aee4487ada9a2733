package endpoints_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
)

const website = `{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"websites.example.com"},
	"spec":{"group":"example.com","scope":"Namespaced","names":{"plural":"websites","kind":"Website"},"versions":[{"name":"v1","served":true,"storage":true,
	"subresources":{"status":{},"scale":{"specReplicasPath":".spec.replicas","statusReplicasPath":".status.replicas"}},
	"selectableFields":[{"jsonPath":".spec.host"}],"additionalPrinterColumns":[{"name":"Host","type":"string","jsonPath":".spec.host"}],
	"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","properties":{"host":{"type":"string","pattern":"^[a-z.]*$"},
	"replicas":{"type":"integer","default":1},"pod":{"type":"object","x-kubernetes-embedded-resource":true,"x-kubernetes-preserve-unknown-fields":true},
	"l":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["k"],"items":{"type":"object","required":["k"],"properties":{"k":{"type":"string"}}}}}},
	"status":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}}}]}}`

// serve is a server with two custom objects and a few others.
func serve(f *testing.F) http.Handler {
	s := apiservertest.Start(f, apiservertest.Options{})
	for _, object := range [][2]string{
		{"/apis/apiextensions.k8s.io/v1/customresourcedefinitions", website},
		{"/apis/example.com/v1/namespaces/default/websites", `{"apiVersion":"example.com/v1","kind":"Website","metadata":{"name":"a","labels":{"x":"y"}},"spec":{"host":"a.b"}}`},
		{"/apis/example.com/v1/namespaces/default/websites", `{"apiVersion":"example.com/v1","kind":"Website","metadata":{"name":"b"},"spec":{"host":"b.c"}}`},
		{"/api/v1/namespaces/default/configmaps", `{"metadata":{"name":"a"},"data":{"k":"v"}}`},
		{"/api/v1/namespaces/default/pods", `{"metadata":{"name":"a"},"spec":{"containers":[{"name":"c","image":"i"}]}}`},
	} {
		if code, body := send(s.Handler, time.Minute, http.MethodPost, object[0], "application/json", []byte(object[1])); code != http.StatusCreated {
			f.Fatal(code, body)
		}
	}
	return s.Handler
}

// send makes a request, as the administrator, that ends within limit: watches do not end before.
func send(h http.Handler, limit time.Duration, method, target, media string, body []byte) (code int, answer string) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	r := httptest.NewRequestWithContext(ctx, method, "/", strings.NewReader(string(body)))
	path, query, _ := strings.Cut(target, "?")
	r.URL = &url.URL{Path: path, RawQuery: query}
	r.RequestURI = target
	r.Header.Set("Authorization", "Bearer apiservertest-admin")
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// answered checks that the server coped with a request: whatever was sent, it is not the server that is at fault, and
// a refusal is a Status.
func answered(t *testing.T, code int, answer string) {
	t.Helper()
	// A resourceVersion that is no number is kube-apiserver's fault, too, in reads of one object and watches.
	if code == http.StatusInternalServerError && !strings.Contains(answer, `"message":"resourceVersion: Invalid value:`) {
		t.Fatalf("%d %s", code, answer)
	}
	if code < 400 || !strings.HasPrefix(answer, "{") {
		return
	}
	var status metav1.Status
	if err := json.Unmarshal([]byte(answer), &status); err != nil || status.Kind != "Status" || int(status.Code) != code {
		t.Fatalf("%d %s: %v", code, answer, err)
	}
}

var (
	bodies = []struct{ method, target string }{
		{"POST", "/api/v1/namespaces/default/configmaps?dryRun=All"},
		{"POST", "/api/v1/namespaces/default/pods?dryRun=All&fieldValidation=Strict"},
		{"POST", "/api/v1/namespaces/default/services?dryRun=All&fieldValidation=Ignore"},
		{"POST", "/apis/apps/v1/namespaces/default/deployments?dryRun=All"},
		{"POST", "/apis/example.com/v1/namespaces/default/websites?dryRun=All&fieldValidation=Strict"},
		{"POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All"},
		{"PUT", "/apis/example.com/v1/namespaces/default/websites/a?dryRun=All"},
		{"PUT", "/apis/example.com/v1/namespaces/default/websites/a/status?dryRun=All"},
		{"PUT", "/apis/example.com/v1/namespaces/default/websites/a/scale?dryRun=All"},
		{"PATCH", "/apis/example.com/v1/namespaces/default/websites/a?dryRun=All&fieldManager=f&force=true"},
		{"PATCH", "/apis/example.com/v1/namespaces/default/websites/a/scale?dryRun=All"},
		{"PATCH", "/api/v1/namespaces/default/pods/a?dryRun=All"},
		{"DELETE", "/apis/example.com/v1/namespaces/default/websites/a?dryRun=All"},
		{"DELETE", "/apis/example.com/v1/namespaces/default/websites?dryRun=All"},
	}
	media = []string{
		"application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "application/merge-patch+json",
		"application/json-patch+json", "application/apply-patch+yaml", "", "text/plain; a=\"",
	}
)

// FuzzBody sends arbitrary bodies of all media types to handlers of all kinds. Nothing is stored.
func FuzzBody(f *testing.F) {
	h := serve(f)
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p"}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i"}}}}
	pod.APIVersion, pod.Kind = "v1", "Pod"
	inProtobuf, err := kruntime.Encode(protobuf.NewSerializer(nil, nil), pod)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint8(1), uint8(2), inProtobuf)
	f.Add(uint8(1), uint8(2), inProtobuf[:len(inProtobuf)/2])
	for i, seed := range []string{
		`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":{"a":"b","a":"c"},"binaryData":{"x":"!"}}`,
		`{"metadata":{"generateName":"x-","labels":{"a":null}},"spec":{"containers":[{"name":"c","image":"i","resources":{"limits":{"cpu":"1e9999"}}}]}}`,
		`{"kind":"Service","apiVersion":"v1","metadata":{"name":"s"},"spec":{"ports":[{"port":80,"targetPort":"x"}],"clusterIP":"None"}}`,
		"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}}}\n",
		`{"apiVersion":"example.com/v1","kind":"Website","metadata":{"name":"c"},"spec":{"pod":{"metadata":{"name":1}},"l":[{"k":"a"},{"k":"a"}]}}`,
		website,
		`{"apiVersion":"example.com/v1","kind":"Website","metadata":{"name":"a","resourceVersion":"1"},"spec":null}`,
		`{"status":{"replicas":"x"},"metadata":{"managedFields":[{"fieldsV1":{"f:x":1}}]}}`,
		`{"apiVersion":"autoscaling/v1","kind":"Scale","spec":{"replicas":-1}}`,
		"apiVersion: example.com/v1\nkind: Website\nspec:\n  l: [{k: a}]\n", `[{"op":"replace","path":"/spec/replicas","value":"x"}]`,
		`{"spec":{"containers":[{"name":"c","$patch":"delete"}]}}`, `{"preconditions":{"uid":"x"},"propagationPolicy":"odd","gracePeriodSeconds":-1}`,
		`&a [*a, *a]`, "a: &a {b: *a}", strings.Repeat("[", 11000), "\xff\xfe", `{"metadata":[]}`, "---\na: 1\n---\nb: 2\n",
	} {
		f.Add(uint8(i), uint8(i%6), []byte(seed))
		f.Add(uint8(i), uint8(0), []byte(seed))
	}
	f.Fuzz(func(t *testing.T, to, as uint8, body []byte) {
		b := bodies[int(to)%len(bodies)]
		code, answer := send(h, time.Second, b.method, b.target, media[int(as)%len(media)], body)
		answered(t, code, answer)
	})
}

// FuzzQuery sends arbitrary queries, among them selectors and continue tokens, and paths.
func FuzzQuery(f *testing.F) {
	h := serve(f)
	token := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	for _, seed := range []string{
		"labelSelector=x%20in%20(y,z),!a,b!=c&limit=1", "labelSelector=x%3Dy,,", "fieldSelector=spec.host%3Da.b,metadata.name!%3Db", "fieldSelector=%5C",
		"limit=1&continue=" + token(`{"v":"meta.k8s.io/v1","rv":1,"start":"default/a\u0000"}`), "continue=" + token(`{"v":"x","rv":-1}`), "continue=!",
		"continue=" + token(`{"v":"meta.k8s.io/v1","rv":9223372036854775807,"start":"../../"}`), "limit=-1", "limit=99999999999999999999",
		"resourceVersion=0&resourceVersionMatch=NotOlderThan", "resourceVersionMatch=Exact&resourceVersion=x", "watch=1&timeoutSeconds=0&sendInitialEvents=true",
		"watch=true&resourceVersion=1&allowWatchBookmarks=maybe&timeoutSeconds=1", "pretty=1&includeObject=None", "dryRun=All&dryRun=All&x=;%zz", "timeout=1h&timeout=x",
		"propagationPolicy=x&gracePeriodSeconds=-1&orphanDependents=true", "fieldManager=%00&fieldValidation=no",
	} {
		f.Add("websites", seed)
		f.Add("websites/a", seed)
	}
	f.Add("websites/a/scale/../status", "")
	f.Add("", "x")
	f.Fuzz(func(t *testing.T, path, query string) {
		for _, method := range []string{http.MethodGet, http.MethodDelete} {
			target := "/apis/example.com/v1/namespaces/default/" + path
			if method == http.MethodDelete {
				query = "dryRun=All&" + query
			}
			if strings.Contains(path, "?") {
				return
			}
			code, answer := send(h, time.Second, method, target+"?"+query, "", nil)
			answered(t, code, answer)
		}
	})
}
