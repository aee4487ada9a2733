package conversion

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// only is a field that one side has and the other has not. Its value is kept in an annotation meanwhile.
type only struct {
	path     *path
	side     string // the version that has it
	inHub    bool
	fallback *any // the value where nothing was kept; nil: the field is absent then
}

func parseOnly(w *writtenRule, version, hub string) (rule, error) {
	v, h, err := sides(w.Only, version, hub)
	switch {
	case err != nil:
		return nil, err
	case (v == nil) == (h == nil):
		return nil, fmt.Errorf("only must name a field in either %s or %s", version, hub)
	case h != nil:
		return &only{path: h, side: hub, inHub: true, fallback: w.Default}, nil
	}
	return &only{path: v, side: version, fallback: w.Default}, nil
}

func (o *only) toHub(_ context.Context, obj resource.Object, data *keptData) error {
	if o.inHub {
		return o.restore(obj, data)
	}
	return o.keep(obj, data)
}

func (o *only) toVersion(_ context.Context, obj resource.Object, data *keptData) error {
	if o.inHub {
		return o.keep(obj, data)
	}
	return o.restore(obj, data)
}

func (o *only) touches(field []string, inHub bool) bool {
	return inHub == o.inHub && o.path.covers(field)
}

func (o *only) key(where string) string { return where + "." + strings.Join(o.path.names, ".") }

func (o *only) keep(obj resource.Object, data *keptData) error {
	return owners(obj, o.path.prefix, "", func(owner map[string]any, where string) error {
		v, ok := take(owner, o.path.names, o.path.keepOf())
		switch {
		case ok && o.fallback != nil && reflect.DeepEqual(v, *o.fallback):
		case ok:
			data.put(o.side, o.key(where), &v)
		case o.fallback != nil && hasParent(owner, o.path.names):
			data.put(o.side, o.key(where), nil)
		}
		return nil
	})
}

func (o *only) restore(obj resource.Object, data *keptData) error {
	return owners(obj, o.path.prefix, "", func(owner map[string]any, where string) error {
		switch v, kept := data.get(o.side, o.key(where)); {
		case kept && v != nil:
			return put(owner, o.path.names, *v)
		case !kept && o.fallback != nil && hasParent(owner, o.path.names):
			return put(owner, o.path.names, resource.DeepCopy(resource.Object{"": *o.fallback})[""])
		}
		return nil
	})
}

// keptData is the content of DataAnnotation: of each version the fields that other versions have no place for.
type keptData struct {
	versions map[string]map[string]map[string]any // version -> field -> {"value": its value}, {} where it was absent
	had      bool
}

// maxData bounds the annotation; Kubernetes bounds all of an object's annotations to 256 KiB.
const maxData = 128 << 10

// readData reads the annotation of obj. One that does not decode is nobody's: it is treated as empty.
func readData(obj resource.Object) *keptData {
	d := &keptData{versions: map[string]map[string]map[string]any{}}
	meta, _ := obj["metadata"].(map[string]any)
	annotations, _ := meta["annotations"].(map[string]any)
	text, had := annotations[DataAnnotation].(string)
	if d.had = had; !had {
		return d
	}
	stored, err := resource.Decode([]byte(text))
	if err != nil {
		return d
	}
	for version, fields := range stored {
		fields, _ := fields.(map[string]any)
		for name, v := range fields {
			if v, ok := v.(map[string]any); ok {
				if d.versions[version] == nil {
					d.versions[version] = map[string]map[string]any{}
				}
				d.versions[version][name] = v
			}
		}
	}
	return d
}

// put keeps a value; nil says that the field was absent.
func (d *keptData) put(version, field string, value *any) {
	if d.versions[version] == nil {
		d.versions[version] = map[string]map[string]any{}
	}
	kept := map[string]any{}
	if value != nil {
		kept["value"] = *value
	}
	d.versions[version][field] = kept
}

func (d *keptData) get(version, field string) (value *any, kept bool) {
	v, ok := d.versions[version][field]
	if !ok {
		return nil, false
	}
	if v, ok := v["value"]; ok {
		return &v, true
	}
	return nil, true
}

// write makes the annotation of obj what is kept now.
func (d *keptData) write(obj resource.Object) error {
	meta, _ := obj["metadata"].(map[string]any)
	annotations, _ := meta["annotations"].(map[string]any)
	if len(d.versions) == 0 {
		if d.had {
			delete(annotations, DataAnnotation)
			if len(annotations) == 0 {
				delete(meta, "annotations")
			}
		}
		return nil
	}
	all := resource.Object{}
	for version, fields := range d.versions {
		m := map[string]any{}
		for name, v := range fields {
			m[name] = v
		}
		all[version] = m
	}
	raw, err := resource.Encode(all)
	switch {
	case err != nil:
		return err
	case len(raw) > maxData:
		return fmt.Errorf("what other versions have no field for takes %d bytes, the annotation has room for %d", len(raw), maxData)
	case meta == nil:
		return errors.New("the object has no metadata")
	}
	if annotations == nil {
		annotations = map[string]any{}
		meta["annotations"] = annotations
	}
	annotations[DataAnnotation] = string(raw)
	return nil
}
