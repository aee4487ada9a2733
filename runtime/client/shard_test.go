package client_test

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/keelson-project/keelson/runtime/client"
)

// Parts of a collection are disjoint, and together are all of it.
func TestUIDShards(t *testing.T) {
	c := start(t)
	want := map[string]bool{}
	for i := range 40 {
		m := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: fmt.Sprintf("m%d", i)}}
		if err := c.Create(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		want[m.Name] = true
	}
	for _, n := range []uint16{1, 3, 7, 65535} {
		got := map[string]bool{}
		for part := range n {
			if n > 7 && part > 3 && part < n-3 {
				continue
			}
			var list corev1.ConfigMapList
			if err := c.List(t.Context(), &list, client.InNamespace("default"), client.UIDShard(part, n)); err != nil {
				t.Fatal(err)
			}
			if info := list.ShardInfo; info == nil || info.Selector != string(client.UIDShard(part, n)) {
				t.Errorf("part %d of %d: shardInfo %+v", part, n, info)
			}
			for _, m := range list.Items {
				if got[m.Name] {
					t.Errorf("%s is in two of %d parts", m.Name, n)
				}
				got[m.Name] = true
			}
		}
		if n <= 7 && len(got) != len(want) {
			t.Errorf("%d parts have %d of %d", n, len(got), len(want))
		}
	}
}
