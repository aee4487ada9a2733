package endpoints

import (
	"errors"
	"mime"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/apiserver/patch"
	"github.com/keelson-project/keelson/apiserver/registry"
	"github.com/keelson-project/keelson/apiserver/resource"
)

func (c *call) patch() error {
	out, err := negotiate(c.r, true)
	if err != nil {
		return err
	}
	o, p, raw, err := c.readPatch(c.t.Version.GoType)
	if err != nil {
		return err
	}
	if p.Config != nil {
		res, err := c.api.registry.Apply(c.r.Context(), c.t, func(resource.Object) (resource.Object, error) { return p.Config, nil }, o)
		if err != nil {
			return err
		}
		return c.writeOne(out, statusCode(res), res.Data)
	}
	strict := o.StrictErrors
	o.StrictErrors = nil
	res, err := c.api.registry.Patch(c.r.Context(), c.t, o, func(obj resource.Object) (resource.Object, error) {
		patched, err := p.Apply(obj)
		return patched, patchFailed(err)
	}, func(err error) error { return invalidPatch(raw, err) }, strict)
	if err != nil {
		return err
	}
	return c.writeOne(out, statusCode(res), res.Data)
}

// readPatch reads and parses the body of a PATCH of something whose Go type is goType (nil: it has none).
func (c *call) readPatch(goType any) (o registry.WriteOptions, p *patch.Patch, raw []byte, err error) {
	kind, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil {
		return o, nil, nil, unsupportedMediaType(c.patchTypes())
	}
	if o, err = parsePatchQuery(c.r, patch.Type(kind)); err != nil {
		return o, nil, nil, err
	}
	if raw, err = c.readBody(); err != nil {
		return o, nil, nil, err
	}
	if err := checkDepth(raw); err != nil {
		return o, nil, nil, apierrors.NewBadRequest(err.Error())
	}
	p, err = patch.Parse(patch.Type(kind), raw, goType)
	switch {
	case errors.Is(err, patch.ErrUnsupported):
		return o, nil, nil, unsupportedMediaType(c.patchTypes())
	case errors.Is(err, patch.ErrTooLarge):
		return o, nil, nil, apierrors.NewRequestEntityTooLargeError(err.Error())
	case err != nil:
		return o, nil, nil, apierrors.NewBadRequest(err.Error())
	}
	o.StrictErrors = p.Strict
	return o, p, raw, nil
}

func (c *call) patchTypes() string {
	types := string(patch.JSON) + ", " + string(patch.Merge) + ", "
	if c.t.Version.GoType != nil {
		types += string(patch.Strategic) + ", "
	}
	return types + string(patch.Apply)
}

// patchFailed words a patch that does not fit its object as Kubernetes does.
func patchFailed(err error) error {
	if !errors.Is(err, patch.ErrNotApplicable) {
		return err
	}
	return apierrors.NewGenericServerResponse(http.StatusUnprocessableEntity, "", schema.GroupResource{}, "", err.Error(), 0, false)
}

// invalidPatch is the answer where the patched object has fields that strict validation refuses.
func invalidPatch(raw []byte, err error) error {
	return apierrors.NewInvalid(schema.GroupKind{}, "", field.ErrorList{
		field.Invalid(field.NewPath("patch"), string(raw), err.Error()),
	})
}
