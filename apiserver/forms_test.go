package apiserver_test

import (
	"encoding/json"
	"os"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// exchange is one of testdata/forms.json: a request, and what kube-apiserver 1.37.2 said to it. Of answers that are no
// errors it tells the form alone. (A Scale is no Table here, and no kind is protobuf.)
type exchange struct {
	Method, Path, Accept, Agent, Body string
	Code                              int
	Type                              string
	Answer                            string // of an error, byte for byte; "" where it is not told
	Pretty, Newline                   bool   // indented; ends with a newline
}

var _ = Describe("An answer", func() {
	It("has the form that Kubernetes gives it", func() {
		raw, err := os.ReadFile("testdata/forms.json")
		Expect(err).NotTo(HaveOccurred())
		var recorded []exchange
		Expect(json.Unmarshal(raw, &recorded)).To(Succeed())
		Expect(len(recorded)).To(BeNumerically(">", 200))
		send("POST", "/api/v1/namespaces/default/configmaps", `{"metadata":{"name":"cm"}}`).ok(201)
		send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", `{"metadata":{"name":"ys.w.example.com"},"spec":{"group":"w.example.com",
			"scope":"Namespaced","names":{"plural":"ys","kind":"Y"},"versions":[{"name":"v1","served":true,"storage":true,
			"subresources":{"status":{}},"schema":{"openAPIV3Schema":{"type":"object"}}}]}}`).ok(201)
		send("POST", "/apis/w.example.com/v1/namespaces/default/ys", `{"apiVersion":"w.example.com/v1","kind":"Y","metadata":{"name":"a"}}`).ok(201)
		DeferCleanup(func() {
			send("DELETE", "/api/v1/namespaces/default/configmaps/cm", "").ok(200)
			send("DELETE", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/ys.w.example.com", "").ok(200)
		})
		for _, e := range recorded {
			got := exchange{Method: e.Method, Path: e.Path, Accept: e.Accept, Agent: e.Agent, Body: e.Body}
			a := send(e.Method, e.Path, e.Body, "Accept: "+e.Accept, "User-Agent: "+e.Agent)
			got.Code, got.Type = a.code, a.header.Get("Content-Type")
			switch {
			case e.Answer != "":
				got.Answer = a.body
			case e.Code < 300:
				got.Pretty, got.Newline = strings.Contains(a.body, "\n  "), strings.HasSuffix(a.body, "\n")
			}
			Expect(got).To(Equal(e))
		}
	})
})

// All that is expected here is what kube-apiserver 1.37.2 answered.
var _ = Describe("A time that nobody set", func() {
	It("is null where Kubernetes has it always", func() {
		ns := namespace()
		pods, events := "/api/v1/namespaces/"+ns+"/pods", "/namespaces/"+ns+"/events"
		send("POST", pods, `{"metadata":{"name":"a"},"spec":{"containers":[{"name":"a","image":"a"}]}}`).ok(201)
		a := send("PATCH", pods+"/a/status", `{"status":{"conditions":[{"type":"Ready","status":"True"}],
			"containerStatuses":[{"name":"a","image":"a","state":{"running":{}},"lastState":{"terminated":{"exitCode":1}}}]}}`, merge).ok(200)
		Expect(a.body).To(ContainSubstring(`"conditions":[{"lastProbeTime":null,"lastTransitionTime":null,"status":"True","type":"Ready"}]`))
		Expect(a.body).To(ContainSubstring(`"running":{"startedAt":null}`))
		Expect(a.body).To(ContainSubstring(`"terminated":{"exitCode":1,"finishedAt":null,"startedAt":null}`))
		Expect(a.body).To(ContainSubstring(`"f:lastProbeTime":{},"f:lastTransitionTime":{}`))
		same := send("PATCH", pods+"/a/status", `{"status":{"conditions":[{"type":"Ready","status":"True","lastProbeTime":null}]}}`, merge).ok(200)
		Expect(same.at("metadata", "resourceVersion")).To(Equal(a.at("metadata", "resourceVersion")))

		a = send("POST", "/api/v1"+events, `{"metadata":{"name":"e"},"involvedObject":{"namespace":"`+ns+`"}}`).ok(201)
		for _, name := range []string{"eventTime", "firstTimestamp", "lastTimestamp"} {
			Expect(a.object).To(HaveKeyWithValue(name, BeNil()))
		}
		a = get("/apis/events.k8s.io/v1" + events + "/e").ok(200)
		for _, name := range []string{"eventTime", "deprecatedFirstTimestamp", "deprecatedLastTimestamp"} {
			Expect(a.object).To(HaveKeyWithValue(name, BeNil()))
		}
		Expect(a.object).NotTo(HaveKey("reportingController"))
		a = send("PATCH", "/api/v1"+events+"/e", `{"firstTimestamp":"2026-01-01T00:00:00Z"}`, merge).ok(200)
		Expect(a.object).To(HaveKeyWithValue("firstTimestamp", "2026-01-01T00:00:00Z"))
	})
})
