// Package offline answers what the API server would say of objects, where there is no server: it runs one in the
// process for as long as the questions take, on the memory store and without a socket. Nothing is simulated: an
// object goes the whole way of a request with dryRun=All.
//
//	verdicts, err := offline.Validate(ctx, crds, objects, offline.Options{})
//	for _, v := range verdicts {
//		fmt.Println(v)
//	}
package offline

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/net"

	"github.com/keelson-project/keelson/apiserver"
	"github.com/keelson-project/keelson/apiserver/auth"
	"github.com/keelson-project/keelson/apiserver/storage/memory"
	"github.com/keelson-project/keelson/crd/source"
)

const token = "offline"

// server is an API server in this process.
type server struct {
	transport http.RoundTripper
	kinds     map[string]map[string]metav1.APIResource // group and version -> kind -> resource
	spaces    map[string]bool                          // namespaces that were made
	installed map[string]*source.Document              // CustomResourceDefinitions that were accepted, by name
}

// withServer runs f with a server that is ready, and ends the server.
func withServer(ctx context.Context, f func(context.Context, *server) error) error {
	store := memory.New(memory.Options{})
	defer func() { _ = store.Close() }()
	s, err := apiserver.New(apiserver.Config{
		Store:         store,
		Authenticator: auth.StaticToken(token, auth.User{Name: "admin", Groups: []string{auth.Masters}}),
		Authorizer:    auth.MastersOnly{},
		Logger:        logr.Discard(),
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	ran := make(chan error, 1)
	go func() { ran <- s.Run(ctx) }()
	select {
	case <-s.Ready():
		err = f(ctx, &server{
			transport: apiserver.Transport(s), kinds: map[string]map[string]metav1.APIResource{},
			spaces: map[string]bool{}, installed: map[string]*source.Document{},
		})
		cancel()
		if e := <-ran; err == nil {
			err = e
		}
	case err = <-ran:
		cancel()
	}
	return err
}

// answer is a response.
type answer struct {
	code     int
	body     []byte
	warnings []string
}

func (a *answer) ok() bool { return a.code < http.StatusBadRequest }

// do sends a request; body may be nil.
func (s *server) do(ctx context.Context, method, path, contentType string, body []byte) (*answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://offline"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", contentType)
	res, err := s.transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	a := &answer{code: res.StatusCode, warnings: warningsOf(res.Header)}
	a.body, err = io.ReadAll(res.Body)
	return a, err
}

// warningsOf reads the texts of Warning headers: 299 - "text".
func warningsOf(h http.Header) []string {
	texts, _ := net.ParseWarningHeaders(h.Values("Warning")) // the server writes them as they should be
	var out []string
	for _, w := range texts {
		out = append(out, w.Text)
	}
	return out
}

// resource finds where a kind is served; nil where it is not.
func (s *server) resource(ctx context.Context, apiVersion, kind string) (*metav1.APIResource, error) {
	kinds, ok := s.kinds[apiVersion]
	if !ok {
		kinds = map[string]metav1.APIResource{}
		a, err := s.do(ctx, http.MethodGet, groupPath(apiVersion), "application/json", nil)
		if err != nil {
			return nil, err
		}
		var list metav1.APIResourceList
		if a.ok() {
			if err := json.Unmarshal(a.body, &list); err != nil {
				return nil, err
			}
		}
		for _, r := range list.APIResources {
			if !strings.Contains(r.Name, "/") { // no subresource
				kinds[r.Kind] = r
			}
		}
		s.kinds[apiVersion] = kinds
	}
	if r, ok := kinds[kind]; ok {
		return &r, nil
	}
	return nil, nil
}

func groupPath(apiVersion string) string {
	gv, err := schema.ParseGroupVersion(apiVersion)
	if err == nil && gv.Group == "" {
		return "/api/" + url.PathEscape(gv.Version)
	}
	return "/apis/" + url.PathEscape(gv.Group) + "/" + url.PathEscape(gv.Version)
}

// collection returns the path to create objects at, and sees to it that the namespace is there.
func (s *server) collection(ctx context.Context, apiVersion string, r *metav1.APIResource, namespace string) (string, error) {
	if !r.Namespaced {
		return groupPath(apiVersion) + "/" + r.Name, nil
	}
	if !s.spaces[namespace] {
		s.spaces[namespace] = true
		body, err := json.Marshal(map[string]any{"metadata": map[string]any{"name": namespace}})
		if err != nil {
			return "", err
		}
		// It may be there, or be no name of a namespace: the object's own answer tells.
		if _, err := s.do(ctx, http.MethodPost, "/api/v1/namespaces", "application/json", body); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%s/namespaces/%s/%s", groupPath(apiVersion), url.PathEscape(namespace), r.Name), nil
}
