package apiserver_test

import (
	"fmt"
	"net/url"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/sharding"
	"k8s.io/apimachinery/pkg/types"
)

const (
	lowerHalf = "shardRange(object.metadata.uid, '0x0000000000000000', '0x8000000000000000')"
	upperHalf = "shardRange(object.metadata.uid, '0x8000000000000000', '0x10000000000000000')"
)

// inShard is Kubernetes' own word on whether an object is in a shard.
func inShard(uid any, from, to string) bool {
	GinkgoHelper()
	s := sharding.NewSelector(sharding.ShardRangeRequirement{Key: "object.metadata.uid", Start: from, End: to})
	ok, err := s.Matches(&metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{UID: types.UID(uid.(string))}})
	Expect(err).NotTo(HaveOccurred())
	return ok
}

var _ = Describe("A shard selector", func() {
	var maps string
	var lower, upper []string // names
	list := func(shard string, more ...string) answer {
		return get(maps + "?shardSelector=" + url.QueryEscape(shard) + strings.Join(more, "")).ok(200)
	}
	names := func(a answer) (out []string) {
		items, _ := a.at("items").([]any)
		for _, i := range items {
			out = append(out, i.(map[string]any)["metadata"].(map[string]any)["name"].(string))
		}
		return out
	}

	BeforeEach(func() {
		maps = "/api/v1/namespaces/" + namespace() + "/configmaps"
		lower, upper = nil, nil
		for i := range 20 {
			name := fmt.Sprintf("m%02d", i)
			a := send("POST", maps, `{"metadata":{"name":"`+name+`"}}`).ok(201)
			if inShard(a.at("metadata", "uid"), "0x0000000000000000", "0x8000000000000000") {
				lower = append(lower, name)
			} else {
				upper = append(upper, name)
			}
		}
	})

	It("divides a list, whole and in pages, and is told which part it is", func() {
		a := list(lowerHalf)
		Expect(names(a)).To(Equal(lower))
		Expect(a.at("metadata", "shardInfo", "selector")).To(Equal(lowerHalf))
		Expect(names(list(" shardRange( object.metadata.uid ,\"0x8000000000000000\",'0x10000000000000000' )"))).To(Equal(upper))
		both := list(upperHalf + "||" + lowerHalf)
		Expect(names(both)).To(HaveLen(20))
		Expect(both.at("metadata", "shardInfo", "selector")).To(Equal(upperHalf + " || " + lowerHalf))

		var paged []string
		for token := ""; ; {
			page := list(upperHalf, "&limit=3&continue="+token)
			paged = append(paged, names(page)...)
			if token, _ = page.at("metadata", "continue").(string); token == "" {
				break
			}
		}
		Expect(paged).To(Equal(upper))
		Expect(get(maps).ok(200).at("metadata", "shardInfo")).To(BeNil())
	})

	It("divides by namespace", func() {
		of := func(key string) []string {
			return names(list(fmt.Sprintf("shardRange(%s, '0x0000000000000000', '0x8000000000000000')", key)))
		}
		ns := strings.Split(maps, "/")[4]
		want := 0
		if sharding.HashField(ns) < "8" {
			want = 20
		}
		Expect(of("object.metadata.namespace")).To(HaveLen(want))
	})

	It("divides a watch and a deletion of many", func() {
		w := watch(maps + "?watch=true&shardSelector=" + url.QueryEscape(upperHalf))
		for _, name := range upper {
			Expect(w.next().Object["metadata"]).To(HaveKeyWithValue("name", name))
		}
		send("DELETE", maps+"?shardSelector="+url.QueryEscape(lowerHalf), "").ok(200)
		Expect(names(get(maps).ok(200))).To(Equal(upper))
		send("PATCH", maps+"/"+upper[0], `{"data":{"a":"b"}}`, merge).ok(200)
		Expect(w.next().Object["metadata"]).To(HaveKeyWithValue("name", upper[0]))
	})

	DescribeTable("is refused when it is not understood", func(selector, message string) {
		get(maps+"?shardSelector="+url.QueryEscape(selector)).status(400, "BadRequest", message)
	},
		Entry("another function", "size(object.metadata.uid)", `invalid shard selector: "shardRange" is expected at "size(object.metadata.uid)"; only shardRange() and || are allowed`),
		Entry("another field", "shardRange(object.metadata.name, '0x0000000000000000', '0x8000000000000000')",
			`invalid shard selector: shardRange() first argument: unsupported field path "object.metadata.name"; supported: object.metadata.uid, object.metadata.namespace`),
		Entry("no string", "shardRange(object.metadata.uid, 0, 1)", `invalid shard selector: hexStart must be a string literal (e.g. '0xff'), got "0, 1)"`),
		Entry("too short", "shardRange(object.metadata.uid, '0x0', '0x8')", `invalid shard selector: hexStart must be a 0x-prefixed 16-digit hex value, got "0x0"`),
		Entry("upside down", "shardRange(object.metadata.uid, '0x8000000000000000', '0x8000000000000000')",
			`invalid shard selector: shard range start 0x8000000000000000 must be less than end 0x8000000000000000`),
		Entry("two fields", lowerHalf+" || "+strings.ReplaceAll(upperHalf, "uid", "namespace"), `invalid shard selector: all shard ranges must use the same field`),
		Entry("unfinished", "shardRange(object.metadata.uid, '0x0", `invalid shard selector: one of "'" is expected after "0x0"`),
	)
})
