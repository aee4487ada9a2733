package endpoints

import (
	"net/http"
	"strings"
)

// RequestInfo is what the method and path of a request say, in the words of Kubernetes' authorization.
type RequestInfo struct {
	// Verb: get, list, watch, create, update, patch, delete, deletecollection for resources, the method in
	// lower case for everything else.
	Verb string
	Path string
	// IsResource: the path is below /api/VERSION or /apis/GROUP/VERSION and names a resource.
	IsResource                     bool
	Group, Version                 string
	Namespace, Resource, Name, Sub string
	// Rest is what follows a subresource (pods/proxy/PATH), without the leading slash.
	Rest string
}

// ParseRequest never fails: a path that names nothing comes out with IsResource false.
func ParseRequest(r *http.Request) RequestInfo {
	i := RequestInfo{Path: r.URL.Path, Verb: strings.ToLower(r.Method)}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case parts[0] == "api" && len(parts) > 2:
		i.Version, parts = parts[1], parts[2:]
	case parts[0] == "apis" && len(parts) > 3:
		i.Group, i.Version, parts = parts[1], parts[2], parts[3:]
	default:
		return i
	}
	i.IsResource = true
	watch := isTrue(r.URL.Query().Get("watch"))
	if parts[0] == "watch" && len(parts) > 1 { // the old form: /api/v1/watch/...
		watch, parts = true, parts[1:]
	}
	i.splitParts(parts)
	i.Verb = verb(r.Method, i.Name, watch)
	return i
}

func (i *RequestInfo) splitParts(parts []string) {
	if parts[0] == "namespaces" && len(parts) > 1 {
		i.Namespace = parts[1]
		if len(parts) > 2 && parts[2] != "status" && parts[2] != "finalize" {
			parts = parts[2:]
		}
	}
	i.Resource = parts[0]
	if len(parts) > 1 {
		i.Name = parts[1]
	}
	if len(parts) > 2 {
		i.Sub = parts[2]
	}
	if len(parts) > 3 {
		i.Rest = strings.Join(parts[3:], "/")
	}
}

func verb(method, name string, watch bool) string {
	switch method {
	case http.MethodPost:
		return "create"
	case http.MethodPut:
		return "update"
	case http.MethodPatch:
		return "patch"
	case http.MethodDelete:
		if name == "" {
			return "deletecollection"
		}
		return "delete"
	case http.MethodGet, http.MethodHead:
		switch {
		case watch:
			return "watch"
		case name == "":
			return "list"
		}
		return "get"
	}
	return ""
}

// isTrue reads a boolean parameter as Kubernetes does: everything but "false" and "0" is true, absence is false.
func isTrue(v string) bool { return v != "" && v != "0" && !strings.EqualFold(v, "false") }
