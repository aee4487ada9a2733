// Package endpoints speaks Kubernetes' HTTP dialect for every Definition of a catalog: it turns requests into
// calls of the registry and their results into the bytes that unmodified clients expect (status codes, Status
// objects, media types, tables, watch frames).
package endpoints

import (
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/keelson-project/keelson/apiserver/registry"
	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/internal/accept"
)

// API serves the resources below /api and /apis. It owns no goroutine.
type API struct {
	catalog  *resource.Catalog
	registry *registry.Registry
	options  Options
}

// Options of an API.
type Options struct {
	// BookmarkEvery is the interval of bookmarks on watches that ask for them; zero is one minute.
	BookmarkEvery time.Duration
	// Now is the clock by which tables show ages; nil is time.Now.
	Now func() time.Time
	// WatchEvent is told of every event that a watch sends, for metrics; nil: nobody is.
	WatchEvent func(d *resource.Definition, bytes int)
	// Stopping is closed when the server shuts down: running watches end then.
	Stopping <-chan struct{}
}

// New returns an API.
func New(c *resource.Catalog, r *registry.Registry, o Options) *API {
	if o.BookmarkEvery == 0 {
		o.BookmarkEvery = time.Minute
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &API{catalog: c, registry: r, options: o}
}

// Serve answers a request for a resource (info.IsResource). It returns false, having written nothing, where the
// path names nothing that is served.
func (a *API) Serve(w http.ResponseWriter, r *http.Request, info *RequestInfo) bool {
	t, ok := a.target(info)
	if !ok {
		return false
	}
	missing := info.Sub != "" && t.Version.Subresources[info.Sub] == nil
	if missing && !t.Def.Custom {
		return false
	}
	warnings := &resource.Warnings{}
	r = r.WithContext(resource.WithWarnings(r.Context(), warnings))
	if t.Version.DeprecationWarning != "" {
		resource.AddWarning(r.Context(), t.Version.DeprecationWarning)
	}
	c := &call{api: a, w: &warningWriter{ResponseWriter: w, warnings: warnings}, r: r, info: info, t: t}
	var err error
	if missing {
		err = apierrors.NewNotFound(t.Def.GroupResource(), info.Name)
	} else {
		err = c.serve()
	}
	if err != nil {
		WriteError(c.w, r, err)
	}
	return true
}

func (a *API) target(info *RequestInfo) (registry.Target, bool) {
	d := a.catalog.Lookup(info.Group, info.Resource)
	if d == nil {
		return registry.Target{}, false
	}
	v := d.Version(info.Version)
	if v == nil || !v.Served {
		return registry.Target{}, false
	}
	t := registry.Target{Def: d, Version: v, Namespace: info.Namespace, Name: info.Name, Subresource: info.Sub}
	if !d.Namespaced {
		if info.Namespace != "" && info.Resource != "namespaces" {
			return t, false
		}
		t.Namespace = ""
	} else if info.Namespace == "" && info.Name != "" {
		return t, false
	}
	return t, true
}

// registered says whether a kind is built in.
func (a *API) registered(gvk schema.GroupVersionKind) bool {
	for _, d := range a.catalog.Group(gvk.Group) {
		if !d.Custom && d.Names.Kind == gvk.Kind && d.Version(gvk.Version) != nil {
			return true
		}
	}
	return false
}

// call is one request on its way.
type call struct {
	api  *API
	w    http.ResponseWriter
	r    *http.Request
	info *RequestInfo
	t    registry.Target
}

func (c *call) serve() error {
	if c.info.Sub != "" {
		return c.subresource()
	}
	switch {
	case c.info.Verb == "list":
		return c.list()
	case c.info.Verb == "watch":
		return c.watch()
	case c.info.Verb == "get":
		return c.get()
	case c.info.Verb == "create" && c.info.Name == "":
		return c.create()
	case c.info.Verb == "update" && c.info.Name != "":
		return c.update()
	case c.info.Verb == "patch" && c.info.Name != "":
		return c.patch()
	case c.info.Verb == "delete":
		return c.delete()
	case c.info.Verb == "deletecollection" && !c.t.Def.NoDeleteCollection:
		return c.deleteCollection()
	}
	return accept.MethodNotAllowed()
}
