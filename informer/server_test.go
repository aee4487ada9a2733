package informer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/keelson-project/keelson/apiserver"
	"github.com/keelson-project/keelson/apiserver/auth"
	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/storage/memory"
	"github.com/keelson-project/keelson/runtime/client"
)

// world is a real API server in the test's process, on virtual time, behind a transport that breaks things.
type world struct {
	t     *testing.T
	store *memory.Store
	token string

	mu      sync.Mutex
	server  http.RoundTripper // nil while it is down
	stop    func()
	rand    *rand.Rand
	trouble int                  // one in so many requests, and reads of a body, fails; 0: none
	bodies  map[*brokenBody]bool // that are open
}

var things = schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Thing"}

const (
	collectionPath = "/apis/example.com/v1/things"
	crdPath        = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
	thingCRD       = `{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"things.example.com"},
"spec":{"group":"example.com","scope":"Namespaced","names":{"plural":"things","singular":"thing","kind":"Thing","listKind":"ThingList"},
"versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object",
"x-kubernetes-preserve-unknown-fields":true}}}]}}`
)

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{
		t: t, store: memory.New(memory.Options{KeepRevisions: 200}), token: "admin",
		rand: rand.New(rand.NewPCG(seed, 1)), bodies: map[*brokenBody]bool{},
	}
	w.start()
	return w
}

// start a server on the store, which has forgotten all that was in the last one's memory.
func (w *world) start() {
	server, err := apiserver.New(apiserver.Config{
		Store:         w.store,
		Authenticator: auth.StaticToken(w.token, auth.User{Name: "admin", Groups: []string{auth.Masters}}),
		Authorizer:    auth.MastersOnly{},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = server.Run(ctx) }()
	<-server.Ready()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.server = apiserver.Transport(server)
	w.stop = func() { cancel(); <-ended }
}

// down stops the server in the middle of whatever it does.
func (w *world) down() {
	w.mu.Lock()
	w.server = nil
	stop := w.stop
	w.mu.Unlock()
	w.cut()
	stop()
}

// close the store, too.
func (w *world) close() {
	w.down()
	_ = w.store.Close()
}

// cut all streams, wherever they are.
func (w *world) cut() {
	w.mu.Lock()
	bodies := w.bodies
	w.bodies = map[*brokenBody]bool{}
	w.mu.Unlock()
	for b := range bodies {
		_ = b.ReadCloser.Close()
	}
}

// compact forgets all history.
func (w *world) compact() {
	list, err := w.store.List(context.Background(), "/registry/", storage.ListOptions{Limit: 1})
	if err == nil {
		_ = w.store.Compact(context.Background(), list.Revision)
	}
}

// luck is whether something goes wrong now.
func (w *world) luck() (n int, bad bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.trouble == 0 || w.rand.IntN(w.trouble) != 0 {
		return 0, false
	}
	return w.rand.IntN(1 << 20), true
}

func (w *world) setTrouble(one int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trouble = one
}

// roundTrip reaches the server without faults, unless it is down.
func (w *world) roundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	server := w.server
	w.mu.Unlock()
	if server == nil {
		return nil, errors.New("connection refused")
	}
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+w.token)
	return server.RoundTrip(r)
}

// RoundTrip is the transport of informers.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	if n, bad := w.luck(); bad {
		switch n % 6 {
		case 0:
			return refusal(r, http.StatusTooManyRequests, http.Header{"Retry-After": {"2"}}), nil
		case 1:
			return refusal(r, http.StatusInternalServerError, http.Header{}), nil
		case 2:
			return refusal(r, http.StatusServiceUnavailable, http.Header{"Retry-After": {"1"}}), nil
		case 3:
			return nil, errors.New("connection reset by peer")
		default:
			time.Sleep(time.Duration(n%20_000) * time.Millisecond)
		}
	}
	resp, err := w.roundTrip(r)
	if err != nil {
		return nil, err
	}
	b := &brokenBody{ReadCloser: resp.Body, w: w}
	resp.Body = b
	w.mu.Lock()
	w.bodies[b] = true
	w.mu.Unlock()
	return resp, nil
}

func refusal(r *http.Request, code int, h http.Header) *http.Response {
	return &http.Response{StatusCode: code, Header: h, Body: io.NopCloser(strings.NewReader("no")), Request: r, ContentLength: 2}
}

// brokenBody is cut at random places, or goes silent.
type brokenBody struct {
	io.ReadCloser
	w      *world
	broken bool
}

func (b *brokenBody) Read(p []byte) (int, error) {
	if b.broken {
		return 0, io.ErrUnexpectedEOF
	}
	n, bad := b.w.luck()
	if !bad {
		return b.ReadCloser.Read(p[:min(len(p), 700)]) // so that frames come in pieces
	}
	if n%8 == 0 {
		time.Sleep(time.Minute) // the network is stuck
	}
	b.broken = true
	return b.ReadCloser.Read(p[:min(len(p), 1+n%200)])
}

func (b *brokenBody) Close() error {
	b.w.mu.Lock()
	delete(b.w.bodies, b)
	b.w.mu.Unlock()
	return b.ReadCloser.Close()
}

// do makes a request past the faults, which the server must answer with one of the codes.
func (w *world) do(method, path, body string, codes ...int) []byte {
	w.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, "http://server"+path, bytes.NewReader([]byte(body)))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if method == http.MethodPatch {
		r.Header.Set("Content-Type", "application/merge-patch+json")
	}
	resp, err := w.roundTrip(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, code := range codes {
		if resp.StatusCode == code {
			return data
		}
	}
	w.t.Fatalf("%s %s: %d %s", method, path, resp.StatusCode, data)
	return nil
}

func (w *world) client() *client.Direct {
	c, err := client.New(client.Config{Host: "http://server", Transport: w}, client.Options{})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func inNamespace(ns string) string { return "/apis/example.com/v1/namespaces/" + ns + "/things" }

// write changes something at random.
func (w *world) write(r *rand.Rand) {
	ns, name := []string{"a", "b", "c"}[r.IntN(3)], fmt.Sprintf("thing-%d", r.IntN(25))
	path := inNamespace(ns) + "/" + name
	color := []string{"red", "blue"}[r.IntN(2)]
	switch r.IntN(4) {
	case 0:
		w.do("DELETE", path, "", 200, 404)
	case 1:
		w.do("PATCH", path, fmt.Sprintf(`{"metadata":{"labels":{"color":%q}},"spec":{"n":%d}}`, color, r.Int()), 200, 404)
	default:
		w.do("POST", inNamespace(ns), fmt.Sprintf(`{"apiVersion":"example.com/v1","kind":"Thing","metadata":{"name":%q,"labels":{"color":%q}},"spec":{"text":%q}}`,
			name, color, strings.Repeat("some text ", r.IntN(200))), 201, 409)
	}
}
