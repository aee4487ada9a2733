package auth_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/keelson-project/keelson/apiserver/auth"
)

func withToken(token string) *http.Request {
	r := httptest.NewRequest("GET", "/api", nil)
	r.Header.Set("Authorization", token)
	return r
}

const tokenFile = `secret-1,jane,42,"dev,ops"
secret-2,root,0,system:masters
"quoted ""token""",joe,
`

func TestTokens(t *testing.T) {
	tokens, err := auth.ParseTokens(strings.NewReader(tokenFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ header, want string }{
		{"Bearer secret-1", "jane 42 [dev ops system:authenticated] <nil>"},
		{"bearer  secret-2 ", "root 0 [system:masters system:authenticated] <nil>"},
		{`Bearer quoted "token"`, "joe  [system:authenticated] <nil>"},
		{"Bearer secret-3", "nobody invalid bearer token"},
		{"Bearer secret", "nobody invalid bearer token"},
		{"Bearer", "nobody <nil>"},
		{"Bearer ", "nobody <nil>"},
		{"Basic c2VjcmV0LTE=", "nobody <nil>"},
		{"", "nobody <nil>"},
	} {
		user, ok, err := auth.Union(tokens).AuthenticateRequest(withToken(tc.header))
		got := "nobody"
		if ok {
			got = fmt.Sprintf("%s %s %s", user.Name, user.UID, user.Groups)
		}
		if got = fmt.Sprint(got, " ", err); got != tc.want {
			t.Errorf("%q: got %s, want %s", tc.header, got, tc.want)
		}
	}
}

func TestTokenFileErrorsNameTheLine(t *testing.T) {
	for content, want := range map[string]string{
		"a,b,c\nd,e":          "line 2: want at least 3 columns (token, user, uid), found 2",
		"a,b,c\n,e,f":         "line 2: the token is empty",
		"a,,c":                "line 1: the user is empty",
		"a,b,c\nd,e,f\na,g,h": "line 3: the token stands in an earlier line, too",
		"a,\"b,c\nd,e,f":      "line 1",
	} {
		path := filepath.Join(t.TempDir(), "tokens.csv")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := auth.ReadTokenFile(path)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: got %v, want %q", content, err, want)
		}
		if err != nil && strings.ContainsAny(content[:1], "a") && strings.Contains(err.Error(), `"a"`) {
			t.Errorf("%q: the error shows a token: %v", content, err)
		}
	}
	if _, err := auth.ReadTokenFile(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

// one is an authenticator for a test of Union.
type one struct {
	user *auth.User
	err  error
}

func (o one) AuthenticateRequest(*http.Request) (*auth.User, bool, error) {
	return o.user, o.user != nil, o.err
}

func TestUnion(t *testing.T) {
	jane := &auth.User{Name: "jane", Groups: []string{"dev"}}
	anonymous := &auth.User{Name: "system:anonymous", Groups: []string{auth.Unauthenticated}}
	bad, worse := errors.New("bad"), errors.New("worse")
	for _, tc := range []struct {
		about string
		of    []auth.Authenticator
		want  string
	}{
		{"nobody is asked", nil, "<nil> <nil>"},
		{"the first that knows wins", []auth.Authenticator{one{}, one{err: bad}, one{user: jane}, one{user: anonymous}}, "&{jane  [dev system:authenticated] map[]} <nil>"},
		{"all errors are told", []auth.Authenticator{one{err: bad}, one{}, one{err: worse}}, "<nil> bad\nworse"},
		{"nobody anonymous is authenticated", []auth.Authenticator{one{user: anonymous}}, "&{system:anonymous  [system:unauthenticated] map[]} <nil>"},
	} {
		user, _, err := auth.Union(tc.of...).AuthenticateRequest(httptest.NewRequest("GET", "/", nil))
		if got := fmt.Sprint(user, " ", err); got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.about, got, tc.want)
		}
	}
	if len(jane.Groups) != 1 {
		t.Error("Union changed a user")
	}
}

func TestMastersOnly(t *testing.T) {
	for _, tc := range []struct {
		user *auth.User
		want auth.Decision
	}{
		{nil, auth.NoOpinion},
		{&auth.User{Name: "system:masters"}, auth.NoOpinion},
		{&auth.User{Name: "a", Groups: []string{"dev", auth.Masters}}, auth.Allow},
	} {
		if got, _, err := (auth.MastersOnly{}).Authorize(t.Context(), &auth.Attributes{User: tc.user}); got != tc.want || err != nil {
			t.Errorf("%v: %v %v", tc.user, got, err)
		}
	}
}

func TestForbiddenSpeaksLikeKubernetes(t *testing.T) {
	jane := &auth.User{Name: "jane"}
	for want, a := range map[string]*auth.Attributes{
		`pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"`: {
			User: jane, Verb: "list", ResourceRequest: true, Resource: "pods", Namespace: "default"},
		`deployments.apps "web" is forbidden: User "jane" cannot update resource "deployments/scale" in API group "apps" in the namespace "x"`: {
			User: jane, Verb: "update", ResourceRequest: true, APIGroup: "apps", Resource: "deployments", Subresource: "scale", Namespace: "x", Name: "web"},
		`nodes is forbidden: User "&lt;b&gt;" cannot list resource "nodes" in API group "" at the cluster scope`: {
			User: &auth.User{Name: "<b>"}, Verb: "list", ResourceRequest: true, Resource: "nodes"},
		`forbidden: User "jane" cannot get path "/metrics"`: {User: jane, Verb: "get", Path: "/metrics"},
	} {
		err := auth.Forbidden(a, "")
		if err.Error() != want || !apierrors.IsForbidden(err) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
		if err := auth.Forbidden(a, "no reason"); err.Error() != want+": no reason" {
			t.Errorf("with a reason: %v", err)
		}
	}
}

func ExampleParseTokens() {
	tokens, err := auth.ParseTokens(strings.NewReader(`s3cret,jane,42,"dev,ops"`))
	if err != nil {
		panic(err)
	}
	r := httptest.NewRequest("GET", "/api", nil)
	r.Header.Set("Authorization", "Bearer s3cret")
	user, ok, err := auth.Union(tokens).AuthenticateRequest(r)
	fmt.Println(user.Name, user.Groups, ok, err)
	// Output: jane [dev ops system:authenticated] true <nil>
}

func ExampleForbidden() {
	a := &auth.Attributes{User: &auth.User{Name: "jane"}, Verb: "get", ResourceRequest: true, Resource: "secrets", Namespace: "default", Name: "db"}
	decision, reason, _ := auth.MastersOnly{}.Authorize(context.Background(), a)
	if decision != auth.Allow {
		fmt.Println(auth.Forbidden(a, reason))
	}
	// Output: secrets "db" is forbidden: User "jane" cannot get resource "secrets" in API group "" in the namespace "default"
}

func FuzzParseTokens(f *testing.F) {
	f.Add([]byte(tokenFile))
	f.Add([]byte("a,b"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		tokens, err := auth.ParseTokens(bytes.NewReader(raw))
		if (tokens == nil) == (err == nil) {
			t.Errorf("tokens %v and error %v", tokens, err)
		}
	})
}

func BenchmarkToken(b *testing.B) {
	a := auth.Union(auth.NewClientCertificates(nil, nil), auth.StaticToken("secret", auth.User{Name: "jane", Groups: []string{auth.Masters}}))
	r := withToken("Bearer secret")
	b.ReportAllocs()
	for b.Loop() {
		if _, ok, _ := a.AuthenticateRequest(r); !ok {
			b.Fatal("not authenticated")
		}
	}
}
