package apiserver_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const applyPatch = "Content-Type: application/apply-patch+yaml"

// Who owns what after which write, and in which words conflicts are told, is compared with kube-apiserver's answers by
// TestApply in compat; here is what needs no such witness.
var _ = Describe("Server-side apply", func() {
	var path string
	BeforeEach(func() {
		group := unique("apply") + ".example.com"
		send("POST", crds, websites(group)).ok(201)
		path = "/apis/" + group + "/v1/namespaces/" + namespace() + "/websites"
		config := "apiVersion: " + group + "/v1\nkind: Website\nmetadata: {name: a}\nspec: {host: one.example.com}\n"
		send("PATCH", path+"/a?fieldManager=one", config, applyPatch).ok(201)
	})

	scale := func(n string) string {
		return "apiVersion: autoscaling/v1\nkind: Scale\nmetadata: {name: a}\nspec: {replicas: " + n + "}\n"
	}

	It("applies a Scale, which kube-apiserver does not for custom resources", func() {
		Expect(send("PATCH", path+"/a/scale?fieldManager=hpa", scale("5"), applyPatch).ok(200).at("spec", "replicas")).To(BeEquivalentTo(5))
		Expect(get(path+"/a").ok(200).at("spec", "replicas")).To(BeEquivalentTo(5))
		send("PATCH", path+"/a/scale?fieldManager=other", scale("6"), applyPatch).
			status(409, "Conflict", `conflict with "hpa" with subresource "scale": .spec.replicas`)
		send("PATCH", path+"/a/scale?fieldManager=other&force=true", scale("6"), applyPatch).ok(200)
		Expect(get(path+"/a").at("spec", "replicas")).To(BeEquivalentTo(6))
		send("PATCH", path+"/none/scale?fieldManager=other", scale("6"), applyPatch).status(404, "NotFound", `"none" not found`)
	})

	It("changes nothing, and no resourceVersion, where nothing is new", func() {
		before := get(path + "/a")
		config := `{"apiVersion":"` + before.at("apiVersion").(string) + `","kind":"Website","metadata":{"name":"a"},"spec":{"host":"one.example.com"}}`
		after := send("PATCH", path+"/a?fieldManager=one", config, applyPatch).ok(200)
		Expect(after.body).To(MatchJSON(before.body))
	})

	It("stores nothing in a dry run", func() {
		config := `{"apiVersion":"` + get(path+"/a").at("apiVersion").(string) + `","kind":"Website","metadata":{"name":"b"},"spec":{"host":"two.example.com"}}`
		send("PATCH", path+"/b?fieldManager=one&dryRun=All", config, applyPatch).ok(201)
		get(path+"/b").status(404, "NotFound", `"b" not found`)
	})

	It("lets many appliers work on one object at once", func() {
		apiVersion := get(path + "/a").at("apiVersion").(string)
		done := make(chan answer)
		const appliers = 8
		for i := range appliers {
			go func() {
				defer GinkgoRecover()
				name := string(rune('a' + i))
				done <- send("PATCH", path+"/shared?fieldManager="+name, `{"apiVersion":"`+apiVersion+
					`","kind":"Website","metadata":{"name":"shared","labels":{"`+name+`":"x"}},"spec":{"host":"shared.example.com"}}`, applyPatch)
			}()
		}
		created := 0
		for range appliers {
			if a := <-done; a.code == 201 {
				created++
			} else {
				a.ok(200)
			}
		}
		Expect(created).To(Equal(1))
		Expect(get(path+"/shared").at("metadata", "labels")).To(HaveLen(appliers))
		managers := get(path+"/shared").at("metadata", "managedFields").([]any)
		Expect(managers).To(HaveLen(appliers))
		// Whoever lost a race and tried again applied what was sent, not what the first try had filled in.
		for _, m := range managers {
			fields := answer{object: m.(map[string]any)}.at("fieldsV1", "f:spec")
			Expect(fields).To(Equal(map[string]any{"f:host": map[string]any{}}), "%v", m)
		}
	})
})
