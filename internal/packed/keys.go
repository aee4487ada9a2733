package packed

import (
	"sync"
	"sync/atomic"
)

const (
	// maxKeys in a dictionary: names that are data (of labels, say) must not fill the memory. Those that come later
	// stand in the values.
	maxKeys = 4096
	// maxKeyLength of a name in the dictionary.
	maxKeyLength = 64
)

// Keys is a dictionary of names. It grows and never forgets, up to a bound. Reading takes no lock.
type Keys struct {
	list atomic.Pointer[[]string] // by number; 0 is not used

	mu  sync.Mutex
	ids map[string]uint32
}

// The strings that are values of these members are in the dictionary, too: objects of a kind share them.
const (
	keyAPIVersion = 1 + iota
	keyKind
	keyNamespace
	keyMetadata
	keyManagedFields
	keysAtFirst
)

// NewKeys makes a dictionary.
func NewKeys() *Keys {
	k := &Keys{ids: map[string]uint32{}}
	list := []string{""}
	k.list.Store(&list)
	for _, name := range [...]string{"apiVersion", "kind", "namespace", "metadata", "managedFields"} {
		k.add([]byte(name))
	}
	return k
}

// Len is how many names the dictionary has.
func (k *Keys) Len() int { return len(k.names()) - 1 }

func (k *Keys) names() []string { return *k.list.Load() }

// add returns the number of a name, 0 where it is to stand in the value.
func (k *Keys) add(name []byte) uint32 {
	k.mu.Lock()
	defer k.mu.Unlock()
	if id, ok := k.ids[string(name)]; ok {
		return id
	}
	old := k.names()
	if len(old) > maxKeys || len(name) > maxKeyLength {
		return 0
	}
	id, text := uint32(len(old)), string(name) //nolint:gosec // at most maxKeys
	list := append(old, text)                  //nolint:gocritic // who has the old slice does not see the new element
	k.ids[text] = id
	k.list.Store(&list)
	return id
}
