package informer

// item is an object as the store keeps it: decoded and shared, or packed.
type item interface {
	Meta
	// object is the one that all readers share, or a fresh copy where it is packed. It may be nil where a decoder
	// fails that had not failed before.
	object() Object
	// size is about what the item takes of memory, its place in the store included.
	size() int
}

// liveItem is a decoded object.
type liveItem struct {
	Object
	bytes int
}

var _ item = (*liveItem)(nil)

func (l *liveItem) object() Object { return l.Object }
func (l *liveItem) size() int      { return l.bytes + liveOverhead }

const (
	entrySize      = 75 // of an entry in a tree whose nodes are two thirds full, as in random order
	packedOverhead = 32 + entrySize
	liveOverhead   = 24 + entrySize
	postingSize    = 36 + 48 // of an entry in an index, and what it points to
)
