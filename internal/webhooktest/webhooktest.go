// Package webhooktest runs a conversion webhook inside a test: a real TLS server that takes ConversionReviews, and can
// be told to answer them wrongly.
package webhooktest

import (
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// Object is a decoded object, and every other JSON object here.
type Object = map[string]any

// Hook is a running webhook.
type Hook struct {
	URL     string // of the server, without a path
	Address string // HOST:PORT of it
	CA      []byte // PEM of what its certificate must come from

	convert func(obj Object, apiVersion string)

	mu      sync.Mutex
	damage  func(answer Object)       // nil: answers are right
	answer  func(http.ResponseWriter) // nil: answers are ConversionReviews
	batches []int                     // how many objects came with each call
	last    Object
	host    string          // as the last call named it
	clients map[string]bool // their addresses: one for each connection
}

// Start starts a webhook and stops it when the test ends. convert changes an object into the version asked for; its
// apiVersion is set already.
func Start(t testing.TB, convert func(obj Object, apiVersion string), certificate *tls.Config) *Hook {
	h := &Hook{convert: convert, clients: map[string]bool{}}
	s := httptest.NewUnstartedServer(h)
	s.TLS = certificate
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // who does not trust it is part of some tests
	s.StartTLS()
	t.Cleanup(s.Close)
	h.URL, h.Address = s.URL, s.Listener.Addr().String()
	h.CA = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	return h
}

// Damage has change spoil every answer from now on; nil: none.
func (h *Hook) Damage(change func(answer Object)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.damage, h.answer = change, nil
}

// DamageObjects is Damage for each converted object.
func (h *Hook) DamageObjects(change func(obj Object)) {
	h.Damage(func(answer Object) {
		for _, o := range answer["response"].(Object)["convertedObjects"].([]any) {
			change(o.(Object))
		}
	})
}

// Answer has the webhook answer with something that is no ConversionReview; nil: with one again.
func (h *Hook) Answer(write func(http.ResponseWriter)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answer, h.damage = write, nil
}

// Batches returns how many objects came with each call since the last time that this was asked.
func (h *Hook) Batches() []int {
	h.mu.Lock()
	defer h.mu.Unlock()
	b := h.batches
	h.batches = nil
	return b
}

// Last returns the last ConversionReview that came.
func (h *Hook) Last() Object {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last
}

// Host is the HOST:PORT by which the last call named the webhook.
func (h *Hook) Host() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.host
}

// Connections is over how many connections calls have come.
func (h *Hook) Connections() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.clients)
}

// ServeHTTP implements http.Handler.
func (h *Hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	var asked Object
	if err != nil || json.Unmarshal(raw, &asked) != nil {
		http.Error(w, "no JSON", http.StatusBadRequest)
		return
	}
	request, _ := asked["request"].(Object)
	objects, _ := request["objects"].([]any)
	to, _ := request["desiredAPIVersion"].(string)
	h.mu.Lock()
	h.last, h.host = asked, r.Host
	h.clients[r.RemoteAddr] = true
	h.batches = append(h.batches, len(objects))
	damage, answer := h.damage, h.answer
	h.mu.Unlock()
	if answer != nil {
		answer(w)
		return
	}
	var again Object // what was kept as the last is not to be changed
	_ = json.Unmarshal(raw, &again)
	objects, _ = again["request"].(Object)["objects"].([]any)
	for _, o := range objects {
		obj, _ := o.(Object)
		obj["apiVersion"] = to
		h.convert(obj, to)
	}
	out := Object{"apiVersion": asked["apiVersion"], "kind": "ConversionReview", "response": Object{
		"uid": request["uid"], "result": Object{"status": "Success"}, "convertedObjects": objects,
	}}
	if damage != nil {
		damage(out)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out)
}

// Rename returns a conversion that moves spec.from in version of to spec.to in all others, and back.
func Rename(version, from, to string) func(Object, string) {
	return func(obj Object, apiVersion string) {
		have, want := from, to
		if len(apiVersion) > len(version) && apiVersion[len(apiVersion)-len(version)-1:] == "/"+version {
			have, want = to, from
		}
		if spec, ok := obj["spec"].(Object); ok {
			if v, ok := spec[have]; ok {
				delete(spec, have)
				spec[want] = v
			}
		}
	}
}
