package typed

import (
	"encoding/base64"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	kresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kjson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// CheckTypes implements resource.TypeChecker. An object that fits the shape costs one walk; for one that does not, it is
// decoded into the Go type, whose decoder words the error.
func (s *Schema) CheckTypes(obj resource.Object) error {
	if fits(obj, s.compiled()) {
		return nil
	}
	data, err := kjson.Marshal(obj)
	if err != nil {
		return err
	}
	return kjson.Unmarshal(data, reflect.New(s.goType).Interface())
}

// fits says whether a value can be decoded into the type behind a shape. Unknown fields do not matter.
func fits(v any, s *shape) bool {
	if v == nil {
		return true
	}
	switch s.kind {
	case object:
		m, ok := v.(map[string]any)
		if !ok {
			return false
		}
		for name, e := range m {
			if f := s.fields[name]; f != nil && !fits(e, f.shape) {
				return false
			}
		}
		return true
	case mapping:
		m, ok := v.(map[string]any)
		if !ok {
			return false
		}
		for _, e := range m {
			if !fits(e, s.elem) {
				return false
			}
		}
		return true
	case list:
		l, ok := v.([]any)
		return ok && !slices.ContainsFunc(l, func(e any) bool { return !fits(e, s.elem) })
	}
	return fitsScalar(v, s.kind)
}

func fitsScalar(v any, k kind) bool {
	text, isText := v.(string)
	n, isInt := v.(int64)
	_, isFloat := v.(float64)
	switch k {
	case anything:
		return true
	case int32s:
		return isInt && n >= math.MinInt32 && n <= math.MaxInt32
	case int64s:
		return isInt
	case float:
		return isInt || isFloat
	case boolean:
		_, ok := v.(bool)
		return ok
	case intOrString:
		return isText || isInt && n >= math.MinInt32 && n <= math.MaxInt32
	case quantity:
		if isText {
			_, err := kresource.ParseQuantity(strings.TrimSpace(text))
			return err == nil
		}
		return isInt || isFloat
	}
	return isText && fitsText(text, k)
}

func fitsText(text string, k kind) bool {
	var err error
	switch k {
	case timestamp:
		_, err = time.Parse(time.RFC3339, text)
	case microTimestamp:
		_, err = time.Parse(metav1.RFC3339Micro, text)
	case duration:
		_, err = time.ParseDuration(text)
	case base64Bytes:
		_, err = base64.StdEncoding.DecodeString(text)
	}
	return err == nil
}

// checkEnums reports the values that are none of their enumeration. The empty string is an absent value.
func checkEnums(v any, s *shape, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	switch s.kind {
	case text:
		if value, ok := v.(string); ok && value != "" && s.enum != nil && !slices.Contains(s.enum, value) {
			errs = append(errs, field.NotSupported(at, value, s.enum))
		}
	case object:
		m, _ := v.(map[string]any)
		for _, f := range s.checked {
			if e, ok := m[f.name]; ok {
				errs = append(errs, checkEnums(e, f.shape, at.Child(f.name))...)
			}
		}
	case mapping:
		m, _ := v.(map[string]any)
		for key, e := range m {
			errs = append(errs, checkEnums(e, s.elem, at.Key(key))...)
		}
	case list:
		l, _ := v.([]any)
		for i, e := range l {
			errs = append(errs, checkEnums(e, s.elem, at.Index(i))...)
		}
	}
	return errs
}
