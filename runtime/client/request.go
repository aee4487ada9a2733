package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

const (
	jsonType     = "application/json"
	metadataType = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
	metadataList = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
)

// request is one HTTP request; body may be sent several times.
type request struct {
	method, path string
	query        url.Values
	accept       string
	contentType  string
	body         []byte
	once         bool // do not wait and try again where the server asks for patience
}

// maxRetries bounds how often a server may ask for patience before its answer is passed on.
const maxRetries = 10

// open sends r and returns an answer of success, whose body is the caller's to close. Anything else is an error.
func (d *Direct) open(ctx context.Context, r request) (*http.Response, error) {
	for try := 0; ; try++ {
		resp, err := d.send(ctx, r)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode/100 == 2 {
			return resp, nil
		}
		err = statusOf(resp)
		wait, ok := patience(resp)
		if !ok || r.once || try >= maxRetries {
			return nil, err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, errors.Join(context.Cause(ctx), err)
		}
	}
}

func (d *Direct) send(ctx context.Context, r request) (*http.Response, error) {
	u := *d.base
	u.Path += r.path
	u.RawQuery = r.query.Encode()
	var body io.Reader
	if r.body != nil {
		body = bytes.NewReader(r.body)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, u.String(), body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", r.accept)
	if r.body != nil {
		req.Header.Set("Content-Type", r.contentType)
	}
	return d.http.Do(req)
}

// do sends r and returns the whole answer.
func (d *Direct) do(ctx context.Context, r request) (data []byte, contentType string, err error) {
	if d.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d.timeout)
		defer cancel()
	}
	resp, err := d.open(ctx, r)
	if err != nil {
		return nil, "", err
	}
	defer closeBody(resp)
	if resp.ContentLength > 0 {
		data = make([]byte, resp.ContentLength)
		_, err = io.ReadFull(resp.Body, data)
	} else {
		data, err = io.ReadAll(resp.Body)
	}
	if err != nil {
		return nil, "", fmt.Errorf("%s %s: reading the answer: %w", r.method, r.path, err)
	}
	return data, resp.Header.Get("Content-Type"), nil
}

// closeBody reads what is left, within reason, so that the connection can be used again.
func closeBody(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10)
	_ = resp.Body.Close()
}

// patience is how long the server asks to wait before the same request may succeed.
func patience(resp *http.Response) (time.Duration, bool) {
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return 0, false
	}
	seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0, false
	}
	return time.Duration(seconds) * time.Second, true
}

// statusOf makes an error of an answer that is none of success, and closes it.
func statusOf(resp *http.Response) error {
	data, _ := io.ReadAll(io.LimitReader(resp.Body, 3<<20))
	closeBody(resp)
	var status metav1.Status
	if utiljson.Unmarshal(data, &status) == nil && status.Kind == "Status" && status.Status != metav1.StatusSuccess {
		if status.Code == 0 {
			status.Code = int32(resp.StatusCode) //nolint:gosec // three digits
		}
		return &apierrors.StatusError{ErrStatus: status}
	}
	after, _ := patience(resp)
	method, path := "", ""
	if resp.Request != nil {
		method, path = resp.Request.Method, resp.Request.URL.Path
	}
	return apierrors.NewGenericServerResponse(resp.StatusCode, method, schema.GroupResource{Resource: path}, "", string(data[:min(len(data), 2048)]), int(after/time.Second), true)
}
