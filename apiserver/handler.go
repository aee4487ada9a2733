package apiserver

import (
	"context"
	"encoding/json"
	"net/http"
	goruntime "runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"

	"github.com/keelson-project/keelson/apiserver/auth"
	"github.com/keelson-project/keelson/apiserver/endpoints"
	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/internal/accept"
)

// gitVersion is the release of Kubernetes whose API this is; what comes after the plus sign says who serves it.
const gitVersion = "v1.37.2+keelson"

// minorVersion is what OpenAPI documents call it.
const minorVersion = "1.37"

// requestTimeout bounds every request but watches.
const requestTimeout = time.Minute

// ServeHTTP is the whole way of a request: who asks, may they, and what.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	info := endpoints.ParseRequest(r)
	mw, done := s.metrics.Begin(w, r, &info)
	defer done()
	defer s.recoverPanic(mw, r)
	if s.health.Serve(mw, r) { // open to everybody, so that probes need no credentials
		return
	}
	user, ok, err := s.config.Authenticator.AuthenticateRequest(r)
	if err != nil || !ok {
		if err != nil {
			s.log.V(1).Info("authentication failed", "path", r.URL.Path, "reason", err.Error())
		}
		endpoints.WriteError(mw, r, apierrors.NewUnauthorized("Unauthorized"))
		return
	}
	attrs := attributes(user, &info)
	decision, reason, err := s.config.Authorizer.Authorize(r.Context(), attrs)
	if err != nil {
		endpoints.WriteError(mw, r, apierrors.NewInternalError(err))
		return
	}
	if decision != auth.Allow {
		endpoints.WriteError(mw, r, auth.Forbidden(attrs, reason))
		return
	}
	ctx := auth.WithUser(r.Context(), user)
	if info.Verb != "watch" {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, requestTimeout)
		defer cancel()
	}
	s.dispatch(mw, r.WithContext(ctx), &info)
}

func (s *Server) dispatch(w http.ResponseWriter, r *http.Request, info *endpoints.RequestInfo) {
	if info.IsResource {
		if s.api.Serve(w, r, info) {
			return
		}
	} else if served, err := s.discovery.Serve(w, r); served || err != nil {
		if err != nil {
			endpoints.WriteError(w, r, err)
		}
		return
	}
	if served, err := s.openapi.Serve(w, r); served || err != nil {
		if err != nil {
			endpoints.WriteError(w, r, err)
		}
		return
	}
	switch r.URL.Path {
	case "/version", "/version/":
		if err := accept.RoutedDocument(r, accept.JSON); err != nil {
			endpoints.WriteError(w, r, err)
			return
		}
		writeJSON(w, versionInfo())
	case "/metrics":
		s.metrics.ServeHTTP(w, r)
	case "/", "":
		writeJSON(w, map[string]any{"paths": s.paths()})
	default:
		if h := s.handlerOf(r.URL.Path); h != nil {
			h.ServeHTTP(w, r)
			return
		}
		s.notFound(w, r, info)
	}
}

// handlerOf is that of Config.Handlers for a path, nil where there is none.
func (s *Server) handlerOf(path string) http.Handler {
	if h := s.config.Handlers[path]; h != nil {
		return h
	}
	for at := strings.LastIndexByte(path, '/'); at > 0; at = strings.LastIndexByte(path[:at], '/') {
		if h := s.config.Handlers[path[:at+1]]; h != nil {
			return h
		}
	}
	return nil
}

// notFound answers for what is not served. Below the groups that are built in, kube-apiserver has a Status; elsewhere its
// router has none.
func (s *Server) notFound(w http.ResponseWriter, r *http.Request, info *endpoints.RequestInfo) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	known := parts[0] == "api"
	if parts[0] == "apis" && len(parts) > 1 {
		known = slices.ContainsFunc(s.catalog.Group(parts[1]), func(d *resource.Definition) bool { return !d.Custom })
	}
	if known {
		err := apierrors.NewGenericServerResponse(http.StatusNotFound, info.Verb, schema.GroupResource{}, "", "", 0, true)
		err.ErrStatus.Details = &metav1.StatusDetails{}
		endpoints.WriteError(w, r, err)
		return
	}
	http.Error(w, "404 page not found", http.StatusNotFound)
}

func attributes(user *auth.User, info *endpoints.RequestInfo) *auth.Attributes {
	return &auth.Attributes{
		User: user, Verb: info.Verb, Path: info.Path, ResourceRequest: info.IsResource,
		APIGroup: info.Group, APIVersion: info.Version, Namespace: info.Namespace,
		Resource: info.Resource, Subresource: info.Sub, Name: info.Name,
	}
}

// recoverPanic keeps a bug in one request from ending all others.
func (s *Server) recoverPanic(w http.ResponseWriter, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	if p == http.ErrAbortHandler { //nolint:errorlint // net/http compares it like this, too
		panic(p)
	}
	s.log.Error(nil, "a handler panicked", "method", r.Method, "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
	endpoints.WriteError(w, r, apierrors.NewInternalError(errPanic))
}

type panicError struct{}

func (panicError) Error() string { return "this request caused the server to panic; its log says more" }

var errPanic error = panicError{}

func versionInfo() version.Info {
	return version.Info{
		Major: "1", Minor: "37", EmulationMajor: "1", EmulationMinor: "37", MinCompatibilityMajor: "1", MinCompatibilityMinor: "36",
		GitVersion: gitVersion, GitTreeState: "clean", GoVersion: goruntime.Version(), Compiler: goruntime.Compiler,
		Platform: goruntime.GOOS + "/" + goruntime.GOARCH,
	}
}

func writeJSON(w http.ResponseWriter, v any) {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(raw)
}

// paths are what / lists.
func (s *Server) paths() []string {
	out := []string{"/api", "/api/v1", "/apis"}
	for _, g := range s.catalog.Groups() {
		if g == "" {
			continue
		}
		out = append(out, "/apis/"+g)
		seen := map[string]bool{}
		for _, d := range s.catalog.Group(g) {
			for _, v := range d.Versions {
				if v.Served && !seen[v.Name] {
					seen[v.Name] = true
					out = append(out, "/apis/"+g+"/"+v.Name)
				}
			}
		}
	}
	return append(out, "/healthz", "/livez", "/metrics", "/openapi/v2", "/openapi/v3", "/readyz", "/version")
}
