package apiserver_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// What a deletion does to the garbage collector's finalizers. All that is expected here is what kube-apiserver 1.37.2
// answered to the same requests, with no garbage collector beside it.
var _ = Describe("A deletion", func() {
	var ns, maps string
	BeforeEach(func() {
		ns = namespace()
		maps = "/api/v1/namespaces/" + ns + "/configmaps"
	})
	const (
		none       = ``
		foreground = `{"propagationPolicy":"Foreground"}`
		orphan     = `{"propagationPolicy":"Orphan"}`
		background = `{"propagationPolicy":"Background"}`
		yes        = `{"orphanDependents":true}`
		no         = `{"orphanDependents":false}`
		gone       = "gone"
	)
	finalizers := func(a answer) string {
		if a.at("kind") == "Status" || a.code == 404 {
			return gone
		}
		Expect(a.at("metadata", "deletionTimestamp")).NotTo(BeNil(), a.body)
		list, _ := a.at("metadata", "finalizers").([]any)
		return strings.Trim(fmt.Sprint(list), "[]")
	}

	DescribeTable("writes the finalizers that the garbage collector goes by",
		func(before, first, want, second, then string) {
			list := ""
			if before != "" {
				list = `"` + strings.ReplaceAll(before, " ", `","`) + `"`
			}
			send("POST", maps, `{"metadata":{"name":"a","finalizers":[`+list+`]}}`).ok(201)
			Expect(finalizers(send("DELETE", maps+"/a", first))).To(Equal(want))
			Expect(finalizers(get(maps + "/a"))).To(Equal(want))
			if want == gone {
				return
			}
			Expect(get(maps+"/a").at("metadata", "deletionGracePeriodSeconds")).To(BeEquivalentTo(0))
			Expect(finalizers(send("DELETE", maps+"/a", second))).To(Equal(then))
			Expect(finalizers(get(maps + "/a"))).To(Equal(then))
		},
		Entry("by default none", none, none, gone, none, none),
		Entry("background", none, background, gone, none, none),
		Entry("foreground", none, foreground, "foregroundDeletion", none, "foregroundDeletion"),
		Entry("foreground, then orphan", none, foreground, "foregroundDeletion", orphan, "orphan"),
		Entry("foreground, then background", none, foreground, "foregroundDeletion", background, gone),
		Entry("orphan", none, orphan, "orphan", foreground, "foregroundDeletion"),
		Entry("the old way to orphan", none, yes, "orphan", no, gone),
		Entry("the old way not to", none, no, gone, none, none),
		Entry("what is there counts", "orphan", none, "orphan", none, "orphan"),
		Entry("unless another is asked for", "orphan", foreground, "foregroundDeletion", none, "foregroundDeletion"),
		Entry("or none is", "orphan", background, gone, none, none),
		Entry("others are left alone", "example.com/x orphan", foreground, "example.com/x foregroundDeletion", background, "example.com/x"),
	)

	It("of an event leaves nothing to collect", func() {
		events := "/api/v1/namespaces/" + ns + "/events"
		for _, policy := range []string{foreground, orphan, yes} {
			send("POST", events, `{"metadata":{"name":"e"},"involvedObject":{"namespace":"`+ns+`"}}`).ok(201)
			Expect(finalizers(send("DELETE", events+"/e", policy))).To(Equal(gone))
			get(events+"/e").status(404, "NotFound", "")
		}
	})

	DescribeTable("is answered with a Status, or with what was deleted",
		func(path, body, kind string) {
			path, body = strings.ReplaceAll(path, "NS", ns), strings.ReplaceAll(body, "NS", ns)
			item := path + "/" + "a-" + ns
			send("POST", path, strings.Replace(body, "{", `{"metadata":{"name":"a-`+ns+`"},`, 1)).ok(201)
			dry := send("DELETE", item+"?dryRun=All&orphanDependents=false", none).ok(200)
			Expect(dry.at("kind")).To(Equal(kind), dry.body)
			a := send("DELETE", item, no).ok(200)
			Expect(a.at("kind")).To(Equal(kind), a.body)
			get(item).status(404, "NotFound", "")
			if kind == "Status" {
				Expect(a.at("details", "name")).To(Equal("a-" + ns))
				return
			}
			Expect(a.at("metadata", "name")).To(Equal("a-" + ns))
			marks := fmt.Sprint(a.at("metadata", "deletionTimestamp") != nil, a.at("metadata", "deletionGracePeriodSeconds"), a.at("metadata", "generation"))
			if kind == "Pod" {
				Expect(marks).To(Equal("true 0 2"))
			} else {
				Expect(marks).To(Equal("false <nil> <nil>"))
			}

			send("POST", path, strings.Replace(body, "{", `{"metadata":{"name":"a-`+ns+`"},`, 1)).ok(201)
			table := send("DELETE", item, none, "Accept: application/json;as=Table;v=v1;g=meta.k8s.io").ok(200)
			Expect(table.at("kind")).To(Equal("Table"), table.body)
		},
		Entry("config map", "/api/v1/namespaces/NS/configmaps", `{"data":{}}`, "Status"),
		Entry("secret", "/api/v1/namespaces/NS/secrets", `{"data":{}}`, "Status"),
		Entry("service account", "/api/v1/namespaces/NS/serviceaccounts", `{"secrets":[]}`, "ServiceAccount"),
		Entry("service", "/api/v1/namespaces/NS/services", `{"spec":{"ports":[{"port":80}]}}`, "Service"),
		Entry("pod", "/api/v1/namespaces/NS/pods", `{"spec":{"containers":[{"name":"a","image":"a"}]}}`, "Pod"),
		Entry("event", "/api/v1/namespaces/NS/events", `{"involvedObject":{"namespace":"NS"}}`, "Status"),
		Entry("deployment", "/apis/apps/v1/namespaces/NS/deployments", `{"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"a","image":"a"}]}}}}`, "Status"),
		Entry("job", "/apis/batch/v1/namespaces/NS/jobs", `{"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"a","image":"a"}]}}}}`, "Status"),
		Entry("lease", "/apis/coordination.k8s.io/v1/namespaces/NS/leases", `{"spec":{}}`, "Status"),
		Entry("storage version migration", "/apis/storagemigration.k8s.io/v1/storageversionmigrations", `{"spec":{"resource":{"group":"","resource":"secrets"}}}`, "Status"),
	)

	It("says what precondition failed", func() {
		send("POST", maps, `{"metadata":{"name":"a"}}`).ok(201)
		send("DELETE", maps+"/a", `{"preconditions":{"uid":"u"}}`).status(409, "Conflict", `Operation cannot be fulfilled on ConfigMap "a": the UID in the precondition (u) does not match the UID in record (`)
		send("DELETE", maps+"/a", `{"preconditions":{"resourceVersion":"1"}}`).status(409, "Conflict", `Operation cannot be fulfilled on ConfigMap "a": the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (`)
		send("DELETE", "/api/v1/namespaces/"+ns, `{"preconditions":{"uid":"u"}}`).status(409, "Conflict", `Operation cannot be fulfilled on namespaces "`+ns+`": Precondition failed: UID in precondition: u, UID in object meta: `)
	})

	It("lets no finalizers be added, and says so once", func() {
		send("POST", maps, `{"metadata":{"name":"a","finalizers":["example.com/x"]}}`).ok(201)
		send("DELETE", maps+"/a", none).ok(200)
		a := send("PATCH", maps+"/a", `{"metadata":{"finalizers":["example.com/x","orphan"]}}`, merge)
		a.status(422, "Invalid", `metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"orphan"}`)
		Expect(a.at("details", "causes")).To(HaveLen(1))
	})

	DescribeTable("of a namespace marks it",
		func(policy string, code int, want string) {
			path := "/api/v1/namespaces/" + ns
			a := send("DELETE", path, policy).ok(code)
			Expect(finalizers(a)).To(Equal(want))
			Expect(a.at("metadata", "deletionGracePeriodSeconds")).To(BeNil())
			Expect(a.at("status", "phase")).To(Equal("Terminating"))
			a = send("DELETE", path, foreground).ok(200) // asking again changes nothing
			Expect(finalizers(a)).To(Equal(want))
			send("POST", maps, `{"metadata":{"name":"a"}}`).status(403, "Forbidden", "unable to create new content in namespace "+ns+" because it is being terminated")
			held := strings.ReplaceAll(`"`+want+`"`, `""`, ``)
			send("PUT", path+"/finalize", `{"metadata":{"name":"`+ns+`","finalizers":[`+held+`]},"spec":{"finalizers":[]}}`).ok(200)
			if want == "" {
				get(path).status(404, "NotFound", "")
				return
			}
			Expect(finalizers(send("DELETE", path, foreground))).To(Equal("foregroundDeletion"))
			send("PATCH", path, `{"metadata":{"finalizers":null}}`, merge).ok(200)
			get(path).status(404, "NotFound", "")
		},
		Entry("by default", none, 200, ""),
		Entry("background", background, 200, ""),
		Entry("foreground", foreground, 200, "foregroundDeletion"),
		Entry("orphan", orphan, 200, "orphan"),
		Entry("the old way to orphan", yes, 200, "orphan"),
		Entry("the old way not to", no, 202, "foregroundDeletion"),
	)

	It("of a namespace takes two requests where nothing holds it", func() {
		path := "/api/v1/namespaces/" + ns
		send("PUT", path+"/finalize", `{"metadata":{"name":"`+ns+`","labels":{"a":"b"}},"spec":{"finalizers":[]}}`).ok(200)
		Expect(get(path).at("metadata", "labels")).To(HaveKeyWithValue("a", "b"))
		Expect(finalizers(send("DELETE", path, none))).To(Equal(""))
		Expect(finalizers(send("DELETE", path, none))).To(Equal(gone))
	})

	It("decides what the phase of a namespace may be", func() {
		path := "/api/v1/namespaces/" + ns
		phase := func(p string) answer {
			return send("PATCH", path+"/status", `{"status":{"phase":"`+p+`"}}`, merge)
		}
		phase("Terminating").status(422, "Invalid", "status.Phase: Invalid value: \"Terminating\": may only be 'Active' if `deletionTimestamp` is empty")
		send("DELETE", path, none).ok(200)
		phase("Active").status(422, "Invalid", "status.Phase: Invalid value: \"Active\": may only be 'Terminating' if `deletionTimestamp` is not empty")
		send("PUT", path+"/finalize", `{"metadata":{"name":"`+ns+`"},"spec":{"finalizers":["bad"]}}`).
			status(422, "Invalid", `spec.finalizers[0]: Invalid value: "bad": name is neither a standard finalizer name nor is it fully qualified`)
		send("POST", "/api/v1/namespaces", `{"metadata":{"name":"bad"},"spec":{"finalizers":["bad"]}}`).
			status(422, "Invalid", `spec.finalizers: Invalid value: "bad": name is neither a standard finalizer name nor is it fully qualified`)
	})
})
