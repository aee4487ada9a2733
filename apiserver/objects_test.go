package apiserver_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const merge = "Content-Type: application/merge-patch+json"

var _ = Describe("An object", func() {
	var ns, maps string
	BeforeEach(func() {
		ns = namespace()
		maps = "/api/v1/namespaces/" + ns + "/configmaps"
	})

	It("gets an identity when it is created", func() {
		a := send("POST", maps, `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"v"}}`).ok(201)
		Expect(a.at("metadata", "uid")).To(HaveLen(36))
		Expect(a.at("metadata", "namespace")).To(Equal(ns))
		Expect(a.at("metadata", "creationTimestamp")).To(MatchRegexp(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`))
		Expect(a.at("metadata", "resourceVersion")).NotTo(BeEmpty())
		Expect(a.at("metadata", "generation")).To(BeNil())
		b := get(maps + "/a").ok(200)
		Expect(b.object).To(Equal(a.object))
		send("POST", maps, `{"metadata":{"name":"a"}}`).status(409, "AlreadyExists", `configmaps "a" already exists`)
	})

	It("gets a generated name", func() {
		a := send("POST", maps, `{"metadata":{"generateName":"pre-"}}`).ok(201)
		Expect(a.at("metadata", "name")).To(MatchRegexp(`^pre-[a-z0-9]{5}$`))
		send("POST", maps, `{"metadata":{}}`).status(422, "Invalid", "metadata.name: Required value: name or generateName is required")
	})

	It("is read as YAML, too", func() {
		send("POST", maps, "metadata:\n  name: cfg\ndata:\n  k: \"1\"\n").ok(201)
		a := get(maps+"/cfg", "Accept: application/yaml").ok(200)
		Expect(a.header.Get("Content-Type")).To(Equal("application/yaml"))
		Expect(a.body).To(ContainSubstring("data:\n  k: \"1\"\n"))
	})

	It("is replaced only by who knows its current state", func() {
		a := send("POST", maps, `{"metadata":{"name":"a"},"data":{"k":"1"}}`).ok(201)
		rv := a.at("metadata", "resourceVersion").(string)
		b := send("PUT", maps+"/a", `{"metadata":{"name":"a","resourceVersion":"`+rv+`"},"data":{"k":"2"}}`).ok(200)
		Expect(b.at("metadata", "resourceVersion")).NotTo(Equal(rv))
		Expect(b.at("metadata", "uid")).To(Equal(a.at("metadata", "uid")))
		send("PUT", maps+"/a", `{"metadata":{"name":"a","resourceVersion":"`+rv+`"},"data":{"k":"3"}}`).
			status(409, "Conflict", `Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again`)
		send("PUT", maps+"/a", `{"metadata":{"name":"a"},"data":{"k":"3"}}`).ok(200)
		send("PUT", maps+"/gone", `{"metadata":{"name":"gone"}}`).status(404, "NotFound", `configmaps "gone" not found`)
		send("PUT", maps+"/a", `{"metadata":{"name":"b"}}`).status(400, "BadRequest", "the name of the object (b) does not match the name on the URL (a)")
		send("PUT", maps+"/a", `{"metadata":{"name":"a","uid":"other"}}`).status(409, "Conflict", "Precondition failed: UID in precondition: other")
	})

	It("uses no revision when nothing changes", func() {
		a := send("POST", maps, `{"metadata":{"name":"a"},"data":{"k":"1"}}`).ok(201)
		b := send("PATCH", maps+"/a", `{"data":{"k":"1"}}`, merge).ok(200)
		Expect(b.at("metadata", "resourceVersion")).To(Equal(a.at("metadata", "resourceVersion")))
	})

	It("is patched in three dialects", func() {
		send("POST", maps, `{"metadata":{"name":"a","labels":{"x":"1","y":"2"}},"data":{"k":"1"}}`).ok(201)
		a := send("PATCH", maps+"/a", `{"metadata":{"labels":{"x":null}},"data":{"l":"2"}}`, merge).ok(200)
		Expect(a.at("metadata", "labels")).To(Equal(map[string]any{"y": "2"}))
		a = send("PATCH", maps+"/a", `[{"op":"test","path":"/data/k","value":"1"},{"op":"replace","path":"/data/k","value":"9"}]`, "Content-Type: application/json-patch+json").ok(200)
		Expect(a.at("data")).To(Equal(map[string]any{"k": "9", "l": "2"}))
		a = send("PATCH", maps+"/a", `{"metadata":{"finalizers":["example.com/a"]},"data":{"k":null}}`, "Content-Type: application/strategic-merge-patch+json").ok(200)
		Expect(a.at("data")).To(Equal(map[string]any{"l": "2"}))
		send("PATCH", maps+"/a", `[{"op":"test","path":"/data/l","value":"x"}]`, "Content-Type: application/json-patch+json").status(422, "Invalid", "")
		send("PATCH", maps+"/a", `[`, "Content-Type: application/json-patch+json").status(400, "BadRequest", "")
		send("PATCH", maps+"/a", `{}`, "Content-Type: text/plain").status(415, "UnsupportedMediaType", "415: Unsupported Media Type")
		send("PATCH", maps+"/a", `{"metadata":{"name":"b"}}`, merge).status(400, "BadRequest", "the name of the object (b)")
		send("PATCH", maps+"/a", `{"metadata":{"resourceVersion":"1"},"data":{"z":"1"}}`, merge).status(409, "Conflict", "the object has been modified")
	})

	It("stays while finalizers hold it", func() {
		send("POST", maps, `{"metadata":{"name":"a","finalizers":["example.com/hold"]}}`).ok(201)
		a := send("DELETE", maps+"/a", "").ok(200)
		Expect(a.at("kind")).To(Equal("ConfigMap"))
		Expect(a.at("metadata", "deletionTimestamp")).NotTo(BeNil())
		Expect(a.at("metadata", "deletionGracePeriodSeconds")).To(BeEquivalentTo(0))
		send("POST", maps, `{"metadata":{"name":"a"}}`).status(409, "AlreadyExists", `object is being deleted: configmaps "a" already exists`)
		send("PATCH", maps+"/a", `{"metadata":{"finalizers":["example.com/hold","example.com/more"]}}`, merge).
			status(422, "Invalid", "Forbidden: no new finalizers can be added if the object is being deleted")
		send("PATCH", maps+"/a", `{"metadata":{"finalizers":null}}`, merge).ok(200)
		get(maps+"/a").status(404, "NotFound", `configmaps "a" not found`)
	})

	It("answers a delete with what it was", func() {
		a := send("POST", maps, `{"metadata":{"name":"a"}}`).ok(201)
		send("DELETE", maps+"/a", `{"preconditions":{"uid":"other"}}`).status(409, "Conflict", "the UID in the precondition (other) does not match the UID in record")
		d := send("DELETE", maps+"/a", "").ok(200)
		Expect(d.at("kind")).To(Equal("Status"))
		Expect(d.at("status")).To(Equal("Success"))
		Expect(d.at("details")).To(Equal(map[string]any{"name": "a", "kind": "configmaps", "uid": a.at("metadata", "uid")}))
		send("DELETE", maps+"/a", "").status(404, "NotFound", `configmaps "a" not found`)
	})

	It("is not stored by a dry run", func() {
		send("POST", maps+"?dryRun=All", `{"metadata":{"name":"a"}}`).ok(201)
		get(maps+"/a").status(404, "NotFound", "")
		send("POST", maps+"?dryRun=Some", `{"metadata":{"name":"a"}}`).status(422, "Invalid", `dryRun: Unsupported value: ["Some"]: supported values: "All"`)
		send("POST", maps, `{"metadata":{"name":"b"}}`).ok(201)
		send("POST", maps+"?dryRun=All", `{"metadata":{"name":"b"}}`).status(409, "AlreadyExists", "")
		send("PATCH", maps+"/b?dryRun=All", `{"data":{"a":"b"}}`, merge).ok(200)
		send("DELETE", maps+"/b?dryRun=All", "").ok(200)
		Expect(get(maps + "/b").ok(200).at("data")).To(BeNil())
	})

	It("is refused with the field's path", func() {
		send("POST", maps, `{"metadata":{"name":"A_b"}}`).status(422, "Invalid", `ConfigMap "A_b" is invalid: metadata.name: Invalid value: "A_b": a lowercase RFC 1123 subdomain must consist of`)
		a := send("POST", maps, `{"metadata":{"name":"a","labels":{"a b":"c"}}}`)
		a.status(422, "Invalid", "metadata.labels: Invalid value:")
		Expect(a.at("details", "causes").([]any)[0]).To(HaveKeyWithValue("field", "metadata.labels"))
	})

	It("names unknown and duplicate fields", func() {
		body := `{"metadata":{"name":"a"},"daat":{},"data":{"a":"1","a":"2"}}`
		send("POST", maps+"?fieldValidation=Strict", body).status(400, "BadRequest",
			`ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error:`)
		a := send("POST", maps, body).ok(201)
		Expect(a.header.Values("Warning")).To(ConsistOf(`299 - "unknown field \"daat\""`, `299 - "duplicate field \"data.a\""`))
		send("POST", maps+"?fieldValidation=Ignore", `{"metadata":{"name":"b"},"daat":{}}`).ok(201)
	})
})

var _ = Describe("A namespace", func() {
	It("must exist", func() {
		send("POST", "/api/v1/namespaces/nowhere/configmaps", `{"metadata":{"name":"a"}}`).status(404, "NotFound", `namespaces "nowhere" not found`)
	})
	It("must match the object's", func() {
		send("POST", "/api/v1/namespaces/default/configmaps", `{"metadata":{"name":"a","namespace":"other"}}`).
			status(400, "BadRequest", "the namespace of the provided object does not match the namespace sent on the request")
	})
	It("is protected where the system needs it", func() {
		send("DELETE", "/api/v1/namespaces/default", "").status(403, "Forbidden", `namespaces "default" is forbidden: this namespace may not be deleted`)
	})
})

var _ = Describe("A list", func() {
	var maps string
	BeforeEach(func() {
		maps = "/api/v1/namespaces/" + namespace() + "/configmaps"
		for i := range 5 {
			send("POST", maps, fmt.Sprintf(`{"metadata":{"name":"m%d","labels":{"odd":"%t"}}}`, i, i%2 == 1)).ok(201)
		}
	})
	items := func(a answer) (out []string) {
		for _, i := range a.at("items").([]any) {
			out = append(out, i.(map[string]any)["metadata"].(map[string]any)["name"].(string))
		}
		return out
	}

	It("is in order and selected by labels and fields", func() {
		a := get(maps).ok(200)
		Expect(a.at("kind")).To(Equal("ConfigMapList"))
		Expect(items(a)).To(Equal([]string{"m0", "m1", "m2", "m3", "m4"}))
		Expect(items(get(maps + "?labelSelector=odd%3Dtrue").ok(200))).To(Equal([]string{"m1", "m3"}))
		Expect(items(get(maps + "?labelSelector=odd+notin+(true)").ok(200))).To(Equal([]string{"m0", "m2", "m4"}))
		Expect(items(get(maps + "?fieldSelector=metadata.name%3Dm2").ok(200))).To(Equal([]string{"m2"}))
		Expect(items(get(maps + "?fieldSelector=metadata.name!%3Dm2&limit=2").ok(200))).To(Equal([]string{"m0", "m1"}))
		get(maps+"?fieldSelector=spec.x%3D1").status(400, "BadRequest", `"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"`)
		get(maps+"?labelSelector=a+b").status(400, "BadRequest", "unable to parse requirement")
		get(maps+"?fieldSelector=a").status(400, "BadRequest", "invalid selector")
	})

	It("comes in pages of one state", func() {
		a := get(maps + "?limit=2").ok(200)
		Expect(items(a)).To(Equal([]string{"m0", "m1"}))
		Expect(a.at("metadata", "remainingItemCount")).To(BeEquivalentTo(3))
		send("DELETE", maps+"/m2", "").ok(200)
		send("POST", maps, `{"metadata":{"name":"m22"}}`).ok(201)
		b := get(maps + "?limit=2&continue=" + a.at("metadata", "continue").(string)).ok(200)
		Expect(items(b)).To(Equal([]string{"m2", "m3"}))
		Expect(b.at("metadata", "resourceVersion")).To(Equal(a.at("metadata", "resourceVersion")))
		c := get(maps + "?limit=2&continue=" + b.at("metadata", "continue").(string)).ok(200)
		Expect(items(c)).To(Equal([]string{"m4"}))
		Expect(c.at("metadata", "continue")).To(BeNil())
		Expect(items(get(maps).ok(200))).To(Equal([]string{"m0", "m1", "m22", "m3", "m4"}))
		rv := a.at("metadata", "resourceVersion").(string)
		Expect(items(get(maps + "?resourceVersionMatch=Exact&resourceVersion=" + rv).ok(200))).To(Equal([]string{"m0", "m1", "m2", "m3", "m4"}))
	})

	It("refuses what cannot be", func() {
		get(maps+"?continue=xx").status(400, "BadRequest", "invalid continue token: continue key is not valid")
		get(maps+"?limit=x").status(400, "BadRequest", "")
		get(maps+"?resourceVersion=abc").status(400, "BadRequest", `invalid resource version: resourceVersion: Invalid value: "abc"`)
		get(maps+"?watch=true&resourceVersion=abc").status(500, "", `resourceVersion: Invalid value: "abc"`)
		get(maps+"/a?resourceVersion=abc").status(500, "", `resourceVersion: Invalid value: "abc"`)
		get(maps+"?resourceVersionMatch=Exact").status(422, "Invalid", "resourceVersionMatch is forbidden unless resourceVersion is provided")
		a := get(maps + "?resourceVersion=999999999&resourceVersionMatch=Exact")
		a.status(504, "Timeout", "Too large resource version: 999999999, current: ")
		Expect(a.header.Get("Retry-After")).To(Equal("1"))
	})

	It("is shown as a table and as metadata", func() {
		t := get(maps, "Accept: application/json;as=Table;v=v1;g=meta.k8s.io,application/json").ok(200)
		Expect(t.at("kind")).To(Equal("Table"))
		Expect(t.at("columnDefinitions").([]any)[0]).To(HaveKeyWithValue("name", "Name"))
		row := t.at("rows").([]any)[0].(map[string]any)
		Expect(row["cells"].([]any)[:2]).To(Equal([]any{"m0", 0.0}))
		Expect(row["object"]).To(HaveKeyWithValue("kind", "PartialObjectMetadata"))
		m := get(maps, "Accept: application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io").ok(200)
		Expect(m.at("kind")).To(Equal("PartialObjectMetadataList"))
		Expect(items(m)).To(HaveLen(5))
		one := get(maps+"/m0", "Accept: application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io").ok(200)
		Expect(one.object).NotTo(HaveKey("data"))
		get(maps, "Accept: image/png").status(406, "NotAcceptable", "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf, application/json;stream=watch")
	})

	It("is deleted as a collection", func() {
		a := send("DELETE", maps+"?labelSelector=odd%3Dtrue", "").ok(200)
		Expect(items(a)).To(Equal([]string{"m1", "m3"}))
		Expect(items(get(maps).ok(200))).To(Equal([]string{"m0", "m2", "m4"}))
	})
})

var _ = Describe("A watch", func() {
	var maps string
	BeforeEach(func() { maps = "/api/v1/namespaces/" + namespace() + "/configmaps" })
	create := func(name, label string) answer {
		return send("POST", maps, `{"metadata":{"name":"`+name+`","labels":{"l":"`+label+`"}}}`).ok(201)
	}

	It("begins with the state and goes on with what happens", func() {
		create("a", "1")
		w := watch(maps + "?watch=true")
		Expect(w.next().String()).To(Equal("ADDED a"))
		b := create("b", "1")
		e := w.next()
		Expect(e.String()).To(Equal("ADDED b"))
		Expect(e.Object).To(Equal(b.object))
		send("PATCH", maps+"/a", `{"data":{"k":"v"}}`, merge).ok(200)
		Expect(w.next().String()).To(Equal("MODIFIED a"))
		send("DELETE", maps+"/b", "").ok(200)
		Expect(w.next().String()).To(Equal("DELETED b"))
	})

	It("resumes from a revision", func() {
		rv := get(maps).ok(200).at("metadata", "resourceVersion").(string)
		create("a", "1")
		create("b", "1")
		w := watch(maps + "?watch=true&resourceVersion=" + rv)
		Expect(w.next().String()).To(Equal("ADDED a"))
		second := w.next()
		Expect(second.String()).To(Equal("ADDED b"))
		w.stop()
		create("c", "1")
		w = watch(maps + "?watch=true&resourceVersion=" + second.Object["metadata"].(map[string]any)["resourceVersion"].(string))
		Expect(w.next().String()).To(Equal("ADDED c"))
	})

	It("sees objects come and go through its selector", func() {
		create("a", "no")
		w := watch(maps + "?watch=true&labelSelector=l%3Dyes")
		create("b", "yes")
		Expect(w.next().String()).To(Equal("ADDED b"))
		send("PATCH", maps+"/a", `{"metadata":{"labels":{"l":"yes"}}}`, merge).ok(200)
		Expect(w.next().String()).To(Equal("ADDED a"))
		send("PATCH", maps+"/b", `{"metadata":{"labels":{"l":"no"}}}`, merge).ok(200)
		Expect(w.next().String()).To(Equal("DELETED b"))
	})

	It("streams a list and marks its end", func() {
		create("a", "1")
		w := watch(maps + "?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true")
		Expect(w.next().String()).To(Equal("ADDED a"))
		e := w.next()
		Expect(e.Type).To(Equal("BOOKMARK"))
		Expect(e.Object["metadata"]).To(HaveKeyWithValue("annotations", map[string]any{"k8s.io/initial-events-end": "true"}))
	})

	It("does not mark the end to who wants no bookmarks", func() {
		create("a", "1")
		w := watch(maps + "?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan")
		Expect(w.next().String()).To(Equal("ADDED a"))
		create("b", "1")
		Expect(w.next().String()).To(Equal("ADDED b"))
	})

	It("ends with a bookmark when its time is over", func() {
		rv := get(maps).ok(200).at("metadata", "resourceVersion").(string)
		w := watch(maps + "?watch=true&allowWatchBookmarks=true&timeoutSeconds=1&resourceVersion=" + rv)
		create("a", "1")
		Expect(w.next().String()).To(Equal("ADDED a"))
		Expect(w.next().Type).To(Equal("BOOKMARK"))
		_, err := w.lines.ReadByte()
		Expect(err).To(HaveOccurred())
	})

	It("comes as tables", func() {
		w := watch(maps+"?watch=true", "Accept: application/json;as=Table;v=v1;g=meta.k8s.io")
		create("a", "1")
		e := w.next()
		Expect(e.Object).To(HaveKeyWithValue("kind", "Table"))
		Expect(e.Object["columnDefinitions"]).NotTo(BeEmpty())
		create("b", "1")
		Expect(w.next().Object["columnDefinitions"]).To(BeEmpty())
	})

	It("refuses impossible combinations", func() {
		get(maps+"?watch=true&sendInitialEvents=true").status(422, "Invalid", "resourceVersionMatch")
	})
})

var _ = Describe("Bad input", func() {
	maps := "/api/v1/namespaces/default/configmaps"
	DescribeTable("gets Kubernetes' code and reason",
		func(method, path, body, contentType string, code int, reason, message string) {
			var headers []string
			if contentType != "" {
				headers = append(headers, "Content-Type: "+contentType)
			}
			send(method, path, body, headers...).status(code, reason, message)
		},
		Entry("broken JSON", "POST", maps, `{"metadata":`, "", 400, "BadRequest", "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error"),
		Entry("broken YAML", "POST", maps, "a: [", "application/yaml", 400, "BadRequest", "yaml"),
		Entry("a JSON scalar", "POST", maps, `{"metadata":{"name":"a"}} x`, "", 400, "BadRequest", "json"),
		Entry("an empty body", "POST", maps, "", "application/json", 400, "BadRequest", ""),
		Entry("the wrong kind", "POST", maps, `{"kind":"Secret","apiVersion":"v1","metadata":{"name":"a"}}`, "", 400, "BadRequest", "Secret in version \"v1\" cannot be handled as a ConfigMap: converting (v1.Secret) to (core.ConfigMap): unknown conversion"),
		Entry("a kind nobody knows", "POST", maps, `{"kind":"Sekret","apiVersion":"v1","metadata":{"name":"a"}}`, "", 400, "BadRequest", "no kind \"Sekret\" is registered for version \"v1\" in scheme"),
		Entry("a list", "POST", maps, `[]`, "application/json", 400, "BadRequest", "json: cannot unmarshal array into Go value of type struct { APIVersion string"),
		Entry("nothing at all", "POST", maps, `null`, "application/json", 422, "Invalid", "name or generateName is required"),
		Entry("the wrong version", "POST", maps, `{"kind":"ConfigMap","apiVersion":"v2","metadata":{"name":"a"}}`, "", 400, "BadRequest", `no kind "ConfigMap" is registered for version "v2" in scheme`),
		Entry("the wrong type", "POST", maps, `{"metadata":{"name":"a"},"data":{"a":1}}`, "", 400, "BadRequest", `ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string`),
		Entry("an unknown media type", "POST", maps, "x", "text/csv", 415, "UnsupportedMediaType", "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml"),
		Entry("a huge body", "POST", maps, `{"data":{"a":"`+strings.Repeat("x", 3<<20)+`"}}`, "", 413, "RequestEntityTooLarge", "limit is 3145728"),
		Entry("a deep body", "POST", maps, strings.Repeat(`{"a":`, 20000)+"1"+strings.Repeat("}", 20000), "", 400, "BadRequest", "max depth"),
		Entry("a method that is not served", "PUT", maps, `{"metadata":{"name":"a"}}`, "", 405, "MethodNotAllowed", "the server does not allow this method on the requested resource"),
		Entry("a resourceVersion on create", "POST", maps, `{"metadata":{"name":"a","resourceVersion":"1"}}`, "", 500, "", "resourceVersion should not be set on objects to be created"),
	)
	It("answers unknown paths with 404", func() {
		for _, path := range []string{"/apis/nope.example.com/v1/things", "/api/v1/things", "/nope", "/apis/apps/v9/deployments", "/api/v1/namespaces/default/configmaps/a/nope"} {
			Expect(get(path).code).To(Equal(404), path)
		}
		get("/apis/apps/v9").status(404, "NotFound", "the server could not find the requested resource")
		Expect(get("/apis/nope.example.com").body).To(Equal("404 page not found\n"))
	})
	It("stores nothing of it", func() {
		get(maps+"/a").status(404, "NotFound", "")
	})
})
