package apiserver

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"sync"
)

// Transport returns a RoundTripper that hands requests straight to a handler in this process: the same requests,
// headers and bytes as over a socket, without the socket. Watches stream; ending a request's context or closing
// a response's body ends the handler's request. Each exchange runs on a goroutine that ends with it.
func Transport(h http.Handler) http.RoundTripper { return &localTransport{handler: h} }

type localTransport struct{ handler http.Handler }

func (t *localTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	in := r.Clone(ctx)
	in.RequestURI = r.URL.RequestURI()
	in.RemoteAddr = "127.0.0.1:0"
	in.Proto, in.ProtoMajor, in.ProtoMinor = "HTTP/2.0", 2, 0
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	body, out := io.Pipe()
	w := &localWriter{header: http.Header{}, body: out, answered: make(chan struct{})}
	go func() {
		defer cancel()
		defer func() {
			if p := recover(); p != nil {
				w.fail(io.ErrUnexpectedEOF)
				if p != http.ErrAbortHandler { //nolint:errorlint // as net/http compares it
					panic(p)
				}
				return
			}
			w.finish()
		}()
		t.handler.ServeHTTP(w, in)
	}()
	select {
	case <-w.answered:
	case <-r.Context().Done():
		cancel()
		_ = body.CloseWithError(r.Context().Err())
		return nil, r.Context().Err()
	}
	if w.failed != nil {
		cancel()
		return nil, w.failed
	}
	return &http.Response{
		StatusCode: w.code, Status: strconv.Itoa(w.code) + " " + http.StatusText(w.code), Proto: in.Proto, ProtoMajor: 2,
		Header: w.sent, Body: &localBody{PipeReader: body, cancel: cancel}, ContentLength: -1, Request: r,
	}, nil
}

// localWriter is the handler's side of an exchange.
type localWriter struct {
	header http.Header
	body   *io.PipeWriter

	once     sync.Once
	answered chan struct{} // closed when code and sent, or failed, are set
	code     int
	sent     http.Header
	failed   error
}

func (w *localWriter) Header() http.Header { return w.header }

func (w *localWriter) WriteHeader(code int) {
	w.once.Do(func() {
		w.code, w.sent = code, w.header.Clone()
		close(w.answered)
	})
}

func (w *localWriter) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

// Flush does nothing: what was written has been read.
func (w *localWriter) Flush() { w.WriteHeader(http.StatusOK) }

func (w *localWriter) finish() {
	w.WriteHeader(http.StatusOK)
	_ = w.body.Close()
}

func (w *localWriter) fail(err error) {
	w.once.Do(func() { w.failed = err; close(w.answered) })
	_ = w.body.CloseWithError(err)
}

// localBody ends the handler's request when the client is done with the answer.
type localBody struct {
	*io.PipeReader
	cancel context.CancelFunc
}

func (b *localBody) Close() error {
	b.cancel()
	return b.PipeReader.Close()
}
