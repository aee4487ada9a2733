package library

import (
	"fmt"
	"net/url"
	"reflect"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/kube-openapi/pkg/validation/strfmt"
)

var formatType = cel.ObjectType("kubernetes.NamedFormat")

// format is a value of type kubernetes.NamedFormat.
type format struct {
	name  string
	check func(string) []string // what is wrong with a text; nothing where it has the format
	size  int                   // of a regular expression that does the same; costs are worked out from it
}

func (f *format) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("type conversion error from 'Format' to '%v'", t)
}

func (f *format) ConvertToType(t ref.Type) ref.Val { return toType(f, formatType, t) }

func (f *format) Equal(other ref.Val) ref.Val {
	o, ok := other.(*format)
	if !ok {
		return noOverload(other)
	}
	return types.Bool(f.name == o.name)
}

func (f *format) Type() ref.Type { return formatType }
func (f *format) Value() any     { return f }

// formats are format.named, format.dns1123Label and the like, and validate.
func formats() []function {
	named := namedFormats()
	out := []function{
		{"validate", []cel.FunctionOpt{member("format-validate", []*cel.Type{formatType, cel.StringType},
			cel.OptionalType(cel.ListType(cel.StringType)), binary(func(f *format, text string) ref.Val {
				problems := f.check(text)
				if len(problems) == 0 {
					return types.OptionalNone
				}
				return types.OptionalOf(types.NewStringList(types.DefaultTypeAdapter, problems))
			}))}},
		{"format.named", []cel.FunctionOpt{global("format-named", []*cel.Type{cel.StringType}, cel.OptionalType(formatType),
			unary(func(name string) ref.Val {
				f, ok := named[name]
				if !ok {
					return types.OptionalNone
				}
				return types.OptionalOf(f)
			}))}},
	}
	for name, f := range named {
		name = "format." + name
		out = append(out, function{name, []cel.FunctionOpt{global(name, []*cel.Type{}, formatType,
			cel.FunctionBinding(func(...ref.Val) ref.Val { return f }))}})
	}
	return out
}

// namedFormats are keyed by what rules call them. The sizes are kube-apiserver's estimates.
func namedFormats() map[string]*format {
	name := func(check func(string, bool) []string, prefix bool) func(string) []string {
		return func(s string) []string { return check(s, prefix) }
	}
	registered := func(name, problem string) func(string) []string {
		return func(s string) []string {
			if !strfmt.Default.Validates(name, s) {
				return []string{problem}
			}
			return nil
		}
	}
	return map[string]*format{
		"dns1123Label":           {"DNS1123Label", name(apivalidation.NameIsDNSLabel, false), 30},
		"dns1123Subdomain":       {"DNS1123Subdomain", name(apivalidation.NameIsDNSSubdomain, false), 60},
		"dns1035Label":           {"DNS1035Label", name(apivalidation.NameIsDNS1035Label, false), 30},
		"dns1123LabelPrefix":     {"DNS1123LabelPrefix", name(apivalidation.NameIsDNSLabel, true), 30},
		"dns1123SubdomainPrefix": {"DNS1123SubdomainPrefix", name(apivalidation.NameIsDNSSubdomain, true), 60},
		"dns1035LabelPrefix":     {"DNS1035LabelPrefix", name(apivalidation.NameIsDNS1035Label, true), 30},
		"qualifiedName":          {"QualifiedName", validation.IsQualifiedName, 60},
		"labelValue":             {"LabelValue", validation.IsValidLabelValue, 40},
		"uri": {"URI", func(s string) []string {
			if _, err := url.ParseRequestURI(s); err != nil {
				return []string{err.Error()}
			}
			return nil
		}, 1103},
		"uuid":     {"uuid", registered("uuid", "does not match the UUID format"), len(strfmt.UUIDPattern)},
		"byte":     {"byte", registered("byte", "invalid base64"), 84},
		"date":     {"date", registered("date", "invalid date"), len(strfmt.DateTimePattern)},
		"datetime": {"datetime", registered("datetime", "invalid datetime"), len(strfmt.DateTimePattern)},
	}
}
