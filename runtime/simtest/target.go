package simtest

import (
	"net/http"
	"strings"
)

// target is what a request is about. Its resource is "" for those that are about no object, such as discovery.
type target struct {
	group, version, resource string
	namespace, name, sub     string
}

// targetOf reads a path, and what comes before the API in it.
func targetOf(path string) target {
	var t target
	parts := strings.Split(strings.Trim(path, "/"), "/")
	for len(parts) > 0 && parts[0] != "api" && parts[0] != "apis" { // a server below a path of its own
		parts = parts[1:]
	}
	switch {
	case len(parts) > 2 && parts[0] == "api":
		t.version, parts = parts[1], parts[2:]
	case len(parts) > 3 && parts[0] == "apis":
		t.group, t.version, parts = parts[1], parts[2], parts[3:]
	default:
		return target{}
	}
	if parts[0] == "namespaces" && len(parts) > 2 && parts[2] != "status" && parts[2] != "finalize" {
		t.namespace, parts = parts[1], parts[2:]
	}
	for i, field := range []*string{&t.resource, &t.name, &t.sub} {
		if i < len(parts) {
			*field = parts[i]
		}
	}
	return t
}

// kind is the resource with its group, as people write it.
func (t target) kind() string {
	if t.group == "" {
		return t.resource
	}
	return t.resource + "." + t.group
}

// collection is the path of all objects of the resource.
func (t target) collection() string {
	if t.group == "" {
		return "/api/" + t.version + "/" + t.resource
	}
	return "/apis/" + t.group + "/" + t.version + "/" + t.resource
}

// key of an object of the resource.
func (t target) key(namespace, name string) string {
	if namespace == "" {
		return t.kind() + " " + name
	}
	return t.kind() + " " + namespace + "/" + name
}

// String is for traces.
func (t target) String() string {
	s := t.key(t.namespace, t.name)
	if t.sub != "" {
		s += " (" + t.sub + ")"
	}
	return s
}

// background: what controllers write about themselves, which is no state of the cluster's.
func (t target) background() bool {
	switch t.group {
	case "events.k8s.io", "coordination.k8s.io", "authorization.k8s.io", "authentication.k8s.io":
		return true
	}
	return t.kind() == "events"
}

// writes reports whether a request changes what this package looks at.
func writes(r *http.Request, t target) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead || t.resource == "" || t.background() {
		return false
	}
	return r.URL.Query().Get("dryRun") == ""
}

func watches(r *http.Request) bool {
	w := r.URL.Query().Get("watch")
	return r.Method == http.MethodGet && (w == "true" || w == "1")
}
