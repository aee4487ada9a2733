package registry_test

import (
	"regexp"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/sharding"
	"k8s.io/apimachinery/pkg/types"

	"github.com/keelson-project/keelson/apiserver/registry"
	"github.com/keelson-project/keelson/apiserver/resource"
)

// FuzzShardSelector: what is understood at all is understood as Kubernetes does.
func FuzzShardSelector(f *testing.F) {
	for _, s := range []string{
		"shardRange(object.metadata.uid, '0x0000000000000000', '0x8000000000000000')",
		"shardRange(object.metadata.namespace,'0x8000000000000000','0x10000000000000000')||shardRange(object.metadata.namespace, \"0x0000000000000001\", '0x00000000000000ff')",
		"shardRange(", "||", "'",
	} {
		f.Add(s, "3f1f0a4e", "tenant-7")
	}
	f.Fuzz(func(t *testing.T, s, uid, namespace string) {
		got, err := registry.ParseShardSelector(s)
		if err != nil {
			return
		}
		again, err := registry.ParseShardSelector(got.String())
		if err != nil || again.String() != got.String() {
			t.Fatalf("%q is written as %q, which is read as %v (%v)", s, got, again, err)
		}
		want, err := kubernetes(got).Matches(&metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{UID: types.UID(uid), Namespace: namespace}})
		if err != nil {
			t.Fatal(err)
		}
		if is := got.Matches(&resource.Projection{UID: types.UID(uid), Namespace: namespace}); is != want {
			t.Errorf("%s: uid %q, namespace %q: matches is %t, Kubernetes says %t", got, uid, namespace, is, want)
		}
	})
}

var ranges = regexp.MustCompile(`shardRange\((\S+), '(\w+)', '(\w+)'\)`)

// kubernetes makes apimachinery's selector of the canonical form.
func kubernetes(s *registry.ShardSelector) sharding.Selector {
	var requirements []sharding.ShardRangeRequirement
	for _, m := range ranges.FindAllStringSubmatch(s.String(), -1) {
		requirements = append(requirements, sharding.ShardRangeRequirement{Key: m[1], Start: m[2], End: m[3]})
	}
	return sharding.NewSelector(requirements...)
}
