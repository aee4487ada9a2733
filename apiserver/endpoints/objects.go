package endpoints

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/keelson-project/keelson/apiserver/registry"
	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/internal/accept"
)

func (c *call) get() error {
	out, err := c.negotiate(true)
	if err != nil {
		return err
	}
	c.t.MetadataOnly = out.metadataOnly()
	data, err := c.api.registry.Get(c.r.Context(), c.t, c.r.URL.Query().Get("resourceVersion"))
	if err != nil {
		return err
	}
	return c.writeOne(out, http.StatusOK, data)
}

// writeOne answers with one object of the target's kind, in the view that the client asked for.
func (c *call) writeOne(out output, code int, data []byte) error {
	switch out.as {
	case "Table":
		t, err := c.newTable(out)
		if err != nil {
			return err
		}
		data, err = t.single(c.r.Context(), data)
		if err != nil {
			return err
		}
	case "PartialObjectMetadata":
		data = resource.PartialMetadata(data, out.table)
	case "PartialObjectMetadataList":
		return accept.None(mediaJSON, mediaYAML, mediaProtobuf)
	}
	writeObject(c.w, c.r, out, code, data)
	return nil
}

// readObject reads and decodes the body of a create or update.
func (c *call) readObject(kind string) (*decoded, registry.WriteOptions, error) {
	o, err := parseWriteQuery(c.r, kind)
	if err != nil {
		return nil, o, err
	}
	body, err := c.readBody()
	if err != nil {
		return nil, o, err
	}
	if obj, ok := c.decodeNew(body); ok {
		return &decoded{obj: obj}, o, checkType(&c.t, obj, body, c.api.registered)
	}
	d, err := decodeObject(c.r, &c.t, body, o.FieldValidation != registry.Ignore, c.api.registered)
	if err != nil {
		return nil, o, err
	}
	o.StrictErrors = d.strict
	return d, o, nil
}

// decodeNew reads the body of a create in the kind's own way, if it has one and that can read this body.
func (c *call) decodeNew(body []byte) (resource.Object, bool) {
	if c.t.Def.DecodeNew == nil || c.r.Method != http.MethodPost {
		return nil, false
	}
	if ct := c.r.Header.Get("Content-Type"); ct != "" && ct != mediaJSON || checkDepth(body) != nil {
		return nil, false
	}
	return c.t.Def.DecodeNew(body)
}

func (c *call) create() error {
	out, err := c.negotiate(true)
	if err != nil {
		return err
	}
	d, o, err := c.readObject("CreateOptions")
	if err != nil {
		return err
	}
	if c.t.Def.Namespaced && c.t.Namespace == "" {
		m, _ := d.obj["metadata"].(map[string]any)
		if ns, _ := m["namespace"].(string); ns == "" {
			return apierrors.NewBadRequest("an empty namespace may not be set during creation")
		}
		return apierrors.NewBadRequest("the namespace of the provided object does not match the namespace sent on the request")
	}
	res, err := c.api.registry.Create(c.r.Context(), c.t, d.obj, o)
	if err != nil {
		return err
	}
	return c.writeOne(out, http.StatusCreated, res.Data)
}

func (c *call) update() error {
	out, err := c.negotiate(true)
	if err != nil {
		return err
	}
	d, o, err := c.readObject("UpdateOptions")
	if err != nil {
		return err
	}
	res, err := c.api.registry.Update(c.r.Context(), c.t, d.obj, o)
	if err != nil {
		return err
	}
	return c.writeOne(out, statusCode(res), res.Data)
}

func statusCode(res *registry.Result) int {
	if res.Created {
		return http.StatusCreated
	}
	return http.StatusOK
}

func (c *call) delete() error {
	out, err := c.negotiate(true)
	if err != nil {
		return err
	}
	o, err := c.readDelete()
	if err != nil {
		return err
	}
	d, err := c.api.registry.Delete(c.r.Context(), c.t, o)
	if err != nil {
		return err
	}
	if !d.Gone || c.t.Def.AnswersDeleted {
		code := http.StatusOK
		if !d.Gone && o.OrphanDependents != nil && !*o.OrphanDependents { //nolint:staticcheck // deprecated, still served
			code = http.StatusAccepted
		}
		return c.writeOne(out, code, d.Object(c.r.Context()))
	}
	status, err := json.Marshal(metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusSuccess,
		Details: &metav1.StatusDetails{Name: d.Name, Group: c.t.Def.Group, Kind: c.t.Def.Names.Plural, UID: types.UID(d.UID)},
	})
	if err != nil {
		return err
	}
	out.as = ""
	writeObject(c.w, c.r, out, http.StatusOK, status)
	return nil
}

func (c *call) deleteCollection() error {
	out, err := c.negotiate(true)
	if err != nil {
		return err
	}
	q, err := parseListQuery(c.r.URL.Query(), false)
	if err != nil {
		return err
	}
	o, err := c.readDelete()
	if err != nil {
		return err
	}
	list, err := c.api.registry.DeleteCollection(c.r.Context(), c.t, o, q.ListOptions)
	if err != nil {
		return err
	}
	return c.writeList(out, list)
}

func (c *call) readDelete() (metav1.DeleteOptions, error) {
	body, err := c.readBody()
	if err != nil {
		return metav1.DeleteOptions{}, err
	}
	return parseDelete(c.r.URL.Query(), c.r.Header.Get("Content-Type"), body)
}

// subresource serves status and its like (views of the same object) and scale.
func (c *call) subresource() error {
	sub := c.t.Version.Subresources[c.info.Sub]
	verbs := sub.Verbs
	if verbs == nil {
		verbs = []string{"get", "patch", "update"}
	}
	if !slices.Contains(verbs, c.info.Verb) || c.info.Rest != "" {
		return accept.MethodNotAllowed()
	}
	if sub.Scale != nil {
		return c.scale(sub.Scale)
	}
	switch c.info.Verb {
	case "get":
		return c.get()
	case "update":
		return c.update()
	case "patch":
		return c.patch()
	}
	return errors.New("subresource " + c.info.Sub + " names the verb " + c.info.Verb + ", for which there is no way to write it")
}
