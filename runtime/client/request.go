package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	utilnet "k8s.io/apimachinery/pkg/util/net"
)

// request is one HTTP request; body may be sent several times.
type request struct {
	method, path string
	query        string
	accept       string
	contentType  string
	body         []byte
	once         bool // do not wait and try again where the server asks for patience
}

const (
	// maxRetries bounds how often a server may ask for patience before its answer is passed on.
	maxRetries = 10
	// A request whose connection broke is sent again at once, then after a time that doubles up to the longest.
	firstBackoff, longestBackoff = 50 * time.Millisecond, time.Second
)

// open sends r and returns an answer of success, whose body is the caller's to close. Anything else is an error.
func (d *Direct) open(ctx context.Context, r request) (resp *http.Response, err error) {
	err = d.patiently(ctx, &r, func() error {
		resp, err = d.send(ctx, &r) //nolint:bodyclose // the caller does
		return err
	})
	return resp, err
}

// do sends r and returns the whole answer.
func (d *Direct) do(ctx context.Context, r request) (data []byte, contentType string, err error) {
	err = d.patiently(ctx, &r, func() error {
		ctx := ctx
		if d.timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, d.timeout)
			defer cancel()
		}
		resp, err := d.send(ctx, &r)
		if err != nil {
			return err
		}
		defer closeBody(resp)
		contentType = resp.Header.Get("Content-Type")
		data, err = readAll(resp)
		return err
	})
	return data, contentType, err
}

// readAll is io.ReadAll, in one piece where the length is known.
func readAll(resp *http.Response) (data []byte, err error) {
	if n := resp.ContentLength; n > 0 {
		data = make([]byte, n)
		_, err = io.ReadFull(resp.Body, data)
	} else if n < 0 {
		data, err = io.ReadAll(resp.Body)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	return data, nil
}

// patiently sends, by send, and does so again where the server asks for it, or where the connection broke under a
// request that only reads. Its errors are *Error.
func (d *Direct) patiently(ctx context.Context, r *request, send func() error) error {
	backoff := time.Duration(0)
	for try := 0; ; try++ {
		err := send()
		if err == nil {
			return nil
		}
		var refused *refusal
		wait, again := time.Duration(0), false
		if errors.As(err, &refused) {
			err, wait, again = refused.error, refused.wait, refused.again
		} else if r.method == http.MethodGet && broken(err) {
			wait, again = backoff, true
			backoff = max(firstBackoff, min(2*backoff, longestBackoff))
		}
		again = again && !r.once && try < maxRetries && ctx.Err() == nil
		if again && sleep(ctx, wait) {
			continue
		}
		if ctx.Err() != nil && !errors.Is(err, context.Cause(ctx)) {
			err = fmt.Errorf("%w, after: %w", context.Cause(ctx), err)
		}
		return &Error{r.method, r.path, err}
	}
}

// sleep says whether ctx let it.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// refusal is an answer that is none of success.
type refusal struct {
	error
	wait  time.Duration // that the server asks for, before
	again bool          // it is asked again
}

// send sends r once. The body of the answer, which is one of success, is the caller's to close.
func (d *Direct) send(ctx context.Context, r *request) (*http.Response, error) {
	var body io.Reader
	if r.body != nil {
		body = bytes.NewReader(r.body)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, "/", body)
	if err != nil {
		return nil, err
	}
	*req.URL = *d.base
	req.URL.Path += r.path
	req.URL.RawQuery = r.query
	req.Host = d.base.Host
	req.Header["Accept"] = []string{r.accept}
	if r.body != nil {
		req.Header["Content-Type"] = []string{r.contentType}
	}
	token, err := d.who.sign(req.Header)
	if err != nil {
		if body != nil {
			_ = req.Body.Close()
		}
		return nil, err
	}
	resp, err := d.transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	d.warn(ctx, resp)
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	out := &refusal{}
	if seconds, ok := retryAfter(resp); ok {
		out.wait, out.again = time.Duration(seconds)*time.Second, true
	}
	if resp.StatusCode == http.StatusUnauthorized && token != "" {
		out.again = d.who.refused(token)
	}
	out.error = statusOf(resp, r)
	return nil, out
}

// warn passes on what the server warns of.
func (d *Direct) warn(ctx context.Context, resp *http.Response) {
	headers := resp.Header["Warning"]
	if d.onWarning == nil || len(headers) == 0 {
		return
	}
	warnings, _ := utilnet.ParseWarningHeaders(headers) // what is not written as it should be is nothing to pass on
	for _, w := range warnings {
		if w.Code == 299 {
			d.onWarning(ctx, w.Text)
		}
	}
}

// closeBody reads what is left, within reason, so that the connection can be used again.
func closeBody(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10)
	_ = resp.Body.Close()
}

// retryAfter is for how many seconds the server asks to wait before the same request may succeed.
func retryAfter(resp *http.Response) (seconds int, ok bool) {
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode < http.StatusInternalServerError {
		return 0, false
	}
	seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	return max(seconds, 0), err == nil && seconds >= 0
}
