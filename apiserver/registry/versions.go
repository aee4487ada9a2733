package registry

import (
	"context"
	"fmt"
	"strings"

	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/watchcache"
)

// Between the versions of a kind, this is what kube-apiserver does. What is read: an object is pruned and defaulted by
// the schema of the version in which it is stored, converted, and pruned by the schema of the version asked for, which
// does not default it. What is written, which has been pruned and defaulted in the version of the request: it is
// converted and pruned by the schema of the storage version, whose defaults are filled in. (kube-apiserver fills them
// in when it reads; here most reads hand out the bytes as they are stored.)

// native says that stored bytes, written at revision, are what clients of the target get.
func (t *Target) native(data []byte, revision storage.Revision) bool {
	d := t.Def
	switch {
	case t.AsStored || t.MetadataOnly:
		return true
	case d.Keeper != nil || t.Version.Name != d.Storage:
		return false
	case !d.Custom:
		return true
	}
	return d.SchemaRevision <= int64(revision) && resource.HasAPIVersion(data, d.Group, d.Storage)
}

// renamed says that stored bytes differ from what clients of the target get in their apiVersion only.
func (t *Target) renamed(data []byte, revision storage.Revision) bool {
	d := t.Def
	if !d.Custom {
		return d.Convert == nil
	}
	if d.Convert != nil || d.SchemaRevision > int64(revision) || !resource.HasAPIVersion(data, d.Group, d.Storage) {
		return false
	}
	stored := d.Version(d.Storage)
	shape, ok := t.Version.Schema.(resource.ShapeComparer)
	return ok && stored != nil && shape.SameShape(stored.Schema)
}

// encodeStored turns bytes as they were stored at revision into those of the target's version.
func (t *Target) encodeStored(ctx context.Context, data []byte, revision storage.Revision) ([]byte, error) {
	switch {
	case t.native(data, revision):
		return data, nil
	case t.renamed(data, revision):
		return resource.WithAPIVersion(data, t.Def.APIVersion(t.Version.Name)), nil
	}
	obj, err := t.fromStored(ctx, data, revision)
	if err != nil {
		return nil, err
	}
	return resource.Encode(obj)
}

// encodeEntry is encodeStored for an entry, which remembers the outcome.
func (t *Target) encodeEntry(ctx context.Context, e *watchcache.Entry) ([]byte, error) {
	switch {
	case t.native(e.Data, e.Written()):
		return e.Data, nil
	case !t.Def.Custom || t.renamed(e.Data, e.Written()): // to keep it would cost more than to make it again
		return t.encodeStored(ctx, e.Data, e.Written())
	}
	return e.View(ctx, t.viewKey(), func(ctx context.Context, e *watchcache.Entry) ([]byte, error) {
		return t.encodeStored(ctx, e.Data, e.Written())
	})
}

func (t *Target) viewKey() watchcache.ViewKey {
	return watchcache.ViewKey{SchemaRevision: t.Def.SchemaRevision, Version: t.Version.Name}
}

// fromStored decodes an object that was stored at revision into the target's version. Error: *undecodableError.
func (t *Target) fromStored(ctx context.Context, data []byte, revision storage.Revision) (resource.Object, error) {
	obj, err := t.decode(data)
	if err == nil && !t.native(data, revision) {
		obj, err = t.revise(ctx, obj, revision)
	}
	if err != nil {
		return nil, &undecodableError{revision: revision, err: err}
	}
	return obj, nil
}

// decode decodes what is stored. Custom resources from before they had generations get their first.
func (t *Target) decode(data []byte) (resource.Object, error) {
	obj, err := resource.Decode(data)
	if err == nil && t.Def.Custom {
		if m := metadata(obj); m["generation"] == nil || m["generation"] == int64(0) {
			m["generation"] = int64(1)
		}
	}
	return obj, err
}

// revise brings a decoded stored object into the target's version.
func (t *Target) revise(ctx context.Context, obj resource.Object, revision storage.Revision) (resource.Object, error) {
	if !t.Def.Custom {
		return convert(ctx, t.Def, obj, t.Version.Name)
	}
	stored, err := t.renew(obj, revision)
	if err != nil {
		return nil, err
	}
	if stored == t.Version.Name {
		return obj, nil
	}
	if obj, err = convert(ctx, t.Def, obj, t.Version.Name); err != nil {
		return nil, err
	}
	return obj, accept(t.Version, obj)
}

// renew makes of a stored object what the present schema of its version says, and returns that version.
func (t *Target) renew(obj resource.Object, revision storage.Revision) (version string, err error) {
	d := t.Def
	apiVersion, _ := obj["apiVersion"].(string)
	group, version, _ := strings.Cut(apiVersion, "/")
	v := d.Version(version)
	if v == nil || group != d.Group {
		return "", fmt.Errorf("request to convert CR from an invalid group/version: %s", apiVersion)
	}
	if version != d.Storage || int64(revision) < d.SchemaRevision {
		if s, ok := v.Schema.(resource.Salvager); ok {
			err = s.Salvage(obj)
		} else {
			v.Schema.Prune(obj)
		}
		v.Schema.Default(obj)
	}
	return version, err
}

// accept makes of a converted object one of version v, without filling in defaults. The error says what of it is
// malformed, which not even a conversion may bring.
func accept(v *resource.Version, obj resource.Object) error {
	if checker, ok := v.Schema.(resource.TypeChecker); ok {
		if err := checker.CheckTypes(obj); err != nil {
			return err
		}
	}
	v.Schema.Prune(obj)
	return nil
}

// toStored encodes an object of the target's version for the store: storage version, no resourceVersion.
func (t *Target) toStored(ctx context.Context, obj resource.Object) ([]byte, error) {
	if d := t.Def; !t.AsStored && (d.Keeper != nil || t.Version.Name != d.Storage) {
		keeper := d
		if keeper.Keeper != nil {
			keeper = keeper.Keeper
		}
		var err error
		if obj, err = convert(ctx, keeper, resource.DeepCopy(obj), keeper.Storage); err != nil {
			return nil, err
		}
		if keeper.Custom {
			if v := keeper.Version(keeper.Storage); v != nil {
				if err = accept(v, obj); err != nil {
					return nil, err
				}
				v.Schema.Default(obj)
			}
		}
	}
	meta, _ := obj["metadata"].(map[string]any)
	rv, had := meta["resourceVersion"]
	delete(meta, "resourceVersion")
	data, err := resource.Encode(obj)
	if had {
		meta["resourceVersion"] = rv
	}
	return data, err
}

func convert(ctx context.Context, d *resource.Definition, obj resource.Object, version string) (resource.Object, error) {
	if d.Convert != nil {
		return d.Convert(ctx, obj, version)
	}
	obj["apiVersion"] = d.APIVersion(version)
	return obj, nil
}

// What goes into one call of a Definition's ConvertList: so many objects, or less where their bytes add up to so much.
const (
	convertBatch      = 256
	convertBatchBytes = 4 << 20
)

// prepare makes the forms in which entries will be shown, where that takes a conversion: many at a time, and all of
// them before the first is written, so that a list that cannot be shown whole is not begun.
func (t *Target) prepare(ctx context.Context, entries []*watchcache.Entry) error {
	if !t.Def.Custom || t.MetadataOnly || t.AsStored {
		return nil
	}
	var failed undecodableList
	key := t.viewKey()
	var batch []*watchcache.Entry
	size := 0
	for _, e := range entries {
		if t.native(e.Data, e.Written()) || t.renamed(e.Data, e.Written()) || e.HasView(key) {
			continue
		}
		batch, size = append(batch, e), size+len(e.Data)
		if len(batch) == convertBatch || size >= convertBatchBytes {
			t.convertEntries(ctx, batch, &failed)
			batch, size = batch[:0], 0
		}
		if failed.full() || ctx.Err() != nil {
			break
		}
	}
	if len(batch) > 0 && !failed.full() {
		t.convertEntries(ctx, batch, &failed)
	}
	if err := ctx.Err(); err != nil {
		return t.storeError(err)
	}
	return failed.status(t.Def)
}

// convertEntries gives each entry its form in the target's version.
func (t *Target) convertEntries(ctx context.Context, entries []*watchcache.Entry, failed *undecodableList) {
	var waiting []*watchcache.Entry
	var objs []resource.Object
	for _, e := range entries {
		obj, err := t.decode(e.Data)
		if err == nil {
			var stored string
			if stored, err = t.renew(obj, e.Written()); err == nil && stored != t.Version.Name {
				waiting, objs = append(waiting, e), append(objs, obj)
				continue
			}
		}
		t.keepForm(e, obj, err, failed)
	}
	if len(objs) == 0 {
		return
	}
	for i, c := range convertList(ctx, t.Def, objs, t.Version.Name) {
		if c.Err == nil {
			c.Err = accept(t.Version, c.Object)
		}
		t.keepForm(waiting[i], c.Object, c.Err, failed)
	}
}

func convertList(ctx context.Context, d *resource.Definition, objs []resource.Object, version string) []resource.Converted {
	if d.ConvertList != nil {
		return d.ConvertList(ctx, objs, version)
	}
	out := make([]resource.Converted, len(objs))
	for i, obj := range objs {
		out[i].Object, out[i].Err = convert(ctx, d, obj, version)
	}
	return out
}

func (t *Target) keepForm(e *watchcache.Entry, obj resource.Object, err error, failed *undecodableList) {
	var data []byte
	if err == nil {
		data, err = resource.Encode(obj)
	}
	if err != nil {
		failed.add(e.Key, &undecodableError{revision: e.Written(), err: err})
		return
	}
	e.SetView(t.viewKey(), data)
}
