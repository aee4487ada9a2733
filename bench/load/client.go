// Package load makes requests cheaply: bytes prepared beforehand, answers counted and thrown away unless asked for,
// nothing decoded. What it costs comes out of the same cores as the server's work, so it must cost little.
package load

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// Media types that the scenarios send and ask for.
const (
	JSON       = "application/json"
	ApplyPatch = "application/apply-patch+yaml"
	Table      = "application/json;as=Table;v=v1;g=meta.k8s.io"
)

// Options of a Client.
type Options struct {
	// Connections that requests are spread over, one after the other. HTTP/2 carries many requests on each.
	Connections int
	// Gzip asks for compressed answers. They are counted as they come and not unpacked.
	Gzip bool
}

// Client sends requests to one server.
type Client struct {
	base  string
	gzip  bool
	https []*http.Client
	next  atomic.Uint32
}

// NewClient returns a client of the server at base, https://HOST:PORT. It connects when it is first used.
func NewClient(base string, conf *tls.Config, o Options) *Client {
	c := &Client{base: base, gzip: o.Gzip}
	for range max(1, o.Connections) {
		c.https = append(c.https, &http.Client{Transport: &http.Transport{
			TLSClientConfig:    conf.Clone(),
			ForceAttemptHTTP2:  true,
			DisableCompression: true,
			HTTP2:              &http.HTTP2Config{MaxReceiveBufferPerConnection: 16 << 20, MaxReceiveBufferPerStream: 4 << 20},
		}})
	}
	return c
}

// Close gives the connections back.
func (c *Client) Close() {
	for _, h := range c.https {
		h.CloseIdleConnections()
	}
}

// Request is one HTTP request.
type Request struct {
	Method string // GET if empty
	Path   string // with its query
	Body   []byte
	Type   string // of the body, JSON if empty
	Accept string // JSON if empty
}

// StatusError is an answer outside 200 to 299.
type StatusError struct {
	Request Request
	Code    int
	Body    string // the first 1,000 bytes
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s %s: %d %s", e.Request.Method, e.Request.Path, e.Code, e.Body)
}

// Do sends r, throws the answer's body away and returns its size in bytes.
func (c *Client) Do(ctx context.Context, r Request) (int64, error) {
	resp, err := c.send(ctx, r)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	return io.Copy(io.Discard, resp.Body)
}

// Read sends r and returns the answer's body.
func (c *Client) Read(ctx context.Context, r Request) ([]byte, error) {
	resp, err := c.send(ctx, r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	return io.ReadAll(resp.Body)
}

// send returns an answer of 200 to 299, whose body is the caller's to close.
func (c *Client) send(ctx context.Context, r Request) (*http.Response, error) {
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, c.base+r.Path, bytes.NewReader(r.Body))
	if err != nil {
		return nil, err
	}
	if r.Body != nil {
		req.Header.Set("Content-Type", or(r.Type, JSON))
	}
	req.Header.Set("Accept", or(r.Accept, JSON))
	req.Header.Set("User-Agent", "keelson-bench")
	if c.gzip {
		req.Header.Set("Accept-Encoding", "gzip")
	}
	h := c.https[int(c.next.Add(1))%len(c.https)]
	resp, err := h.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		defer func() { _ = resp.Body.Close() }()
		b, _ := io.ReadAll(io.LimitReader(resp.Body, 1000)) // it only explains an error that is returned anyway
		return nil, &StatusError{Request: r, Code: resp.StatusCode, Body: string(b)}
	}
	return resp, nil
}

// Retry sends r every pause until its answer is one of 200 to 299, or limit has passed.
func (c *Client) Retry(ctx context.Context, r Request, pause, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		_, err := c.Do(ctx, r)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w, the last answer being: %w", ctx.Err(), err)
		case <-tick.C:
		}
	}
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}
