package offline

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/keelson-project/keelson/crd/source"
)

// Options of Validate; the zero value is what kubectl does by default.
type Options struct {
	// FieldValidation is Strict ("" as well), Warn or Ignore: what is said of unknown and duplicate fields.
	FieldValidation string
	// Namespace is where objects go that name none; "" is default.
	Namespace string
	// Webhooks asks the conversion webhooks of CustomResourceDefinitions, as a server in a cluster does. Without it
	// objects are judged by the schema of the version that they are in, and nobody is asked.
	Webhooks bool
}

const crdPath = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

// Validate returns the server's verdicts, first on the CustomResourceDefinitions that it refuses or warns of, and
// then on each object. CustomResourceDefinitions among the objects are installed as well, before any other object
// is looked at, and have verdicts in any case. The error says that no verdict could be had.
func Validate(ctx context.Context, crds, objects []*source.Document, o Options) ([]Verdict, error) {
	switch o.FieldValidation {
	case "":
		o.FieldValidation = "Strict"
	case "Strict", "Warn", "Ignore":
	default:
		return nil, fmt.Errorf("field validation %q: want Strict, Warn or Ignore", o.FieldValidation)
	}
	if o.Namespace == "" {
		o.Namespace = "default"
	}
	var verdicts []Verdict
	err := withServer(ctx, func(ctx context.Context, s *server) error {
		for _, d := range crds {
			v, err := s.install(ctx, d, o)
			if err != nil {
				return err
			}
			if !v.Accepted || len(v.Warnings) > 0 {
				verdicts = append(verdicts, *v)
			}
		}
		for _, crd := range []bool{true, false} {
			judge := s.create
			if crd {
				judge = s.install
			}
			for _, d := range objects {
				if d.IsCRD() != crd {
					continue
				}
				v, err := judge(ctx, d, o)
				if err != nil {
					return err
				}
				verdicts = append(verdicts, *v)
			}
		}
		return nil
	})
	return verdicts, err
}

// install creates a CustomResourceDefinition. The same one again is no conflict.
func (s *server) install(ctx context.Context, d *source.Document, o Options) (*Verdict, error) {
	if before := s.installed[d.Name]; before != nil && bytes.Equal(before.JSON, d.JSON) {
		v := verdictOn(d)
		v.Accepted, v.Code = true, http.StatusCreated
		return v, nil
	}
	v, err := s.installNew(ctx, d, o)
	if err == nil && v.Accepted {
		s.installed[d.Name] = d
	}
	return v, err
}

func (s *server) installNew(ctx context.Context, d *source.Document, o Options) (*Verdict, error) {
	v := verdictOn(d)
	if d.APIVersion != "apiextensions.k8s.io/v1" {
		v.Message = noMatch(d)
		return v, nil
	}
	withoutWebhook, err := withoutConversion(d, o)
	if err != nil {
		return nil, err
	}
	path := crdPath + "?fieldValidation=" + o.FieldValidation
	if withoutWebhook != nil {
		path += "&dryRun=All"
	}
	a, err := s.do(ctx, http.MethodPost, path, "application/yaml", d.Raw)
	if err != nil {
		return nil, err
	}
	v.read(d, a)
	if withoutWebhook != nil && v.Accepted {
		if a, err = s.do(ctx, http.MethodPost, crdPath, "application/json", withoutWebhook); err != nil {
			return nil, err
		}
		warnings := v.Warnings
		v.read(d, a)
		v.Warnings = warnings
	}
	clear(s.kinds) // what was not served may be now
	return v, nil
}

// withoutConversion returns a CustomResourceDefinition that does without its conversion webhook; nil where it has
// none, or its webhook is to be asked.
func withoutConversion(d *source.Document, o Options) ([]byte, error) {
	var obj map[string]any
	if err := json.Unmarshal(d.JSON, &obj); o.Webhooks || err != nil {
		return nil, nil //nolint:nilerr // the server says what is wrong with it
	}
	spec, _ := obj["spec"].(map[string]any)
	conversion, _ := spec["conversion"].(map[string]any)
	if conversion["strategy"] != "Webhook" {
		return nil, nil
	}
	spec["conversion"] = map[string]any{"strategy": "None"}
	return json.Marshal(obj)
}

// create asks for the creation of an object, without having it.
func (s *server) create(ctx context.Context, d *source.Document, o Options) (*Verdict, error) {
	v := verdictOn(d)
	switch {
	case d.APIVersion == "":
		v.Message = "apiVersion not set"
		return v, nil
	case d.Kind == "":
		v.Message = "kind not set"
		return v, nil
	}
	r, err := s.resource(ctx, d.APIVersion, d.Kind)
	if err != nil {
		return nil, err
	}
	if r == nil {
		v.Message = noMatch(d)
		return v, nil
	}
	namespace := d.Namespace
	if namespace == "" {
		namespace = o.Namespace
	}
	path, err := s.collection(ctx, d.APIVersion, r, namespace)
	if err != nil {
		return nil, err
	}
	query := url.Values{"dryRun": {"All"}, "fieldValidation": {o.FieldValidation}}
	a, err := s.do(ctx, http.MethodPost, path+"?"+query.Encode(), "application/yaml", d.Raw)
	if err != nil {
		return nil, err
	}
	v.read(d, a)
	return v, nil
}

// noMatch is what kubectl says of a kind that the server does not have.
func noMatch(d *source.Document) string {
	return fmt.Sprintf("no matches for kind %q in version %q", d.Kind, d.APIVersion)
}
