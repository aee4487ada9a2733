package apiserver_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/keelson-project/keelson/apiserver/auth/pki"
	"github.com/keelson-project/keelson/internal/webhooktest"
)

func byURL(url string, ca []byte) string {
	return fmt.Sprintf(`{"strategy":"Webhook","webhook":{"conversionReviewVersions":["v1"],"clientConfig":{"url":"%s","caBundle":"%s"}}}`,
		url, base64.StdEncoding.EncodeToString(ca))
}

// nowhere is where no webhook is.
const nowhere = "https://127.0.0.1:1/x"

// The expectations are what kube-apiserver 1.37.2 answered to the same requests with the same webhook, but for what is
// said to be better here.
var _ = Describe("A conversion webhook", func() {
	var v *versioned
	var hook *webhooktest.Hook
	BeforeEach(func() {
		hook = webhooktest.Start(GinkgoTB(), webhooktest.Rename("v1", "host", "hostname"), nil)
		v = newVersioned(byURL(hook.URL+"/convert", hook.CA))
	})
	fill := func(names ...string) {
		GinkgoHelper()
		for _, name := range names {
			v.create("v1", name, `{"host":"`+name+`.com"}`).ok(201)
		}
	}
	breakDown := func() {
		GinkgoHelper()
		v.patchCRD(`[{"op":"replace","path":"/spec/conversion","value":` + byURL(nowhere, hook.CA) + `}]`)
	}

	It("converts what is read and written", func() {
		fill("a")
		a := get(v.path("v2", "a")).ok(200)
		Expect(a.at("spec")).To(Equal(map[string]any{"hostname": "a.com"})) // v2's default is not filled in
		Expect(a.at("apiVersion")).To(Equal(v.group + "/v2"))
		Expect(v.create("v2", "c", `{"hostname":"c.com"}`).ok(201).at("spec")).To(Equal(map[string]any{"hostname": "c.com"}))
		Expect(v.spec(get(v.path("v1", "c")))).To(Equal(map[string]any{"host": "c.com", "dhost": "host"}))
		p := send("PATCH", v.path("v2", "a"), `{"spec":{"hostname":"b.com"}}`, merge).ok(200)
		Expect(p.at("spec")).To(Equal(map[string]any{"hostname": "b.com"}))
		Expect(p.at("metadata", "generation")).To(BeEquivalentTo(2))
		Expect(v.spec(get(v.path("v1", "a")))).To(Equal(map[string]any{"host": "b.com", "dhost": "host"}))
		p.object["spec"] = map[string]any{"hostname": "d.com"}
		Expect(v.spec(send("PUT", v.path("v2", "a"), encode(p.object)))).To(Equal(map[string]any{"hostname": "d.com"}))
		Expect(get(v.path("v2", ""), asTable).ok(200).at("rows").([]any)[0]).To(HaveKeyWithValue("cells", Equal([]any{"a", "d.com"})))
		v.storeIn("v2")
		Expect(v.spec(get(v.path("v2", "a")))).To(Equal(map[string]any{"hostname": "d.com"}))
		Expect(v.spec(get(v.path("v1", "a")))).To(Equal(map[string]any{"host": "d.com", "dhost": "host"}))
		send("PATCH", v.path("v2", "a"), `{}`, merge).ok(200)
		Expect(v.spec(get(v.path("v1", "a")))).To(Equal(map[string]any{"host": "d.com"}))
	})

	It("is asked once for a list, and once for each change that is watched", func() {
		fill("a", "b", "c")
		hook.Batches()
		for range 2 {
			Expect(get(v.path("v2", "")).ok(200).at("items")).To(HaveLen(3))
			get(v.path("v2", "b")).ok(200)
			get(v.path("v2", ""), asTable).ok(200)
		}
		Expect(hook.Batches()).To(Equal([]int{3}))
		var watches []*watching
		for range 5 {
			w := watch(v.path("v2", "") + "?watch=true")
			for range 3 {
				Expect(w.next().Object).To(HaveKeyWithValue("apiVersion", v.group+"/v2"))
			}
			watches = append(watches, w)
		}
		Expect(hook.Batches()).To(BeEmpty())
		changed := send("PATCH", v.path("v1", "a"), `{"spec":{"host":"d.com"}}`, merge).ok(200)
		send("DELETE", v.path("v1", "a"), "").ok(200)
		versions := []any{changed.at("metadata", "resourceVersion"), get(v.path("v1", "")).at("metadata", "resourceVersion")}
		var wg sync.WaitGroup
		for _, w := range watches {
			wg.Go(func() {
				defer GinkgoRecover()
				for i, want := range []string{"MODIFIED", "DELETED"} {
					e := w.next()
					Expect(e.Type).To(Equal(want))
					Expect(e.Object["metadata"]).To(HaveKeyWithValue("resourceVersion", versions[i]))
					Expect(e.Object).To(HaveKeyWithValue("spec", Equal(map[string]any{"hostname": "d.com"})))
				}
			})
		}
		wg.Wait()
		Expect(hook.Batches()).To(Equal([]int{1}))
	})

	It("is not asked where nothing but metadata is read", func() {
		fill("a", "b")
		hook.Batches()
		Expect(get(v.path("v2", ""), asMetaList).ok(200).at("items")).To(HaveLen(2))
		get(v.path("v2", "a"), asMetadata).ok(200)
		w := watch(v.path("v2", "")+"?watch=true", asMetadata)
		Expect(w.next().Object).To(HaveKeyWithValue("kind", "PartialObjectMetadata"))
		Expect(hook.Batches()).To(BeEmpty())
	})

	It("decides what fields are selected by", func() {
		fill("a", "b")
		w := watch(v.path("v2", "") + "?watch=true&fieldSelector=spec.hostname%3Da.com")
		Expect(get(v.path("v2", "") + "?fieldSelector=spec.hostname%3Da.com").ok(200).at("items")).To(HaveLen(1))
		Expect(get(v.path("v2", "") + "?fieldSelector=spec.hostname%3Da.com,metadata.name%3Db").ok(200).at("items")).To(BeEmpty())
		get(v.path("v2", "")+"?fieldSelector=spec.host%3Da.com").status(400, "BadRequest", "field label not supported: spec.host")
		Expect(w.next().String()).To(Equal("ADDED a"))
		send("PATCH", v.path("v1", "b"), `{"spec":{"host":"a.com"}}`, merge).ok(200)
		Expect(w.next().String()).To(Equal("ADDED b"))
		send("PATCH", v.path("v1", "a"), `{"spec":{"host":"z.com"}}`, merge).ok(200)
		Expect(w.next().String()).To(Equal("DELETED a"))
	})

	It("is told of what it did wrong", func() {
		fill("a", "b")
		hook.DamageObjects(func(o webhooktest.Object) {
			if m := o["metadata"].(webhooktest.Object); m["name"] != "a" {
				m["name"] = "zzz"
			}
		})
		from := "conversion webhook for " + v.group + "/v1, Kind=Website returned invalid object: must have the same name: b != zzz"
		get(v.path("v2", "a")).ok(200)
		g := get(v.path("v2", "b"))
		g.status(500, "InternalError", "Internal error occurred: StorageError: corrupt object, Code: 7, Key: /"+v.group+"/websites/default/b, ResourceVersion: 0, AdditionalErrorMsg: object not decodable revision=")
		Expect(g.at("message")).To(HaveSuffix(from))
		l := get(v.path("v2", ""))
		l.status(500, "StorageReadError", "failed to read one or more websites."+v.group+" from the storage: StorageError: corrupt object, Code: 7, Key: /registry/"+v.group+"/websites/default/b, ")
		Expect(l.at("message")).To(HaveSuffix(from))
		cause := l.at("details", "causes").([]any)[0]
		Expect(cause).To(HaveKeyWithValue("reason", "UnexpectedServerResponse"))
		Expect(cause).To(HaveKeyWithValue("field", "/registry/"+v.group+"/websites/default/b"))
		get(v.path("v2", ""), asTable).status(500, "StorageReadError", from)
		send("PATCH", v.path("v2", "b"), `{}`, merge).status(500, "", "object not decodable revision=")
		send("PUT", v.path("v2", "b"), v.object("v2", "b", `{}`)).status(500, "", from)
		v.create("v2", "c", `{}`).status(500, "", strings.ReplaceAll(strings.Replace(from, "/v1", "/v2", 1), "b !=", "c !="))
		w := watch(v.path("v2", "") + "?watch=true&resourceVersion=" + get(v.path("v1", "")).at("metadata", "resourceVersion").(string))
		send("PATCH", v.path("v1", "b"), `{"spec":{"host":"d.com"}}`, merge).ok(200)
		e := w.next()
		Expect(e.Type).To(Equal("ERROR"))
		Expect(e.Object["message"]).To(HaveSuffix(from))

		hook.Damage(nil)
		Expect(get(v.path("v2", "")).ok(200).at("items")).To(HaveLen(2))
		Expect(get("/metrics").body).To(SatisfyAll(
			ContainSubstring(`apiserver_conversion_webhook_request_total{failure_type="",result="success"}`),
			ContainSubstring(`apiserver_conversion_webhook_request_total{failure_type="conversion_webhook_invalid_converted_object_failure",result="failure"}`)))
	})

	It("is down, and reads and writes in the other version fail", func() {
		fill("a", "b")
		breakDown()
		why := "conversion webhook for " + v.group + `/v1, Kind=Website failed: Post "https://127.0.0.1:1/x?timeout=30s": dial tcp 127.0.0.1:1: connect: connection refused`
		get(v.path("v2", "a")).status(500, "InternalError", why)
		get(v.path("v2", "")).status(500, "StorageReadError", why+" (and 1 more)")
		get(v.path("v2", "")+"?fieldSelector=spec.hostname%3Da.com").status(500, "StorageReadError", why+" (and 1 more)")
		send("PATCH", v.path("v2", "a"), `{}`, merge).status(500, "", why)
		v.create("v2", "c", `{}`).status(500, "", strings.Replace(why, "/v1", "/v2", 1))
		Expect(get(v.path("v1", "")).ok(200).at("items")).To(HaveLen(2))
	})

	// kube-apiserver answers all of these with 500, and never removes the CustomResourceDefinition.
	It("is down, and stands in the way of no deletion", func() {
		fill("a", "b", "c", "held")
		send("PATCH", v.path("v1", "held"), `{"metadata":{"finalizers":["example.com/hold"]}}`, merge).ok(200)
		v.storeIn("v2")
		breakDown()
		send("DELETE", v.path("v2", "a"), "").ok(200)
		send("DELETE", v.path("v2", "b"), `{"preconditions":{"uid":"nope"}}`).status(409, "Conflict", "the UID in the precondition")
		Expect(get(v.path("v2", ""), asMetaList).ok(200).at("items")).To(HaveLen(3))
		held := send("DELETE", v.path("v2", "held"), "").ok(200)
		Expect(held.at("apiVersion")).To(Equal(v.group + "/v2"))
		Expect(held.at("metadata", "deletionTimestamp")).NotTo(BeNil())
		Expect(held.object).NotTo(HaveKey("spec"))
		d := send("DELETE", v.path("v2", "")+"?labelSelector=no%3Dbody", "").ok(200)
		Expect(d.at("items")).To(BeEmpty())
		d = send("DELETE", v.path("v2", ""), "").ok(200)
		Expect(d.at("items")).To(HaveLen(3))
		Expect(get(v.path("v2", ""), asMetaList).ok(200).at("items")).To(HaveLen(1))
	})

	// Here, too, kube-apiserver answers with 500.
	It("is down, and finalizers and owners can be taken off all the same", func() {
		fill("a")
		send("PATCH", v.path("v1", "a"), `{"metadata":{"finalizers":["example.com/hold"]}}`, merge).ok(200)
		uid := get(v.path("v1", "a")).at("metadata", "uid").(string)
		breakDown()
		send("PATCH", v.path("v2", "a"), `{"metadata":{"labels":{"a":"b"}},"spec":{"hostname":"x"}}`, merge).status(500, "", "object not decodable revision=")
		send("PATCH", v.path("v2", "a"), `[{"op":"test","path":"/spec/hostname","value":"a.com"}]`, "Content-Type: application/json-patch+json").status(500, "", "object not decodable revision=")
		send("PATCH", v.path("v2", "a"), `{"metadata":{"uid":"other"}}`, merge).status(422, "Invalid", `metadata.uid: Invalid value: "other": field is immutable`)
		p := send("PATCH", v.path("v2", "a"), `{"metadata":{"uid":"`+uid+`","ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"p","uid":"u"}]}}`, merge).ok(200)
		Expect(p.at("apiVersion")).To(Equal(v.group + "/v2"))
		Expect(p.object).NotTo(HaveKey("spec"))
		Expect(get(v.path("v1", "a")).at("metadata", "ownerReferences")).To(HaveLen(1))
		Expect(get(v.path("v1", "a")).at("metadata", "generation")).To(BeEquivalentTo(1))
		send("DELETE", v.path("v2", "a"), "").ok(200)
		send("PATCH", v.path("v2", "a"), `{"metadata":{"finalizers":null}}`, merge).ok(200)
		Expect(get(v.path("v1", "a")).code).To(Equal(404))
	})

	It("is down, and the kind goes with all its objects", func() {
		fill("a", "b")
		v.storeIn("v2") // so that what is stored would have to be converted to be read in the storage version
		breakDown()
		send("DELETE", v.crd, "").ok(200)
		Eventually(func() int { return get(v.crd).code }).Should(Equal(404))
	})

	It("is found through a Service", func() {
		ns := namespace()
		authority, err := pki.Open(GinkgoT().TempDir(), pki.Options{Hosts: []string{"hook." + ns + ".svc"}})
		Expect(err).NotTo(HaveOccurred())
		hook = webhooktest.Start(GinkgoTB(), webhooktest.Rename("v1", "host", "hostname"), authority.TLSConfig())
		host, port, _ := strings.Cut(hook.Address, ":")
		v = newVersioned(fmt.Sprintf(`{"strategy":"Webhook","webhook":{"conversionReviewVersions":["v1"],"clientConfig":{
			"service":{"namespace":"%s","name":"hook","port":%s,"path":"/convert"},"caBundle":"%s"}}}`, ns, port, base64.StdEncoding.EncodeToString(authority.CA())))
		fill("a")
		service := func(spec string) {
			GinkgoHelper()
			send("DELETE", "/api/v1/namespaces/"+ns+"/services/hook", "")
			send("POST", "/api/v1/namespaces/"+ns+"/services", `{"metadata":{"name":"hook"},"spec":`+spec+`}`).ok(201)
		}
		failed := `failed: Post "https://hook.` + ns + `.svc:` + port + `/convert?timeout=30s": `
		get(v.path("v2", "a")).status(500, "InternalError", failed+`service "hook" not found`)
		service(`{"ports":[{"port":80}]}`)
		get(v.path("v2", "a")).status(500, "InternalError", failed+`no service port `+port+` found for service "hook"`)
		service(`{"clusterIP":"None","ports":[{"port":` + port + `}]}`)
		get(v.path("v2", "a")).status(500, "InternalError", failed+`cannot route to service with ClusterIP "None"`)
		service(`{"type":"ExternalName","externalName":"` + host + `"}`)
		Expect(v.spec(get(v.path("v2", "a")))).To(Equal(map[string]any{"hostname": "a.com"}))
		fill("b")
		send("DELETE", "/api/v1/namespaces/"+ns+"/services/hook", "").ok(200)
		get(v.path("v2", "b")).status(500, "InternalError", failed+`service "hook" not found`) // open connections or not
	})
})
