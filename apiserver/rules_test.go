package apiserver_test

import (
	"os"
	"regexp"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/yaml"
)

// blocks are the YAML examples of a page of the documentation.
func blocks(page string) []string {
	GinkgoHelper()
	raw, err := os.ReadFile("../docs/" + page)
	Expect(err).NotTo(HaveOccurred())
	var out []string
	for _, m := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(raw), -1) {
		out = append(out, m[1])
	}
	return out
}

func decodeYAML(text string) map[string]any {
	GinkgoHelper()
	var out map[string]any
	Expect(yaml.Unmarshal([]byte(text), &out)).To(Succeed())
	return out
}

var _ = Describe("Conversion rules", func() {
	It("do what docs/conversion-rules.md says", func() {
		page := blocks("conversion-rules.md")
		Expect(page).To(HaveLen(3))
		definition, made, read := page[0], page[1], page[2]
		send("POST", crds, definition).ok(201)
		old, now := "/apis/docs.example.com/v1beta1/namespaces/default/websites", "/apis/docs.example.com/v1/namespaces/default/websites"
		send("POST", old, made).ok(201)
		want := decodeYAML(read)
		got := get(now + "/shop").ok(200)
		Expect(got.at("spec")).To(Equal(want["spec"]))
		Expect(got.at("metadata", "annotations")).To(Equal(want["metadata"].(map[string]any)["annotations"]))
		back := get(old + "/shop").ok(200)
		Expect(back.at("spec")).To(Equal(decodeYAML(made)["spec"]))
		Expect(back.at("metadata", "annotations")).To(BeNil())
		Expect(get(old + "/shop").object).To(Equal(back.object))

		// A write in one version keeps what only the other knows.
		send("PATCH", now+"/shop", `{"spec":{"size":"30Gi","listeners":[{"name":"web","port":8080,"protocol":"UDP"}]}}`, merge).ok(200)
		changed := get(old + "/shop").ok(200)
		Expect(changed.at("spec", "sizeGb")).To(BeEquivalentTo(30))
		Expect(changed.at("spec", "theme")).To(Equal(map[string]any{"colour": "blue"}))
		send("PATCH", old+"/shop", `{"spec":{"theme":{"colour":"red"}}}`, merge).ok(200)
		Expect(get(now+"/shop").at("spec", "listeners")).To(Equal([]any{map[string]any{"name": "web", "port": 8080.0, "protocol": "UDP"}}))
		Expect(get(old).at("items").([]any)[0]).To(HaveKeyWithValue("spec", HaveKeyWithValue("theme", map[string]any{"colour": "red"})))
		w := watch(old + "?watch=true")
		Expect(w.next().Object).To(HaveKeyWithValue("spec", HaveKeyWithValue("host", "shop.example.com")))
		send("PATCH", old+"/shop", `{"spec":{"sizeGb":null}}`, merge).ok(200)
		Expect(get(now + "/shop").at("spec")).NotTo(HaveKey("size"))
		send("DELETE", crds+"/websites.docs.example.com", "").ok(200)
	})

	It("are checked when the definition is written", func() {
		definition := blocks("conversion-rules.md")[0]
		bad := func(change func(string) string, message string) {
			GinkgoHelper()
			changed := change(strings.ReplaceAll(definition, "docs.example.com", "bad.example.com"))
			Expect(changed).NotTo(Equal(definition))
			send("POST", crds, changed).status(422, "Invalid", "metadata.annotations[keelson.dev/conversion-rules]: Invalid value: "+message)
		}
		without := func(text, by string) func(string) string {
			return func(s string) string { return strings.Replace(s, text, by, 1) }
		}
		bad(without("        - only: {v1beta1: spec.theme}\n", ""), `"versions[v1beta1]": spec.theme.unspecified of v1beta1 does not come back from v1: it was "thing" and is absent; no rule is about it`)
		bad(without("values: {required: Strict, optional: Relaxed}", "values: {required: Strict}"), `"versions[v1beta1][1]": spec.security gets a value in v1 that its enum does not have, from a valid object of v1beta1`)
		bad(without("- move: {v1beta1: spec.ports,", "- mave: {v1beta1: spec.ports,"), `"": unknown field "versions.v1beta1[3].mave"`)
		bad(without("self.spec.sizeGb", "self.spec."), `"versions[v1beta1][6]": v1: spec.size: ERROR: `)
		bad(without("v1: [{spec: {size: 20Gi}}]", "{}"), `"versions[v1beta1][6]": a sample of v1 cannot be converted (spec.sizeGb: type conversion error from 'string' to 'int'`)
		bad(without("hub: v1", "hub: v3"), `"versions[v1beta1][0]": "v1" is neither v1beta1 nor v3`)
	})

	It("change with the definition", func() {
		v := newVersioned(`{"strategy":"None"}`)
		v.create("v1", "a", `{"host":"a.com"}`).ok(201)
		Expect(v.spec(get(v.path("v2", "a")))).To(BeEmpty())
		set := func(rules string) answer {
			return send("PATCH", v.crd, `{"metadata":{"annotations":{"keelson.dev/conversion-rules":`+rules+`}}}`, merge)
		}
		set(`"hub: v1\nversions: {v2: [{move: {v1: spec.host, v2: spec.hostname}}]}"`).status(422, "Invalid", "spec.dhost of v1 does not come back")
		set(`"hub: v1\nversions: {v2: [{move: {v1: spec.host, v2: spec.hostname}}, {only: {v1: spec.dhost}}, {only: {v2: spec.dhostname}}]}"`).ok(200)
		Expect(v.spec(get(v.path("v2", "a")))).To(Equal(map[string]any{"hostname": "a.com"}))
		Expect(get(v.path("v2", "")).ok(200).at("items").([]any)[0]).To(HaveKeyWithValue("spec", map[string]any{"hostname": "a.com"}))
		Expect(get(v.path("v2", "") + "?fieldSelector=spec.hostname%3Da.com").ok(200).at("items")).To(HaveLen(1))
		v.storeIn("v2")
		Expect(v.spec(get(v.path("v1", "a")))).To(Equal(map[string]any{"host": "a.com", "dhost": "host"}))
		send("PATCH", v.path("v2", "a"), `{"metadata":{"labels":{"a":"b"}}}`, merge).ok(200)
		Expect(v.spec(get(v.path("v1", "a")))).To(Equal(map[string]any{"host": "a.com", "dhost": "host"}))
		set(`null`).ok(200)
		Expect(v.spec(get(v.path("v1", "a")))).To(BeEmpty())
	})
})
