package simtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// frame is what this package reads of a watch event.
type frame struct {
	Type   string `json:"type"`
	Object struct {
		Metadata struct {
			Namespace       string            `json:"namespace"`
			Name            string            `json:"name"`
			ResourceVersion string            `json:"resourceVersion"`
			Annotations     map[string]string `json:"annotations"`
		} `json:"metadata"`
	} `json:"object"`
}

// watch opens a watch whose events wait for their turn.
func (w *wire) watch(r *http.Request, t target) (*http.Response, error) {
	initial := r.URL.Query().Get("sendInitialEvents") == "true"
	resp, err := w.beginOld(r, t, initial)
	if resp == nil && err == nil {
		resp, err = w.next.RoundTrip(r)
	}
	if err != nil || resp.StatusCode != http.StatusOK {
		return resp, err
	}
	body, out := io.Pipe()
	s := &stream{wire: w, target: t, server: resp.Body, out: out, initial: initial, closed: make(chan struct{})}
	go s.pump()
	resp.Body = streamBody{body, s}
	return resp, nil
}

// stream passes the events of one watch on.
type stream struct {
	*wire
	target  target
	server  io.ReadCloser
	out     *io.PipeWriter
	initial bool // what was there when the watch began is still coming
	closed  chan struct{}
	once    sync.Once
}

// streamBody is the client's end.
type streamBody struct {
	*io.PipeReader
	s *stream
}

// Close ends the watch.
func (b streamBody) Close() error {
	b.s.once.Do(func() {
		close(b.s.closed)
		_ = b.s.server.Close()
	})
	return b.PipeReader.Close()
}

func (s *stream) pump() {
	defer func() { _ = s.server.Close() }()
	for events := json.NewDecoder(s.server); ; {
		var raw json.RawMessage
		if err := events.Decode(&raw); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			_ = s.out.CloseWithError(err)
			return
		}
		var f frame
		if err := json.Unmarshal(raw, &f); err != nil {
			_ = s.out.CloseWithError(err)
			return
		}
		if !s.pass(raw, f) {
			return
		}
	}
}

// pass tells the client of an event, and reports whether the watch goes on.
func (s *stream) pass(raw []byte, f frame) bool {
	m := f.Object.Metadata
	switch {
	case f.Type == "BOOKMARK":
		s.initial = s.initial && m.Annotations[metav1.InitialEventsAnnotationKey] != "true"
	case s.initial || f.Type == "ERROR":
	default:
		a := &action{target: s.target, event: true, label: f.Type + " " + s.target.key(m.Namespace, m.Name)}
		o, ok := s.sched.wait(a, s.dead, s.closed)
		switch {
		case !ok:
			_ = s.out.CloseWithError(errDead)
			return false
		case o.fault == Miss:
			_, _ = s.out.Write([]byte(expired))
			_ = s.out.Close()
			return false
		case o.fault == Drop:
			_ = s.out.CloseWithError(io.ErrUnexpectedEOF)
			return false
		}
	}
	_, err := s.out.Write(append(raw, '\n'))
	return err == nil
}

// expired is the event that says that the events since then are known no more.
const expired = `{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",` +
	`"message":"The resourceVersion for the provided watch is too old.","reason":"Expired","code":410}}` + "\n"

// beginOld answers a watch that asks for the initial state with that of an old revision, where the process is to begin
// there: what an API server does whose own cache is behind. It returns no response where there is nothing of the kind
// to do, or the server does not have the revision.
func (w *wire) beginOld(r *http.Request, t target, initial bool) (*http.Response, error) {
	if w.old == "" || !initial || t.background() || w.oldKind != "" && w.oldKind != t.kind() {
		return nil, nil
	}
	list := r.Clone(r.Context())
	list.Header.Set("Accept", strings.ReplaceAll(r.Header.Get("Accept"), "as=PartialObjectMetadata;", "as=PartialObjectMetadataList;"))
	setQuery(list, func(q url.Values) {
		for _, name := range []string{"watch", "sendInitialEvents", "allowWatchBookmarks", "timeoutSeconds"} {
			q.Del(name)
		}
		q.Set("resourceVersion", w.old)
		q.Set("resourceVersionMatch", "Exact")
	})
	resp, data, err := carryOut(w.next, list)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, nil
	}
	begin, err := initialEvents(data, w.old)
	if err != nil {
		return nil, err
	}
	rest := r.Clone(r.Context())
	setQuery(rest, func(q url.Values) {
		q.Del("sendInitialEvents")
		q.Del("resourceVersionMatch")
		q.Set("resourceVersion", w.old)
	})
	if resp, err = w.next.RoundTrip(rest); err == nil && resp.StatusCode == http.StatusOK {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(begin), resp.Body), resp.Body}
	}
	return resp, err
}

func setQuery(r *http.Request, change func(url.Values)) {
	u := *r.URL
	q := u.Query()
	change(q)
	u.RawQuery = q.Encode()
	r.URL = &u
}

// initialEvents are the events with which a watch begins, made of a list.
func initialEvents(list []byte, revision string) ([]byte, error) {
	var l struct {
		APIVersion, Kind string
		Items            []map[string]json.RawMessage
	}
	if err := json.Unmarshal(list, &l); err != nil {
		return nil, fmt.Errorf("simtest: reading a list: %w", err)
	}
	kind := strings.TrimSuffix(l.Kind, "List")
	var out bytes.Buffer
	events := json.NewEncoder(&out)
	for _, item := range l.Items {
		for name, value := range map[string]string{"apiVersion": l.APIVersion, "kind": kind} {
			if item[name] == nil { // as in lists of built-in kinds
				item[name] = json.RawMessage(strconv.Quote(value))
			}
		}
		if err := events.Encode(map[string]any{"type": "ADDED", "object": item}); err != nil {
			return nil, err
		}
	}
	err := events.Encode(map[string]any{"type": "BOOKMARK", "object": map[string]any{
		"apiVersion": l.APIVersion, "kind": kind,
		"metadata": map[string]any{
			"resourceVersion": revision, "annotations": map[string]any{metav1.InitialEventsAnnotationKey: "true"},
		},
	}})
	return out.Bytes(), err
}
