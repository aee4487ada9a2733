package client

import "fmt"

// ShardSelector chooses the objects whose hash is in one of its ranges, of servers that know it (KEP-5866; Kubernetes:
// alpha, with the feature gate ShardedListAndWatch; Keelson: always). Others give all objects: metadata.shardInfo of a
// list says what was chosen.
type ShardSelector string

// UIDShard is the ShardSelector of one of n equal parts of a collection, from 0 to n-1, by the UIDs of the objects.
func UIDShard(part, n uint16) ShardSelector {
	bound := func(i uint16) string {
		if i == n {
			return "0x10000000000000000"
		}
		hi, rest := uint64(i)<<48/uint64(n), uint64(i)<<48%uint64(n) // 2^64 i / n, in two steps
		return fmt.Sprintf("0x%016x", hi<<16|rest<<16/uint64(n))
	}
	return ShardSelector(fmt.Sprintf("shardRange(object.metadata.uid, '%s', '%s')", bound(part), bound(part+1)))
}

func (ShardSelector) forDeleteAllOf()              {}
func (s ShardSelector) applyToList(o *listOptions) { o.ListOptions.ShardSelector = string(s) }
