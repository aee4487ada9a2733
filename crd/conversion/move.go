package conversion

import (
	"context"
	"errors"
	"fmt"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// move is a field that has another place, or other values, in the hub.
type move struct {
	version, hub   *path
	values, origin map[string]string // of the hub by those of the version, and the other way round
}

func parseMove(w *writtenRule, version, hub string) (rule, error) {
	v, h, err := sides(w.Move, version, hub)
	switch {
	case err != nil:
		return nil, err
	case v == nil || h == nil:
		return nil, fmt.Errorf("move must name the field in %s and in %s", version, hub)
	case !v.sameOwners(h):
		return nil, errors.New("both fields must stand below the same [*]: what is around it is moved by a rule of its own")
	}
	m := &move{version: v, hub: h, values: w.Values, origin: map[string]string{}}
	for from, to := range w.Values {
		if other, ok := m.origin[to]; ok {
			return nil, fmt.Errorf("values: %q and %q both become %q", min(from, other), max(from, other), to)
		}
		m.origin[to] = from
	}
	return m, nil
}

func (m *move) toHub(_ context.Context, obj resource.Object, _ *keptData) error {
	return carry(obj, m.version, m.hub, m.values)
}

func (m *move) toVersion(_ context.Context, obj resource.Object, _ *keptData) error {
	return carry(obj, m.hub, m.version, m.origin)
}

func (m *move) touches(field []string, inHub bool) bool {
	if inHub {
		return m.hub.covers(field)
	}
	return m.version.covers(field)
}

func carry(obj resource.Object, from, to *path, values map[string]string) error {
	return owners(obj, from.prefix, "", func(owner map[string]any, _ string) error {
		v, ok := take(owner, from.names, from.keepOf())
		if !ok {
			return nil
		}
		if s, ok := v.(string); ok {
			if other, ok := values[s]; ok {
				v = other
			}
		}
		return put(owner, to.names, v)
	})
}
