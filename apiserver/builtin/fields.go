package builtin

import (
	"github.com/keelson-project/keelson/apiserver/resource"
)

// value returns what stands at a path of names, nil where there is nothing.
func value(obj map[string]any, path ...string) any {
	var v any = obj
	for _, name := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

func text(obj map[string]any, path ...string) string {
	s, _ := value(obj, path...).(string)
	return s
}

func number(obj map[string]any, path ...string) int64 {
	n, _ := value(obj, path...).(int64)
	return n
}

func truth(obj map[string]any, path ...string) bool {
	b, _ := value(obj, path...).(bool)
	return b
}

func items(obj map[string]any, path ...string) []any {
	l, _ := value(obj, path...).([]any)
	return l
}

func fieldsOf(obj map[string]any, path ...string) map[string]any {
	m, _ := value(obj, path...).(map[string]any)
	return m
}

// asFields is fieldsOf for an item of a list.
func asFields(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

// child returns the object in a field, made if it is not there.
func child(obj map[string]any, name string) map[string]any {
	m, ok := obj[name].(map[string]any)
	if !ok {
		m = map[string]any{}
		obj[name] = m
	}
	return m
}

// orElse sets a field that is absent or has its zero value.
func orElse(obj map[string]any, name string, v any) {
	switch old := obj[name].(type) {
	case nil:
	case string:
		if old != "" {
			return
		}
	case int64:
		if old != 0 {
			return
		}
	default:
		return
	}
	obj[name] = v
}

// ifAbsent sets a field that is a pointer in Go: its zero value counts as set.
func ifAbsent(obj map[string]any, name string, v any) {
	if obj[name] == nil {
		obj[name] = v
	}
}

// keep gives obj what old has in a field, or nothing.
func keep(obj, old map[string]any, name string) {
	if v, ok := old[name]; ok {
		obj[name] = v
	} else {
		delete(obj, name)
	}
}

// same compares two values by content; absent and empty are the same.
func same(a, b any) bool {
	if empty(a) && empty(b) {
		return true
	}
	return resource.Equal(a, b)
}

func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}

// status is the subresource of that name: a write to it changes .status and nothing else but metadata (of which the
// registry keeps what is the server's). reset are paths besides spec that its writer does not come to own.
func status(reset ...[]string) *resource.Subresource {
	return &resource.Subresource{Reset: append(reset, []string{"spec"}), Merge: func(sent, current resource.Object) resource.Object {
		for name := range sent {
			if name != "status" && name != "metadata" && name != "apiVersion" && name != "kind" {
				delete(sent, name)
			}
		}
		for name, v := range current {
			if name != "status" && name != "metadata" && name != "apiVersion" && name != "kind" {
				sent[name] = v
			}
		}
		return sent
	}}
}

// statusOnly is what a write to an object with a status subresource leaves alone; see resource.Version.Reset.
func statusOnly() [][]string { return [][]string{{"status"}} }
