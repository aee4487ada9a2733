package validation_test

import (
	"math"
	"math/big"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"k8s.io/kube-openapi/pkg/validation/strfmt"

	"github.com/keelson-project/keelson/crd/schema"
	"github.com/keelson-project/keelson/crd/validation"
)

// valid is the dumb model of Validate's verdict: each keyword's rule as Kubernetes understands it, one after another,
// without compiled anything.
func valid(s *schema.Schema, value any) bool {
	if s == nil {
		return true
	}
	var types []string
	if s.IntOrString {
		types = []string{"integer", "string"}
	} else if s.Type != "" {
		types = []string{s.Type}
	}
	format := ""
	if one := strings.Join(types, ","); len(types) < 2 && validation.IsSupportedFormat(one, s.Format) ||
		len(types) == 2 && validation.IsSupportedFormat("", s.Format) {
		format = s.Format
	}
	if value == nil {
		return (len(types) == 0 || s.Nullable) && len(s.Enum) == 0
	}
	if !rightType(types, format, value) || !inEnum(s, value) || !validLogic(s, value) {
		return false
	}
	switch x := value.(type) {
	case string:
		n := int64(utf8.RuneCountInString(x))
		return (s.MaxLength == nil || n <= *s.MaxLength) && (s.MinLength == nil || n >= *s.MinLength) &&
			(s.Pattern == "" || regexp.MustCompile(s.Pattern).MatchString(x)) &&
			(!strfmt.Default.ContainsName(format) || strfmt.Default.Validates(format, x))
	case int64, float64:
		return validNumber(s, types, format, value)
	case []any:
		for _, element := range x {
			if !valid(s.Items, element) {
				return false
			}
		}
		return inLimits(len(x), s.MinItems, s.MaxItems)
	case map[string]any:
		for name, member := range x {
			child, ok := s.Properties[name]
			if !ok {
				child = s.Additional
			}
			if !valid(child, member) {
				return false
			}
		}
		for _, name := range s.Required {
			if _, ok := x[name]; !ok {
				return false
			}
		}
		return inLimits(len(x), s.MinProperties, s.MaxProperties)
	}
	return true
}

func inLimits(n int, least, most *int64) bool {
	return (least == nil || int64(n) >= *least) && (most == nil || int64(n) <= *most)
}

func rightType(types []string, format string, value any) bool {
	has := func(t string) bool { return slices.Contains(types, t) }
	if len(types) == 0 && format == "" {
		return true
	}
	numeric := has("number") || has("integer")
	switch x := value.(type) {
	case string:
		return has("string") || format != "" && !numeric
	case []any:
		return has("array") || format != "" && !numeric
	case bool:
		return has("boolean")
	case map[string]any:
		return has("object")
	case int64:
		return numeric || format == "int64" && len(types) == 0
	case float64:
		return has("number") || has("integer") && nearInteger(x)
	}
	return false
}

// nearInteger is the tolerance of go-openapi.
func nearInteger(f float64) bool {
	if math.Abs(f) > 1<<53-1 {
		return false
	}
	whole := math.Round(f)
	return f == whole || whole != 0 && math.Abs(f-whole)/math.Abs(whole) < 1e-9
}

func inEnum(s *schema.Schema, value any) bool {
	if len(s.Enum) == 0 {
		return true
	}
	for _, e := range s.Enum {
		if e == nil {
			continue
		}
		v, want := reflect.ValueOf(value), reflect.TypeOf(e)
		if v.Type().ConvertibleTo(want) && reflect.DeepEqual(v.Convert(want).Interface(), e) {
			return true
		}
	}
	return false
}

func validLogic(s *schema.Schema, value any) bool {
	count := func(branches []*schema.Schema) (n int) {
		for _, b := range branches {
			if valid(b, value) {
				n++
			}
		}
		return n
	}
	return count(s.AllOf) == len(s.AllOf) &&
		(len(s.AnyOf) == 0 || count(s.AnyOf) > 0) &&
		(len(s.OneOf) == 0 || count(s.OneOf) == 1) &&
		(s.Not == nil || !valid(s.Not, value))
}

func validNumber(s *schema.Schema, types []string, format string, value any) bool {
	fits := func(n any) bool {
		if len(types) != 1 {
			return true
		}
		f := asFloat(n)
		switch {
		case types[0] == "integer":
			text := strconv.FormatFloat(f, 'f', -1, 64)
			if i, ok := n.(int64); ok {
				text = strconv.FormatInt(i, 10)
			}
			i, ok := new(big.Int).SetString(text, 10)
			return ok && i.IsInt64() && (format != "int32" || i.Int64() == int64(int32(i.Int64())))
		case types[0] == "number" && format == "float":
			return math.Abs(f) <= math.MaxFloat32
		}
		return true
	}
	if !fits(value) {
		return false
	}
	i, isInt := value.(int64)
	within := func(bound *float64, exclusive bool, sign int) bool {
		if bound == nil {
			return true
		}
		if !fits(*bound) {
			return false
		}
		c := new(big.Float).SetFloat64(asFloat(value)).Cmp(new(big.Float).SetFloat64(*bound))
		if isInt {
			c = big.NewInt(i).Cmp(big.NewInt(int64(*bound)))
		}
		return c*sign > 0 || c == 0 && !exclusive
	}
	if !within(s.Minimum, s.ExclusiveMinimum, 1) || !within(s.Maximum, s.ExclusiveMaximum, -1) {
		return false
	}
	if s.MultipleOf == nil {
		return true
	}
	of := *s.MultipleOf
	switch {
	case !fits(of) || of <= 0 || isInt && int64(of) <= 0:
		return false
	case isInt:
		return i%int64(of) == 0
	case of < 1:
		return nearInteger(1 / of * asFloat(value))
	}
	return nearInteger(asFloat(value) / of)
}

func asFloat(n any) float64 {
	if i, ok := n.(int64); ok {
		return float64(i)
	}
	return n.(float64)
}
