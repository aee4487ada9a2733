package cel

import (
	"encoding/binary"
	"hash/maphash"
	"maps"
	goruntime "runtime"
	"slices"
	"sync"
	"weak"
)

// memory remembers expressions, so that equal rules on equal schemas (of several versions, of definitions that are
// written again) are compiled once. It keeps no program alive: a kind that has gone takes its own along.
type memory struct {
	seeds [2]maphash.Seed

	mu       sync.Mutex
	live     map[fingerprint]weak.Pointer[expression]
	verdicts map[fingerprint]verdict // at most maxVerdicts; all are forgotten when there would be more
}

const maxVerdicts = 2048

// fingerprint identifies an expression with all that its meaning depends on. Its seeds are random, so that nobody can
// make two that are the same.
type fingerprint [2]uint64

func newMemory() *memory {
	return &memory{
		seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
		live:  map[fingerprint]weak.Pointer[expression]{}, verdicts: map[fingerprint]verdict{},
	}
}

func (m *memory) find(f fingerprint) *expression {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.live[f].Value()
}

func (m *memory) verdict(f fingerprint) (verdict, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.verdicts[f]
	return v, ok
}

func (m *memory) add(f fingerprint, e *expression) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.verdicts) >= maxVerdicts {
		clear(m.verdicts)
	}
	m.verdicts[f] = e.verdict
	p := weak.Make(e)
	m.live[f] = p
	goruntime.AddCleanup(e, func(f fingerprint) {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.live[f] == p { // and not one that was made since
			delete(m.live, f)
		}
	}, f)
}

func (m *memory) hash(data []byte) fingerprint {
	return fingerprint{maphash.Bytes(m.seeds[0], data), maphash.Bytes(m.seeds[1], data)}
}

// of is the fingerprint of an expression on values of d.
func (m *memory) of(d *decl, text string, v variant, k kind) fingerprint {
	data := appendFingerprint(make([]byte, 0, 64+len(text)), m.ofDecl(d))
	for _, flag := range []bool{v.stored, v.optionalOldSelf, k == messageKind} {
		if flag {
			data = append(data, 1)
		} else {
			data = append(data, 0)
		}
	}
	return m.hash(append(data, text...))
}

func (m *memory) ofDecl(d *decl) fingerprint {
	if d.known {
		return d.fingerprint
	}
	data := make([]byte, 0, 128)
	data = binary.AppendVarint(data, d.maxElements)
	data = binary.AppendVarint(data, d.minSize)
	switch {
	case d.simple != nil:
		data = append(data, 's')
		data = append(data, d.simple.String()...)
	case d.items != nil:
		data = appendFingerprint(append(data, 'l'), m.ofDecl(d.items))
	case d.values != nil:
		data = appendFingerprint(append(data, 'm'), m.ofDecl(d.values))
	default:
		data = append(data, 'o')
		for _, name := range slices.Sorted(maps.Keys(d.fields)) {
			data = binary.AppendUvarint(data, uint64(len(name)))
			data = append(data, name...)
			data = appendFingerprint(data, m.ofDecl(d.fields[name]))
		}
	}
	d.known, d.fingerprint = true, m.hash(data)
	return d.fingerprint
}

func appendFingerprint(data []byte, f fingerprint) []byte {
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(data, f[0]), f[1])
}
