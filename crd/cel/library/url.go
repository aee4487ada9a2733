package library

import (
	"fmt"
	"net/url"
	"reflect"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

var urlType = cel.ObjectType("kubernetes.URL")

// webAddress is a value of type kubernetes.URL.
type webAddress struct{ *url.URL }

func (u webAddress) ConvertToNative(t reflect.Type) (any, error) {
	return toNative(u.URL, u.URL, "URL", t)
}

func (u webAddress) ConvertToType(t ref.Type) ref.Val { return toType(u, urlType, t) }

func (u webAddress) Equal(other ref.Val) ref.Val {
	o, ok := other.(webAddress)
	if !ok {
		return noOverload(other)
	}
	return types.Bool(u.String() == o.String())
}

func (u webAddress) Type() ref.Type { return urlType }
func (u webAddress) Value() any     { return u.URL }

// toNative gives v to Go code that asked for a T or for its text.
func toNative[T any](v T, text fmt.Stringer, name string, t reflect.Type) (any, error) {
	if reflect.TypeFor[T]().AssignableTo(t) {
		return v, nil
	}
	if reflect.TypeFor[string]().AssignableTo(t) {
		return text.String(), nil
	}
	return nil, fmt.Errorf("type conversion error from '%s' to '%v'", name, t)
}

// toType converts v, of type own, to t, which must be own or the type of types.
func toType(v ref.Val, own, t ref.Type) ref.Val {
	switch t {
	case own:
		return v
	case types.TypeType:
		return own.(ref.Val)
	}
	return types.NewErr("type conversion error from '%s' to '%s'", own, t)
}

// urls are url, isURL, and what a URL consists of.
func urls() []function {
	part := func(name, id string, f func(*url.URL) string) function {
		return function{name, []cel.FunctionOpt{member(id, []*cel.Type{urlType}, cel.StringType, unary(func(u *url.URL) ref.Val {
			return types.String(f(u))
		}))}}
	}
	text := []*cel.Type{cel.StringType}
	return []function{
		{"url", []cel.FunctionOpt{global("string_to_url", text, urlType, unary(parseURL))}},
		{"isURL", []cel.FunctionOpt{global("is_url_string", text, cel.BoolType, unary(func(s string) ref.Val {
			_, err := url.ParseRequestURI(s)
			return types.Bool(err == nil)
		}))}},
		part("getScheme", "url_get_scheme", func(u *url.URL) string { return u.Scheme }),
		part("getHost", "url_get_host", func(u *url.URL) string { return u.Host }),
		part("getHostname", "url_get_hostname", (*url.URL).Hostname),
		part("getPort", "url_get_port", (*url.URL).Port),
		part("getEscapedPath", "url_get_escaped_path", (*url.URL).EscapedPath),
		{"getQuery", []cel.FunctionOpt{member("url_get_query", []*cel.Type{urlType},
			cel.MapType(cel.StringType, cel.ListType(cel.StringType)), unary(query))}},
	}
}

// parseURL takes absolute URLs and absolute paths only, as the format "uri" does; that is what ParseRequestURI
// checks. It does not know fragments, so the value is what Parse makes of the text.
func parseURL(s string) ref.Val {
	_, err := url.ParseRequestURI(s)
	if err != nil {
		return types.NewErr("URL parse error during conversion from string: %v", err)
	}
	u, err := url.Parse(s)
	if err != nil {
		return types.NewErr("URL parse error during conversion from string: %v", err)
	}
	return webAddress{u}
}

func query(u *url.URL) ref.Val {
	out := map[ref.Val]ref.Val{}
	for name, values := range u.Query() {
		out[types.String(name)] = types.NewStringList(types.DefaultTypeAdapter, values)
	}
	return types.NewRefValMap(types.DefaultTypeAdapter, out)
}
