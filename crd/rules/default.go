package rules

import (
	"encoding/json"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// servicePort is where a conversion webhook listens that names none.
const servicePort = int32(443)

// Default fills in what kube-apiserver does when a definition leaves it open: names made of the kind, no conversion,
// the port of a webhook's service, and the stored versions. obj is a decoded CustomResourceDefinition; what has the
// wrong type in it is left alone.
func Default(obj map[string]any) {
	spec, _ := obj["spec"].(map[string]any)
	if spec == nil {
		return
	}
	if names, ok := spec["names"].(map[string]any); ok {
		defaultNames(names)
	}
	defaultConversion(spec)
	defaultStored(obj, spec)
}

func defaultNames(names map[string]any) {
	kind, _ := names["kind"].(string)
	if kind == "" {
		return
	}
	if v, _ := names["singular"].(string); v == "" {
		names["singular"] = strings.ToLower(kind)
	}
	if v, _ := names["listKind"].(string); v == "" {
		names["listKind"] = kind + "List"
	}
}

func defaultConversion(spec map[string]any) {
	conversion, ok := spec["conversion"].(map[string]any)
	if !ok {
		spec["conversion"] = map[string]any{"strategy": string(apiextensionsv1.NoneConverter)}
		return
	}
	webhook, _ := conversion["webhook"].(map[string]any)
	client, _ := webhook["clientConfig"].(map[string]any)
	if service, ok := client["service"].(map[string]any); ok && service["port"] == nil {
		service["port"] = int64(servicePort)
	}
}

func defaultStored(obj, spec map[string]any) {
	status, _ := obj["status"].(map[string]any)
	if stored, _ := status["storedVersions"].([]any); len(stored) > 0 {
		return
	}
	versions, _ := spec["versions"].([]any)
	for _, v := range versions {
		v, _ := v.(map[string]any)
		if storage, _ := v["storage"].(bool); !storage {
			continue
		}
		if status == nil {
			status = map[string]any{}
			obj["status"] = status
		}
		status["storedVersions"] = []any{v["name"]}
		return
	}
}

// defaulted returns a copy of c as a server would have it after reading it: with defaults, and JSON written its way.
func defaulted(c *definition) (*definition, error) {
	raw, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	var obj map[string]any
	if err := json.Unmarshal(raw, &obj); err != nil {
		return nil, err
	}
	delete(obj, "status")
	Default(obj)
	if raw, err = json.Marshal(obj); err != nil {
		return nil, err
	}
	out := &definition{}
	return out, json.Unmarshal(raw, out)
}
