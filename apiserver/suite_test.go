package apiserver_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
)

func TestServer(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(patience)
	RunSpecs(t, "The API server")
}

// patience with what comes about by itself: Gomega's second is not enough on a machine that has other things to do.
const patience = 20 * time.Second

// server is shared by all specs; each works in a namespace or with a kind of its own.
var server *apiservertest.Server

var _ = BeforeSuite(func() { server = apiservertest.Start(GinkgoTB(), apiservertest.Options{}) })

// answer is a response, read whole.
type answer struct {
	code   int
	header http.Header
	body   string
	object map[string]any // nil where the body is no JSON object
}

func (a answer) at(path ...string) any {
	var v any = a.object
	for _, p := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[p]
	}
	return v
}

// status checks that an answer is a Status of Kubernetes, whose text contains message.
func (a answer) status(code int, reason, message string) {
	GinkgoHelper()
	Expect(a.code).To(Equal(code), a.body)
	Expect(a.at("kind")).To(Equal("Status"), a.body)
	Expect(a.at("apiVersion")).To(Equal("v1"))
	Expect(a.at("status")).To(Equal("Failure"))
	if reason == "" {
		Expect(a.at("reason")).To(BeNil(), a.body)
	} else {
		Expect(a.at("reason")).To(Equal(reason), a.body)
	}
	Expect(a.at("code")).To(BeEquivalentTo(code))
	Expect(a.at("message")).To(ContainSubstring(message), a.body)
}

func (a answer) ok(code int) answer {
	GinkgoHelper()
	Expect(a.code).To(Equal(code), a.body)
	return a
}

// send makes a request; headers are "Name: value". A body that begins with { is JSON, any other YAML, unless a
// header says otherwise.
func send(method, path, body string, headers ...string) answer {
	GinkgoHelper()
	return sendTo(NewWithT(GinkgoTB()), server, method, path, body, headers...)
}

func sendTo(g *WithT, s *apiservertest.Server, method, path, body string, headers ...string) answer {
	r, err := http.NewRequest(method, "http://keelson"+path, strings.NewReader(body))
	g.Expect(err).NotTo(HaveOccurred())
	if body != "" {
		r.Header.Set("Content-Type", "application/yaml")
		if strings.HasPrefix(strings.TrimSpace(body), "{") {
			r.Header.Set("Content-Type", "application/json")
		}
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	res, err := s.Client().Do(r)
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	g.Expect(err).NotTo(HaveOccurred())
	a := answer{code: res.StatusCode, header: res.Header, body: string(raw)}
	_ = json.Unmarshal(raw, &a.object)
	return a
}

func get(path string, headers ...string) answer { return send("GET", path, "", headers...) }

// watchEvent is one frame of a watch.
type watchEvent struct {
	Type   string         `json:"type"`
	Object map[string]any `json:"object"`
}

func (e watchEvent) String() string {
	meta, _ := e.Object["metadata"].(map[string]any)
	return fmt.Sprintf("%s %v", e.Type, meta["name"])
}

// watching is an open watch; next blocks for one frame.
type watching struct {
	lines  *bufio.Reader
	body   io.Closer
	cancel context.CancelFunc
}

func watch(path string, headers ...string) *watching {
	GinkgoHelper()
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, "GET", "http://keelson"+path, nil)
	Expect(err).NotTo(HaveOccurred())
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	res, err := server.Client().Do(r)
	Expect(err).NotTo(HaveOccurred())
	Expect(res.StatusCode).To(Equal(http.StatusOK))
	w := &watching{lines: bufio.NewReader(res.Body), body: res.Body, cancel: cancel}
	DeferCleanup(w.stop)
	return w
}

func (w *watching) stop() { w.cancel(); _ = w.body.Close() }

func (w *watching) next() watchEvent {
	GinkgoHelper()
	line, err := w.lines.ReadBytes('\n')
	Expect(err).NotTo(HaveOccurred())
	var e watchEvent
	Expect(json.Unmarshal(bytes.TrimSpace(line), &e)).To(Succeed())
	return e
}

var names int

// unique returns a name that no other spec uses.
func unique(base string) string { names++; return fmt.Sprintf("%s-%d", base, names) }

// namespace makes one for a spec and returns its name.
func namespace() string {
	GinkgoHelper()
	name := unique("ns")
	send("POST", "/api/v1/namespaces", `{"metadata":{"name":"`+name+`"}}`).ok(201)
	return name
}
