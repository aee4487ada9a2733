package crd

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metatable "k8s.io/apimachinery/pkg/api/meta/table"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/jsonpath"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// columnsOf makes the columns of a version's tables; without any declared there is the age. A path that does not parse
// ends them, as it does with Kubernetes, which accepts it: the columns before it are shown.
func columnsOf(declared []apiextensionsv1.CustomResourceColumnDefinition) []resource.Column {
	if len(declared) == 0 {
		declared = []apiextensionsv1.CustomResourceColumnDefinition{{
			Name: "Age", Type: "date", JSONPath: ".metadata.creationTimestamp",
			Description: metav1.ObjectMeta{}.SwaggerDoc()["creationTimestamp"],
		}}
	}
	out := make([]resource.Column, 0, len(declared))
	for i := range declared {
		c, ok := columnOf(&declared[i])
		if !ok {
			break
		}
		out = append(out, c)
	}
	return out
}

func columnOf(d *apiextensionsv1.CustomResourceColumnDefinition) (c resource.Column, ok bool) {
	c = resource.Column{
		Name: d.Name, Type: d.Type, Format: d.Format, Priority: d.Priority, Description: d.Description,
	}
	if c.Description == "" {
		c.Description = fmt.Sprintf("Custom resource definition column (in JSONPath format): %s", d.JSONPath)
	}
	if path, ok := plainPath(d.JSONPath); ok {
		c.Path = path
		return c, true
	}
	// A parsed JSONPath is not safe for concurrent use, so each evaluation parses anew; such paths are rare.
	if _, err := parsePath(d); err != nil {
		return c, false
	}
	definition := *d
	c.Value = func(obj resource.Object) any { return evaluate(&definition, obj) }
	return c, true
}

func parsePath(d *apiextensionsv1.CustomResourceColumnDefinition) (*jsonpath.JSONPath, error) {
	path := jsonpath.New(d.Name).AllowMissingKeys(true)
	return path, path.Parse("{" + d.JSONPath + "}")
}

// plainPath splits a JSON path that is nothing but names: ".spec.replicas".
func plainPath(text string) ([]string, bool) {
	rest, ok := strings.CutPrefix(text, ".")
	if !ok {
		return nil, false
	}
	path := strings.Split(rest, ".")
	for _, name := range path {
		if name == "" || strings.ContainsFunc(name, func(r rune) bool {
			return r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
		}) {
			return nil, false
		}
	}
	return path, true
}

// evaluate returns the cell of one object: the first result in the column's type, nil where there is none.
func evaluate(d *apiextensionsv1.CustomResourceColumnDefinition, obj resource.Object) any {
	path, err := parsePath(d)
	if err != nil {
		return nil
	}
	results, err := path.FindResults(obj)
	if err != nil || len(results) == 0 || len(results[0]) == 0 {
		return nil
	}
	value := results[0][0].Interface()
	if d.Type != "string" {
		return cell(d.Type, value)
	}
	var b bytes.Buffer
	if err := path.PrintResults(&b, []reflect.Value{reflect.ValueOf(value)}); err != nil {
		return nil
	}
	return b.String()
}

// cell converts a value to the type of a column, nil where it is of another.
func cell(columnType string, value any) any {
	switch columnType {
	case "integer":
		switch v := value.(type) {
		case int64:
			return v
		case float64:
			return int64(v)
		}
	case "number":
		switch v := value.(type) {
		case int64:
			return float64(v)
		case float64:
			return v
		}
	case "boolean":
		if v, ok := value.(bool); ok {
			return v
		}
	case "date":
		if v, ok := value.(string); ok {
			var t metav1.Time
			if err := t.UnmarshalQueryParameter(v); err != nil {
				return "<invalid>"
			}
			return metatable.ConvertToHumanReadableDateType(t)
		}
	}
	return nil
}
