package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/keelson-project/keelson/runtime/client"
)

const oneConfigMap = `{"metadata":{"namespace":"default","name":"one"},"data":{"a":"1"}}`

// steps answers with one after the other, the last one for ever.
func steps(all ...func(*http.Request) (*http.Response, error)) roundTripper {
	n := 0
	return func(r *http.Request) (*http.Response, error) {
		n++
		return all[min(n, len(all))-1](r)
	}
}

func good(*http.Request) (*http.Response, error) {
	return answer(http.StatusOK, "application/json", []byte(oneConfigMap)), nil
}

func busy(code, seconds int) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) {
		resp := answer(code, "text/plain", []byte("busy"))
		resp.Header.Set("Retry-After", fmt.Sprint(seconds))
		return resp, nil
	}
}

func failing(err error) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// cut answers with half an object.
func cut(*http.Request) (*http.Response, error) {
	resp := answer(http.StatusOK, "application/json", nil)
	resp.ContentLength = int64(len(oneConfigMap))
	resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(oneConfigMap[:20]), iotest.ErrReader(syscall.ECONNRESET)))
	return resp, nil
}

var errGoAway = errors.New(`http2: server sent GOAWAY and closed the connection; LastStreamID=1, ErrCode=NO_ERROR, debug=""`)

func TestWaits(t *testing.T) {
	for name, test := range map[string]struct {
		server roundTripper
		write  bool
		took   time.Duration
		err    string
	}{
		"429":                      {server: steps(busy(429, 2), busy(429, 3), good), took: 5 * time.Second},
		"503":                      {server: steps(busy(503, 1), good), took: time.Second},
		"429 of a write":           {server: steps(busy(429, 2), good), write: true, took: 2 * time.Second},
		"500 without patience":     {server: steps(func(*http.Request) (*http.Response, error) { return answer(500, "text/plain", nil), nil }, good), err: "an error on the server"},
		"for ever busy":            {server: steps(busy(429, 1)), took: 10 * time.Second, err: "too many requests"},
		"reset":                    {server: steps(failing(&os.SyscallError{Syscall: "read", Err: syscall.ECONNRESET}), good)},
		"GOAWAY, twice":            {server: steps(failing(errGoAway), failing(errGoAway), good), took: 50 * time.Millisecond},
		"in the midst":             {server: steps(cut, good)},
		"refused":                  {server: steps(failing(syscall.ECONNREFUSED), good), err: "is the server running"},
		"reset of a write":         {server: steps(failing(syscall.ECONNRESET), good), write: true, err: "PUT /api/v1/namespaces/default/configmaps/one: connection reset"},
		"broken, over and over":    {server: steps(failing(io.EOF)), took: 5550 * time.Millisecond, err: "EOF"},
		"first busy, then refused": {server: steps(busy(429, 1), failing(syscall.ECONNREFUSED)), took: time.Second, err: "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, began := answering(t, test.server), time.Now()
				cm := configMap("one")
				do := func() error { return c.Get(t.Context(), client.KeyOf(cm), cm) }
				if test.write {
					do = func() error { return c.Update(t.Context(), cm) }
				}
				err := do()
				if took := time.Since(began); took != test.took {
					t.Errorf("took %v, want %v", took, test.took)
				}
				if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
					t.Errorf("error %v, want %q", err, test.err)
				}
			})
		})
	}
}

func TestWaitsEndWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		began := time.Now()
		err := answering(t, busy(429, 60)).Get(ctx, client.KeyOf(configMap("one")), &corev1.ConfigMap{})
		if took := time.Since(began); took != 5*time.Second || !errors.Is(err, context.DeadlineExceeded) || !apierrors.IsTooManyRequests(err) {
			t.Fatalf("%v after %v", err, took)
		}
	})
}

// TestTimeoutIsOfOneTry: waits that the server asks for are not part of it.
func TestTimeoutIsOfOneTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := steps(busy(429, 30), func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		c, err := client.New(client.Config{Host: "server", Timeout: 2 * time.Second, Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/api/v1" {
				return answer(http.StatusOK, "application/json", []byte(configMaps)), nil
			}
			return server(r)
		})}, client.Options{Scheme: scheme()})
		ok(t, err)
		began := time.Now()
		err = c.Get(t.Context(), client.KeyOf(configMap("one")), &corev1.ConfigMap{})
		if took := time.Since(began); took != 32*time.Second || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("%v after %v", err, took)
		}
	})
}

func TestErrorsSayWhat(t *testing.T) {
	c := start(t)
	cm := configMap("one")
	err := c.Get(t.Context(), client.KeyOf(cm), cm)
	var as *client.Error
	if !errors.As(err, &as) || as.Path != "/api/v1/namespaces/default/configmaps/one" || as.Method != "GET" || !apierrors.IsNotFound(err) {
		t.Fatalf("%#v", err)
	}
	if got, want := err.Error(), `GET /api/v1/namespaces/default/configmaps/one: configmaps "one" not found`; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	ok(t, c.Create(t.Context(), cm))
	old := cm.DeepCopy()
	old.ResourceVersion = "1"
	if err := c.Update(t.Context(), old); !strings.HasSuffix(err.Error(), "(read the object again and repeat the change)") {
		t.Error(err)
	}
}

// TestTokenRotates: a token is read again each minute, and when the server refuses it.
func TestTokenRotates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "token")
		write := func(token string) { ok(t, os.WriteFile(file, []byte(token+"\n"), 0o600)) }
		write("one")
		valid, seen := "one", ""
		c, err := client.New(client.Config{Host: "https://server/prefix", BearerTokenFile: file, UserAgent: "me", Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Header.Get("User-Agent") != "me" || !strings.HasPrefix(r.URL.Path, "/prefix/api/v1") {
				t.Errorf("%s %v", r.URL, r.Header)
			}
			token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
			seen += " " + token
			if token != valid {
				return answer(http.StatusUnauthorized, "application/json", []byte(`{"kind":"Status","status":"Failure","reason":"Unauthorized","code":401}`)), nil
			}
			if strings.HasSuffix(r.URL.Path, "/v1") {
				return answer(http.StatusOK, "application/json", []byte(configMaps)), nil
			}
			return good(r)
		})}, client.Options{Scheme: scheme()})
		ok(t, err)
		get := func() error { return c.Get(t.Context(), client.KeyOf(configMap("one")), &corev1.ConfigMap{}) }
		ok(t, get())
		write("two")
		ok(t, get()) // the old one, which is still good
		time.Sleep(time.Minute + 1)
		valid = "two"
		ok(t, get()) // of the file, by time
		write("three")
		valid = "three"
		ok(t, get()) // refused, then of the file
		valid = "four"
		if err := get(); !apierrors.IsUnauthorized(err) || !strings.Contains(err.Error(), "does not know these credentials") {
			t.Errorf("want Unauthorized, got %v", err)
		}
		ok(t, os.Remove(file))
		valid = "three"
		time.Sleep(time.Minute + 1)
		ok(t, get()) // the file is gone, the token is not
		if want := " one one one two two three three three"; seen != want {
			t.Errorf("sent%s, want%s", seen, want)
		}
	})
}

// TestDiscoveryIsBounded: a kind that is not there is asked for again, but not often; one that appears is found.
func TestDiscoveryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		document := atomic.Value{}
		document.Store(`{"resources":[]}`)
		c, err := client.New(client.Config{Host: "http://server", Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/api/v1" {
				asked.Add(1)
				time.Sleep(time.Millisecond)
				return answer(http.StatusOK, "application/json", []byte(document.Load().(string))), nil
			}
			return good(r)
		})}, client.Options{Scheme: scheme()})
		ok(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		get := func() error { return c.Get(ctx, client.KeyOf(configMap("one")), &corev1.ConfigMap{}) }
		if err := get(); !meta.IsNoMatchError(err) || asked.Load() != 1 {
			t.Fatalf("%v after %d questions", err, asked.Load())
		}
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				for ctx.Err() == nil {
					if err := get(); err == nil || !meta.IsNoMatchError(err) && !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("want NoMatch, got %v", err)
					}
				}
			})
		}
		all.Wait()
		if n := asked.Load(); n < 5 || n > 11 {
			t.Errorf("%d questions in a second", n)
		}
		document.Store(configMaps)
		ok(t, c.Get(t.Context(), client.KeyOf(configMap("one")), &corev1.ConfigMap{}))
		before := asked.Load()
		for range 10 {
			ok(t, c.Get(t.Context(), client.KeyOf(configMap("one")), &corev1.ConfigMap{}))
		}
		if asked.Load() != before {
			t.Error("asked for what is known")
		}
	})
}
