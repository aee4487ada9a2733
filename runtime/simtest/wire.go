package simtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var (
	errDead = errors.New("simtest: this process has crashed")
	errLost = errors.New("simtest: connection reset by peer")
)

// wire is how one process's requests get to the server: each waits for its turn, and fails as the plan says.
type wire struct {
	next  http.RoundTripper
	sched *schedule
	dead  chan struct{} // closed when the process has crashed
	// answered is told of each write that was carried out.
	answered func(*action, []byte)
	// touch notes that a resource is used.
	touch func(target)
	// old is the revision with which caches begin; "" for the newest. oldKind is the resource for which it is; "" for all.
	old, oldKind string
}

// RoundTrip lets a request through when it is its turn.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	t := targetOf(r.URL.Path)
	if t.resource == "" {
		return w.next.RoundTrip(r) // discovery
	}
	if !t.background() {
		w.touch(t)
	}
	a := &action{target: t, method: r.Method, label: r.Method + " " + t.String(), write: writes(r, t)}
	if a.watch = watches(r); a.watch {
		a.label = "WATCH " + t.kind()
	}
	r = r.Clone(r.Context())
	r.Header.Set("Accept", onlyJSON(r.Header.Get("Accept")))
	o, ok := w.sched.wait(a, w.dead, r.Context().Done())
	if !ok {
		closeBody(r.Body)
		return nil, w.cause(r.Context())
	}
	if a.watch {
		return w.watch(r, t)
	}
	switch o.fault {
	case Undone, Fail, Throttle, Unread:
		closeBody(r.Body)
		return w.refuse(r, a, o.fault), nil
	}
	resp, data, err := carryOut(w.next, r)
	if err != nil {
		return nil, err
	}
	a.status = resp.StatusCode
	if a.write {
		w.answered(a, data)
	}
	switch o.fault {
	case Crash, Stale:
		select {
		case <-w.dead:
		case <-r.Context().Done():
		}
		return nil, errDead
	case Lost:
		return nil, errLost
	case Timeout:
		return w.refuse(r, a, o.fault), nil
	}
	return resp, nil
}

func (w *wire) cause(ctx context.Context) error {
	select {
	case <-w.dead:
		return errDead
	default:
		return context.Cause(ctx)
	}
}

func closeBody(body io.Closer) {
	if body != nil {
		_ = body.Close()
	}
}

// carryOut sends a request and reads the whole answer, whose body can be read again.
func carryOut(next http.RoundTripper, r *http.Request) (*http.Response, []byte, error) {
	resp, err := next.RoundTrip(r)
	if err != nil {
		return nil, nil, err
	}
	data, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(data))
	return resp, data, nil
}

// refuse is the answer of a server in trouble.
func (w *wire) refuse(r *http.Request, a *action, kind Kind) *http.Response {
	s := metav1.Status{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure}
	header := http.Header{"Content-Type": {"application/json"}}
	switch kind {
	case Throttle:
		s.Code, s.Reason = http.StatusTooManyRequests, metav1.StatusReasonTooManyRequests
		s.Message, s.Details = "too many requests, please try again later", &metav1.StatusDetails{RetryAfterSeconds: 1}
		header.Set("Retry-After", "1")
	case Fail, Unread:
		s.Code, s.Reason, s.Message = http.StatusInternalServerError, metav1.StatusReasonInternalError, "an error on the server: simtest"
	default:
		s.Code, s.Reason, s.Message = http.StatusGatewayTimeout, metav1.StatusReasonTimeout, "request did not complete within the allotted timeout"
	}
	if kind != Timeout {
		a.status = int(s.Code)
	}
	data, _ := json.Marshal(s) // a Status always encodes
	return &http.Response{
		StatusCode: int(s.Code), Status: fmt.Sprint(s.Code), Proto: "HTTP/2.0", ProtoMajor: 2, Header: header,
		Body: io.NopCloser(bytes.NewReader(data)), ContentLength: int64(len(data)), Request: r,
	}
}

// onlyJSON leaves JSON of what a client accepts, so that answers and events can be read.
func onlyJSON(accept string) string {
	var kept []string
	for part := range strings.SplitSeq(accept, ",") {
		if strings.HasPrefix(strings.TrimSpace(part), "application/json") {
			kept = append(kept, part)
		}
	}
	if len(kept) == 0 {
		return "application/json"
	}
	return strings.Join(kept, ",")
}
