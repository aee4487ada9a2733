package shards

import (
	"fmt"
	"testing"
)

// Shares are equal, everyone comes to the same result, and a replica that comes moves few shards.
func TestAssign(t *testing.T) {
	const n = 64
	var members []string
	before := assign(nil, n)
	for replicas := 1; replicas <= 20; replicas++ {
		members = append(members, fmt.Sprint("pod-", replicas))
		owners := assign(members, n)
		share := (n + replicas - 1) / replicas
		load, moved := map[string]int{}, 0
		for i, owner := range owners {
			load[owner]++
			if owner != before[i] {
				moved++
			}
		}
		for _, m := range members {
			if load[m] > share {
				t.Errorf("%d replicas: %s owns %d, its share is %d", replicas, m, load[m], share)
			}
		}
		if most := 2*share + replicas; replicas > 1 && moved > most { // where shares shrink, everyone lets go of one
			t.Errorf("replica %d moved %d shards, want %d at most", replicas, moved, most)
		}
		before = owners
	}
}
