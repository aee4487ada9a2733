package conversion

import (
	"bytes"
	"container/list"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kschema "k8s.io/apimachinery/pkg/runtime/schema"
)

const (
	// DefaultTimeout of one call, kube-apiserver's.
	DefaultTimeout = 30 * time.Second
	// DefaultClients is how many webhooks are kept connections to.
	DefaultClients = 200

	maxAnswer    = 256 << 20 // bytes of an answer; a list of many large objects comes in several
	maxErrorText = 2048      // bytes of an answer that is no ConversionReview, in an error
	idleConns    = 16        // kept to one webhook
	idleTimeout  = 90 * time.Second
)

// Resolver finds the address behind a Service.
type Resolver interface {
	// ResolveService returns HOST:PORT to connect to for a port of the Service.
	ResolveService(ctx context.Context, namespace, name string, port int32) (address string, err error)
}

// Options of Webhooks.
type Options struct {
	// Resolver is asked at each call of a webhook behind a Service; nil: such webhooks cannot be reached.
	Resolver Resolver
	// Observe is told of each call, for metrics: how long it took, and what went wrong with it; nil: nobody is.
	Observe func(took time.Duration, failure Failure)
	// Timeout of one call; zero is DefaultTimeout.
	Timeout time.Duration
	// Clients bounds how many webhooks are kept connections to, the least recently used is let go; zero is
	// DefaultClients.
	Clients int
}

// Failure says what went wrong with a call, in the words of kube-apiserver's metrics; "": nothing.
type Failure string

// What may go wrong: the call itself, what the answer is, how many objects it has, what one of them is.
const (
	CallFailed      Failure = "conversion_webhook_call_failure"
	AnswerMalformed Failure = "conversion_webhook_malformed_response_failure"
	AnswerPartial   Failure = "conversion_webhook_partial_response_failure"
	ObjectInvalid   Failure = "conversion_webhook_invalid_converted_object_failure"
)

// Webhooks keeps connections to webhooks, by their configuration: kinds that share a webhook share them. Nothing is
// opened before the first conversion. It is safe for concurrent use.
type Webhooks struct {
	options Options

	mu sync.Mutex
	// clients by clientKey, whose elements in recent hold them, the most recently used first.
	clients map[clientKey]*list.Element
	recent  *list.List
}

// NewWebhooks returns Webhooks without any client.
func NewWebhooks(o Options) *Webhooks {
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Clients == 0 {
		o.Clients = DefaultClients
	}
	return &Webhooks{options: o, clients: map[clientKey]*list.Element{}, recent: list.New()}
}

// Converter returns the Converter of one kind. Wrong configuration is told of by conversions.
func (w *Webhooks) Converter(c WebhookConfig) *Webhook {
	if len(bytes.TrimSpace(c.CABundle)) == 0 {
		c.CABundle = nil
	}
	return &Webhook{clients: w, config: c}
}

// Close lets go of connections that are not in use.
func (w *Webhooks) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for e := w.recent.Front(); e != nil; e = e.Next() {
		e.Value.(*client).http.CloseIdleConnections()
	}
	w.clients = map[clientKey]*list.Element{}
	w.recent.Init()
}

// clientKey is what of a configuration makes a difference to the connection.
type clientKey struct {
	url     string
	service Service
	ca      [sha256.Size]byte
}

type client struct {
	key  clientKey
	url  string
	http *http.Client

	timeout time.Duration
}

func (w *Webhooks) client(c *WebhookConfig) (*client, error) {
	key := clientKey{url: c.URL, ca: sha256.Sum256(c.CABundle)}
	if c.Service != nil {
		key.service = *c.Service
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if e := w.clients[key]; e != nil {
		w.recent.MoveToFront(e)
		return e.Value.(*client), nil
	}
	made, err := w.newClient(c)
	if err != nil {
		return nil, err
	}
	made.key = key
	w.clients[key] = w.recent.PushFront(made)
	if w.recent.Len() > w.options.Clients {
		oldest := w.recent.Remove(w.recent.Back()).(*client)
		delete(w.clients, oldest.key)
		oldest.http.CloseIdleConnections()
	}
	return made, nil
}

func (w *Webhooks) newClient(c *WebhookConfig) (*client, error) {
	dialer := &net.Dialer{Timeout: w.options.Timeout, KeepAlive: 30 * time.Second}
	t := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         dialer.DialContext,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: 10 * time.Second,
		MaxIdleConnsPerHost: idleConns,
		IdleConnTimeout:     idleTimeout,
		// HTTP/1.1, so that calls at the same time spread over the replicas of a webhook.
		TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{},
	}
	if len(c.CABundle) > 0 {
		t.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(c.CABundle) {
			return nil, errors.New("unable to load root certificates: unable to parse bytes as PEM block")
		}
	}
	address := c.URL
	if s := c.Service; s != nil {
		address = s.Path
	}
	target, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("Unparsable URL: %w", err) //nolint:staticcheck // Kubernetes' text
	}
	var through http.RoundTripper = t
	if s := c.Service; s != nil {
		service := throughService(t, w.options.Resolver, s)
		target.Scheme, target.Host = "https", service.host()
		through = service
	}
	if target.Path == "" {
		target.Path = "/" // as HTTP would have it; it stands in the texts of errors
	}
	target.RawQuery = url.Values{"timeout": {w.options.Timeout.String()}}.Encode()
	return &client{url: target.String(), http: &http.Client{Transport: through}, timeout: w.options.Timeout}, nil
}

// post sends a review and returns the body of a successful answer.
func (c *client) post(ctx context.Context, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, */*")
	req.Header.Set("User-Agent", "kube-apiserver-admission") // some webhooks know it by that
	res, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("unexpected error when reading response body. Please retry. Original error: %w", err)
	}
	if len(answer) > maxAnswer {
		return nil, fmt.Errorf("the answer is larger than %d bytes", maxAnswer)
	}
	if res.StatusCode < http.StatusOK || res.StatusCode > http.StatusPartialContent {
		return nil, refusal(res, answer)
	}
	return answer, nil
}

// refusal words an answer with an error code as Kubernetes' clients do.
func refusal(res *http.Response, body []byte) error {
	var status metav1.Status
	if json.Unmarshal(body, &status) == nil && status.Kind == "Status" && status.Status != metav1.StatusSuccess && status.Message != "" {
		return &apierrors.StatusError{ErrStatus: status}
	}
	text := "unknown"
	if media, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); err != nil || strings.HasPrefix(media, "text/") {
		text = strings.TrimSpace(string(body[:min(len(body), maxErrorText)]))
	}
	return apierrors.NewGenericServerResponse(res.StatusCode, http.MethodPost, kschema.GroupResource{}, "", text, 0, true)
}
