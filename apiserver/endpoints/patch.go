package endpoints

import (
	"errors"
	"mime"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/apiserver/patch"
	"github.com/keelson-project/keelson/apiserver/registry"
	"github.com/keelson-project/keelson/apiserver/resource"
)

func (c *call) patch() error {
	out, err := c.negotiate(true)
	if err != nil {
		return err
	}
	o, p, err := c.readPatch(c.t.Version.GoType)
	if err != nil {
		return err
	}
	if p.Config != nil {
		res, err := c.api.registry.Apply(c.r.Context(), c.t, p.Config, o)
		if err != nil {
			return err
		}
		return c.writeOne(out, statusCode(res), res.Data)
	}
	strict := o.StrictErrors
	o.StrictErrors = nil
	var patched resource.Object
	shown := "" // where pruning will have changed patched by the time that it is refused
	res, err := c.api.registry.Patch(c.r.Context(), c.t, o, func(obj resource.Object) (resource.Object, error) {
		var err error
		if patched, err = p.Apply(obj); err != nil {
			return nil, patchFailed(err)
		}
		if o.FieldValidation == registry.Strict {
			shown = p.Shown(patched)
		}
		if c.t.Def.Custom && (patched["kind"] != c.t.Def.Names.Kind || patched["apiVersion"] != c.t.Def.APIVersion(c.t.Version.Name)) {
			encoded := p.Shown(patched)
			if err := checkPatchedHead(patched, encoded); err != nil {
				return nil, invalidPatch(encoded, err)
			}
		}
		return patched, nil
	}, func(err error) error {
		if shown == "" {
			shown = p.Shown(patched)
		}
		return invalidPatch(shown, err)
	}, strict)
	if err != nil {
		return err
	}
	return c.writeOne(out, statusCode(res), res.Data)
}

// readPatch reads and parses the body of a PATCH of something whose Go type is goType (nil: it has none).
func (c *call) readPatch(goType any) (o registry.WriteOptions, p *patch.Patch, err error) {
	kind, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil {
		return o, nil, c.wrongPatchType()
	}
	if o, err = parsePatchQuery(c.r, patch.Type(kind)); err != nil {
		return o, nil, err
	}
	raw, err := c.readBody()
	if err != nil {
		return o, nil, err
	}
	if err := checkDepth(raw); err != nil {
		return o, nil, apierrors.NewBadRequest(err.Error())
	}
	p, err = patch.Parse(patch.Type(kind), raw, patch.Options{GoType: goType, Ignore: o.FieldValidation == registry.Ignore})
	switch {
	case errors.Is(err, patch.ErrUnsupported):
		return o, nil, c.wrongPatchType()
	case err != nil:
		return o, nil, apierrors.NewBadRequest(err.Error())
	}
	o.StrictErrors = p.Strict
	return o, p, nil
}

// wrongPatchType refuses a patch by its media type. Requests for built-in kinds do not get beyond the router in
// kube-apiserver, whose words are others.
func (c *call) wrongPatchType() error {
	err := unsupportedMediaType(c.patchTypes())
	if !c.t.Def.Custom {
		err.ErrStatus.Message, err.ErrStatus.Details = "415: Unsupported Media Type", &metav1.StatusDetails{}
	}
	return err
}

func (c *call) patchTypes() string {
	types := string(patch.JSON) + ", " + string(patch.Merge) + ", "
	if c.t.Version.GoType != nil {
		types += string(patch.Strategic) + ", "
	}
	return types + string(patch.Apply)
}

// patchFailed words what Patch.Apply returns as Kubernetes does.
func patchFailed(err error) error {
	switch {
	case errors.Is(err, patch.ErrMalformed):
		return apierrors.NewBadRequest(err.Error())
	case errors.Is(err, patch.ErrTooLarge):
		return apierrors.NewRequestEntityTooLargeError(err.Error())
	case errors.Is(err, patch.ErrNotApplicable):
		return apierrors.NewGenericServerResponse(http.StatusUnprocessableEntity, "", schema.GroupResource{}, "", err.Error(), 0, false)
	}
	return err
}

// invalidPatch is the answer where the patched object has fields that strict validation refuses.
func invalidPatch(shown string, err error) error {
	return apierrors.NewInvalid(schema.GroupKind{}, "", field.ErrorList{
		field.Invalid(field.NewPath("patch"), shown, err.Error()),
	})
}
