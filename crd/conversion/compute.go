package conversion

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// compute is a set of fields of one side that are computed from fields of the other.
type compute struct {
	version, hub []computed
	prefix       []step // to the objects that own all of them, which are self
}

type computed struct {
	path *path
	expr Expression
}

func parseCompute(w *writtenRule, version, hub string, compile Compile) (rule, error) {
	c := &compute{}
	for _, side := range slices.Sorted(maps.Keys(w.Compute)) {
		var to *[]computed
		switch side {
		case version:
			to = &c.version
		case hub:
			to = &c.hub
		default:
			return nil, fmt.Errorf("%q is neither %s nor %s", side, version, hub)
		}
		for _, text := range slices.Sorted(maps.Keys(w.Compute[side])) {
			p, err := parsePath(text)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", side, err)
			}
			if compile == nil {
				return nil, errors.New("expressions cannot be compiled here")
			}
			expr, err := compile(w.Compute[side][text])
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", side, text, err)
			}
			*to = append(*to, computed{p, expr})
		}
	}
	if len(c.version) == 0 || len(c.hub) == 0 {
		return nil, fmt.Errorf("compute must name fields in %s and in %s", version, hub)
	}
	first := c.version[0].path
	c.prefix = first.prefix
	for _, f := range slices.Concat(c.version, c.hub) {
		if !f.path.sameOwners(first) {
			return nil, errors.New("all fields must stand below the same [*]: each item is computed by itself")
		}
	}
	return c, nil
}

func (c *compute) toHub(ctx context.Context, obj resource.Object, _ *keptData) error {
	return c.apply(ctx, obj, c.version, c.hub)
}

func (c *compute) toVersion(ctx context.Context, obj resource.Object, _ *keptData) error {
	return c.apply(ctx, obj, c.hub, c.version)
}

func (c *compute) touches(field []string, inHub bool) bool {
	of := c.version
	if inHub {
		of = c.hub
	}
	return slices.ContainsFunc(of, func(f computed) bool { return f.path.covers(field) })
}

// apply computes the fields to of those of from, if there are any, and puts them in their place.
func (c *compute) apply(ctx context.Context, obj resource.Object, from, to []computed) error {
	return owners(obj, c.prefix, "", func(owner map[string]any, _ string) error {
		there := func(f computed) bool { _, ok := lookup(owner, f.path.names); return ok }
		if !slices.ContainsFunc(from, there) {
			return nil
		}
		values := make([]any, len(to))
		present := make([]bool, len(to))
		for i, f := range to {
			var err error
			if values[i], present[i], err = f.expr.Eval(ctx, owner); err != nil {
				return fmt.Errorf("%s: %w", f.path.text, err)
			}
		}
		for _, f := range from {
			take(owner, f.path.names, f.path.keepOf())
		}
		for i, f := range to {
			if present[i] {
				// An expression may give a part of self, which is to have its own place.
				if err := put(owner, f.path.names, resource.DeepCopy(resource.Object{"": values[i]})[""]); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
