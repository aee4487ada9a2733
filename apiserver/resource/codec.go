package resource

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"

	kjson "sigs.k8s.io/json"

	"github.com/keelson-project/keelson/internal/jsonscan"
)

// Decode parses one JSON object into the shape of Object. Duplicate fields are resolved to the last one, as
// Kubernetes does outside strict decoding.
func Decode(data []byte) (Object, error) {
	var obj Object
	if err := kjson.UnmarshalCaseSensitivePreserveInts(data, &obj); err != nil {
		return nil, err
	}
	if obj == nil {
		return nil, fmt.Errorf("expected a JSON object, got %s", bytes.TrimSpace(data))
	}
	return obj, nil
}

// Encode writes obj as canonical JSON: compact, keys sorted, so that equal objects have equal bytes. It fails
// where obj holds something that Object does not allow.
func Encode(obj Object) ([]byte, error) { return appendObject(make([]byte, 0, 1024), obj) }

// Encoded is a value of an Object that is there as JSON only: a large part into which nothing looks. It does not change,
// and so copies of the Object share it.
type Encoded interface {
	// AppendJSON appends the value in canonical form.
	AppendJSON(b []byte) []byte
}

// AppendValue appends any value that an Object may hold, in the same form.
func AppendValue(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case string:
		return AppendString(b, v), nil
	case map[string]any:
		return appendObject(b, v)
	case []any:
		return appendArray(b, v)
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case nil:
		return append(b, "null"...), nil
	case float64:
		return appendFloat(b, v)
	case Encoded:
		return v.AppendJSON(b), nil
	}
	// What a hook may have put in (int, []string, a struct) goes the slow way round.
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("cannot encode a %T: %w", v, err)
	}
	return append(b, raw...), nil
}

func appendObject(b []byte, m map[string]any) ([]byte, error) {
	if m == nil {
		return append(b, "null"...), nil
	}
	var few [24]string
	keys := few[:0]
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	b = append(b, '{')
	var err error
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(AppendString(b, k), ':')
		if b, err = AppendValue(b, m[k]); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

func appendArray(b []byte, l []any) ([]byte, error) {
	if l == nil {
		return append(b, "null"...), nil
	}
	b = append(b, '[')
	var err error
	for i, v := range l {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = AppendValue(b, v); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

// appendFloat writes what encoding/json would: the shortest form that reads back the same. A float without a
// fraction keeps a trailing ".0" off, and so is read back as an integer, as in Kubernetes.
func appendFloat(b []byte, f float64) ([]byte, error) {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return nil, fmt.Errorf("cannot encode %v: not a JSON number", f)
	}
	raw, err := json.Marshal(f)
	return append(b, raw...), err
}

// AppendString appends a JSON string with the escapes that JSON demands, and no more: U+2028 and the characters
// of HTML stay as they are.
func AppendString(b []byte, s string) []byte { return jsonscan.AppendString(b, s) }

// Unfold puts what it stands for into the place of each Encoded in obj.
func Unfold(obj Object) error {
	_, err := unfold(obj)
	return err
}

func unfold(v any) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			whole, err := unfold(e)
			if err != nil {
				return nil, err
			}
			v[k] = whole
		}
	case []any:
		for i, e := range v {
			whole, err := unfold(e)
			if err != nil {
				return nil, err
			}
			v[i] = whole
		}
	case Encoded:
		const field = `{"v":`
		obj, err := Decode(append(v.AppendJSON([]byte(field)), '}'))
		return obj["v"], err
	}
	return v, nil
}

// DeepCopy returns a copy that shares nothing with obj that can be changed.
func DeepCopy(obj Object) Object { return deepCopyValue(obj).(map[string]any) }

func deepCopyValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if v == nil {
			return v
		}
		m := make(map[string]any, len(v))
		for k, e := range v {
			m[k] = deepCopyValue(e)
		}
		return m
	case []any:
		if v == nil {
			return v
		}
		l := make([]any, len(v))
		for i, e := range v {
			l[i] = deepCopyValue(e)
		}
		return l
	}
	return v
}
