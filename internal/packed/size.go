package packed

import "math/bits"

// What Go's heap takes for parts of a decoded value.
const (
	stringSize = 16 // the header, which an interface points to
	numberSize = 8
	anySize    = 16
	sliceSize  = 24
	mapHeader  = 48
	mapSlot    = 33                    // a key, a value, a control byte
	mapGroup   = 8*mapSlot + mapSlot/2 // of eight slots, rounded up to what the heap gives
)

// mapSize is the size of a map that was made for n members: one group of slots, or a table of a power of two that is
// at most seven eighths full.
func mapSize(n int) int {
	switch {
	case n == 0:
		return mapHeader
	case n <= 8:
		return mapHeader + mapGroup
	}
	slots := 1 << bits.Len(uint((n*8+6)/7-1)) //nolint:gosec // positive
	return mapHeader + 48 + slots/8*mapGroup
}
