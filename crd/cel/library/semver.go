package library

import (
	"errors"
	"reflect"
	"strings"

	"github.com/blang/semver/v4"
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

var semverType = cel.ObjectType("kubernetes.Semver")

// semanticVersion is a value of type kubernetes.Semver.
type semanticVersion struct{ semver.Version }

func (v semanticVersion) ConvertToNative(t reflect.Type) (any, error) {
	return toNative(v.Version, v.Version, "Semver", t)
}

func (v semanticVersion) ConvertToType(t ref.Type) ref.Val { return toType(v, semverType, t) }

func (v semanticVersion) Equal(other ref.Val) ref.Val {
	o, ok := other.(semanticVersion)
	if !ok {
		return noOverload(other)
	}
	return types.Bool(v.EQ(o.Version))
}

func (v semanticVersion) Type() ref.Type { return semverType }
func (v semanticVersion) Value() any     { return v.Version }

// semvers are semver and isSemver, with and without normalization, comparisons, and the parts of a version.
func semvers() []function {
	text, normal := []*cel.Type{cel.StringType}, []*cel.Type{cel.StringType, cel.BoolType}
	compare := func(name, id string, result *cel.Type, f func(int) ref.Val) function {
		return function{name, []cel.FunctionOpt{member(id, []*cel.Type{semverType, semverType}, result, binary(func(v, o semver.Version) ref.Val {
			return f(v.Compare(o))
		}))}}
	}
	part := func(name, id string, f func(semver.Version) uint64) function {
		return function{name, []cel.FunctionOpt{member(id, []*cel.Type{semverType}, cel.IntType, unary(func(v semver.Version) ref.Val {
			return types.Int(f(v))
		}))}}
	}
	return []function{
		{"semver", []cel.FunctionOpt{
			global("string_to_semver", text, semverType, unary(func(s string) ref.Val { return toSemver(s, false) })),
			global("string_bool_to_semver", normal, semverType, binary(toSemver)),
		}},
		{"isSemver", []cel.FunctionOpt{
			global("is_semver_string", text, cel.BoolType, unary(func(s string) ref.Val { return isSemver(s, false) })),
			global("is_semver_string_bool", normal, cel.BoolType, binary(isSemver)),
		}},
		compare("isGreaterThan", "semver_is_greater_than", cel.BoolType, func(c int) ref.Val { return types.Bool(c == 1) }),
		compare("isLessThan", "semver_is_less_than", cel.BoolType, func(c int) ref.Val { return types.Bool(c == -1) }),
		compare("compareTo", "semver_compare_to", cel.IntType, func(c int) ref.Val { return types.Int(c) }),
		part("major", "semver_major", func(v semver.Version) uint64 { return v.Major }),
		part("minor", "semver_minor", func(v semver.Version) uint64 { return v.Minor }),
		part("patch", "semver_patch", func(v semver.Version) uint64 { return v.Patch }),
	}
}

func isSemver(s string, normalize bool) ref.Val {
	_, err := parseSemver(s, normalize)
	return types.Bool(err == nil)
}

func toSemver(s string, normalize bool) ref.Val {
	v, err := parseSemver(s, normalize)
	if err != nil {
		return types.WrapErr(err)
	}
	return semanticVersion{v}
}

// parseSemver with normalize drops a leading "v" and leading zeros of numbers, and adds numbers that are missing.
func parseSemver(s string, normalize bool) (semver.Version, error) {
	if !normalize {
		return semver.Parse(s)
	}
	parts := strings.SplitN(strings.TrimPrefix(s, "v"), ".", 3) // the third with pre-release and build
	for i, p := range parts {
		if len(p) < 2 {
			continue
		}
		parts[i] = strings.TrimLeft(p, "0")
		if parts[i] == "" || parts[i][0] < '0' || parts[i][0] > '9' {
			parts[i] = "0" + parts[i]
		}
	}
	if len(parts) < 3 && strings.ContainsAny(parts[len(parts)-1], "+-") {
		return semver.Version{}, errors.New("short version cannot contain PreRelease/Build meta data")
	}
	for len(parts) < 3 {
		parts = append(parts, "0")
	}
	return semver.Parse(strings.Join(parts, "."))
}
