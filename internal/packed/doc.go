// Package packed keeps JSON objects small. A Value is one JSON value in a binary form: the names of members, which
// objects of a kind share, are numbers that a dictionary (Keys) translates; strings stand as they are, without escapes;
// each container says how long it is, so that one value is found without reading the others. It is about half as long
// as the JSON where names are as long as values, and a third to a seventh of what the decoded value takes.
//
//	keys := packed.NewKeys()
//	p := packed.Packer{Keys: keys}
//	v, ok := p.Pack([]byte(`{"metadata":{"name":"web"},"spec":{"replicas":3}}`))
//	name, ok := keys.Find(v, "metadata", "name")
//	content := keys.Decode(v)
//
// What a Value decodes to is what Kubernetes' own decoder makes of the JSON (int64 or float64 for numbers).
package packed

// Value is a JSON value in packed form. It means something together with the Keys that it was packed with only. The
// bytes are: a tag, then what it says.
//
//	0x00-0x7f  a string of so many bytes, which follow
//	null, false, true
//	int        a zigzag varint
//	number     the text of any other number: its length, its bytes
//	long       a string of 128 bytes or more: its length, its bytes
//	interned   a string that stands in the dictionary: its number
//	object     length of the members, how many there are, and they: the number of the key (or 0 and the key as a
//	           string) and the value
//	array      length of the elements, how many there are, and they
//	0xc0-0xff  the integers 0 to 63
type Value string

const (
	tagNull = 0x80 + iota
	tagFalse
	tagTrue
	tagInt
	tagNumber
	tagLong
	tagInterned
	tagObject
	tagArray

	tagSmall = 0xc0 // and up
	maxSmall = 63
	maxShort = 0x7f
)

// maxDepth of nesting that Pack accepts.
const maxDepth = 500
