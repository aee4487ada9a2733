package typed

import (
	"encoding/base64"
	"math"
	"strconv"
	"strings"
	"time"

	kresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// trail is where a walk stands; it is turned into a path only when there is something to say.
type trail struct {
	up    *trail
	name  string // of a field or key; "" for an item
	index int
}

func (t *trail) String() string {
	if t == nil {
		return ""
	}
	if t.name == "" {
		return t.up.String() + "[" + strconv.Itoa(t.index) + "]"
	}
	if t.up == nil {
		return t.name
	}
	return t.up.String() + "." + t.name
}

// pruner walks an object once and brings it into the form of its Go type's encoding.
type pruner struct {
	unknown []string
}

func (p *pruner) object(obj map[string]any, s *shape, at *trail) {
	for name, v := range obj {
		f := s.fields[name]
		if f == nil {
			p.unknown = append(p.unknown, (&trail{up: at, name: name}).String())
			delete(obj, name)
			continue
		}
		if v == nil {
			delete(obj, name)
			continue
		}
		if scalar(f.shape.kind) {
			v = canonical(v, f.shape)
		} else {
			v = p.value(v, f.shape, &trail{up: at, name: name})
		}
		if f.omitted && isZero(v) {
			delete(obj, name)
			continue
		}
		obj[name] = v
	}
}

func (p *pruner) value(v any, s *shape, at *trail) any {
	switch s.kind {
	case object:
		if m, ok := v.(map[string]any); ok {
			p.object(m, s, at)
		}
	case mapping:
		m, ok := v.(map[string]any)
		if !ok {
			return v
		}
		for key, e := range m {
			if e == nil {
				m[key] = zeroOf(s.elem)
			} else {
				m[key] = p.value(e, s.elem, &trail{up: at, name: key})
			}
		}
	case list:
		l, ok := v.([]any)
		if !ok {
			return v
		}
		for i, e := range l {
			if e == nil {
				l[i] = zeroOf(s.elem)
			} else {
				l[i] = p.value(e, s.elem, &trail{up: at, index: i})
			}
		}
	default:
		return canonical(v, s)
	}
	return v
}

func scalar(k kind) bool { return k != object && k != mapping && k != list }

// zeroOf is what a null in a list or map decodes to.
func zeroOf(s *shape) any {
	switch s.kind {
	case object, mapping:
		return map[string]any{}
	case list:
		return []any{}
	case text, base64Bytes:
		return ""
	case int32s, int64s, intOrString:
		return int64(0)
	case float:
		return float64(0)
	case boolean:
		return false
	case quantity:
		return "0"
	case duration:
		return "0s"
	}
	return nil
}

func isZero(v any) bool {
	switch v := v.(type) {
	case string:
		return v == ""
	case bool:
		return !v
	case int64:
		return v == 0
	case float64:
		return v == 0
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return v == nil
}

// canonical rewrites a scalar as its Go type would encode it; a value that the type cannot hold is returned as it is.
func canonical(v any, s *shape) any {
	switch s.kind {
	case int32s, int64s:
		if f, ok := v.(float64); ok && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			return int64(f)
		}
	case quantity:
		return canonicalQuantity(v)
	case timestamp:
		if text, ok := v.(string); ok {
			return canonicalTime(text)
		}
	case microTimestamp:
		if text, ok := v.(string); ok {
			if t, err := time.Parse(metav1.RFC3339Micro, text); err == nil {
				return t.UTC().Format(metav1.RFC3339Micro)
			}
		}
	case duration:
		if text, ok := v.(string); ok {
			if d, err := time.ParseDuration(text); err == nil {
				return d.String()
			}
		}
	case base64Bytes:
		// Go's decoder skips line breaks.
		if text, ok := v.(string); ok && strings.ContainsAny(text, "\r\n") {
			if data, err := base64.StdEncoding.DecodeString(text); err == nil {
				return base64.StdEncoding.EncodeToString(data)
			}
		}
	}
	return v
}

func canonicalTime(text string) string {
	if len(text) == len("2006-01-02T15:04:05Z") && text[len(text)-1] == 'Z' {
		return text // the common case: nothing to convert (a wrong one is a type error)
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return text
	}
	return t.UTC().Format(time.RFC3339)
}

func canonicalQuantity(v any) any {
	var text string
	switch v := v.(type) {
	case string:
		text = strings.TrimSpace(v)
	case int64:
		text = strconv.FormatInt(v, 10)
	case float64:
		text = strconv.FormatFloat(v, 'g', -1, 64)
	default:
		return v
	}
	q, err := kresource.ParseQuantity(text)
	if err != nil {
		return v
	}
	return q.String()
}
