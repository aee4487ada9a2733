package library

import (
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/overloads"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// timestamps replaces cel-go's timestamp(string). Newer releases than kube-apiserver's refuse texts that Go takes for
// a time and RFC 3339 does not, such as one-digit hours; there are rules and objects that have them.
func timestamps() []function {
	return []function{{"timestamp", []cel.FunctionOpt{global(overloads.StringToTimestamp, []*cel.Type{cel.StringType}, cel.TimestampType,
		unary(func(s string) ref.Val {
			t, err := time.Parse(time.RFC3339, s)
			if err != nil {
				return types.NewErr("type conversion error from '%s' to '%s'", types.StringType, types.TimestampType)
			}
			if t.UTC().Year() < 1 {
				return types.NewErr("timestamp overflow")
			}
			return types.Timestamp{Time: t}
		}))}}}
}
