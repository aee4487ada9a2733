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
