package typed_test

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// damage changes a few values of an object at random.
func damage(obj map[string]any, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	for range 1 + r.IntN(6) {
		damageOnce(obj, r)
	}
}

func damageOnce(v any, r *rand.Rand) {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 {
			return
		}
		keys := slices.Sorted(maps.Keys(v))
		k := keys[r.IntN(len(keys))]
		switch r.IntN(6) {
		case 0:
			v[k] = damaged(r)
		case 1:
			delete(v, k)
		case 2:
			v["unknownField"] = "x"
		default:
			damageOnce(v[k], r)
		}
	case []any:
		if len(v) == 0 {
			return
		}
		i := r.IntN(len(v))
		if r.IntN(6) == 0 {
			v[i] = damaged(r)
			return
		}
		damageOnce(v[i], r)
	}
}

// damaged is some value, mostly an empty one.
func damaged(r *rand.Rand) any {
	switch r.IntN(12) {
	case 0:
		return ""
	case 1:
		return int64(0)
	case 2:
		return false
	case 3:
		return map[string]any{}
	case 4:
		return []any{}
	case 5:
		return "text"
	case 6:
		return int64(1) << 40
	case 7:
		return 1.5
	case 8:
		return "2026-01-02T03:04:05+02:00"
	case 9:
		return "1024Mi"
	default:
		return nil
	}
}
