package certs

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"

	"github.com/keelson-project/keelson/informer"
	"github.com/keelson-project/keelson/internal/certify"
	"github.com/keelson-project/keelson/runtime/client"
)

// Options of Managed. Client, Secret and Hosts are required.
type Options struct {
	// Client reads from the server, as Manager.Direct does.
	Client *client.Direct
	// Secret that replicas share; its namespace must exist.
	Secret client.ObjectKey
	// Hosts are the names and IP addresses by which API servers call: NAME.NAMESPACE.svc for a Service.
	Hosts []string
	// Targets that are to trust the certificates.
	Targets []Target
	// AuthorityLife is how long an authority lasts; it gets a successor when a third of that is left. Default: a year.
	AuthorityLife time.Duration
	// Life is how long a serving certificate lasts; it is replaced when a third of that is left. Default: 90 days.
	Life time.Duration
	// Overlap is how long all Targets trust a new authority before anything that it signed is shown, at least.
	// Default: 10 minutes.
	Overlap time.Duration
	Logger  logr.Logger
}

// Managed makes, rotates and injects certificates; see the package comment.
type Managed struct {
	opts   Options
	policy policy
	log    logr.Logger
	wake   chan struct{} // holds one: something has changed
	first  chan struct{} // closed when there is a certificate

	mu     sync.Mutex
	leaf   *tls.Certificate
	signer *certify.Authority // of leaf
	// last is the state as this process knows it, by which a Secret that vanished is made again.
	last state
	// sure is the successor that every Target was last seen to trust, since when.
	sure  *certify.Authority
	since time.Time
	err   error // of the last attempt
}

// New makes a Managed. It starts nothing and sends nothing.
func New(o Options) (*Managed, error) {
	if o.Client == nil || o.Secret.Name == "" || o.Secret.Namespace == "" || len(o.Hosts) == 0 {
		return nil, errors.New("certs: Client, Secret and Hosts are required")
	}
	for _, d := range []struct {
		value *time.Duration
		usual time.Duration
	}{{&o.AuthorityLife, 365 * 24 * time.Hour}, {&o.Life, 90 * 24 * time.Hour}, {&o.Overlap, 10 * time.Minute}} {
		if *d.value == 0 {
			*d.value = d.usual
		}
	}
	if o.Overlap > o.AuthorityLife/6 {
		return nil, fmt.Errorf("certs: an Overlap of %v is too long for authorities that last %v", o.Overlap, o.AuthorityLife)
	}
	if o.Logger.GetSink() == nil {
		o.Logger = logr.Discard()
	}
	return &Managed{
		opts: o, policy: policy{o.AuthorityLife, o.Life, o.Overlap}, log: o.Logger,
		wake: make(chan struct{}, 1), first: make(chan struct{}),
	}, nil
}

// Ready implements webhook.Certificates.
func (m *Managed) Ready() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.leaf != nil {
		return nil
	}
	return errors.Join(errors.New("certs: there is no certificate yet"), m.err)
}

// GetCertificate implements webhook.Certificates. It waits for the first one.
func (m *Managed) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if err := m.Ready(); err != nil {
		select {
		case <-m.first:
		case <-hello.Context().Done():
			return nil, err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.leaf, nil
}

const (
	minRetry = 200 * time.Millisecond
	maxRetry = time.Minute
	// atLeast is how often everything is looked at even where nothing is known to have changed.
	atLeast = time.Hour
)

// Run keeps the certificates up to date until ctx ends. Failures are logged and tried again.
func (m *Managed) Run(ctx context.Context) error {
	var watching sync.WaitGroup
	defer watching.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for _, scope := range m.scopes() {
		inf := informer.New(informer.Config[*metav1.PartialObjectMetadata]{
			Source: m.opts.Client.Source(), Scope: scope,
			OnError: func(err error) { m.log.V(1).Info("a watch recovers", "reason", err.Error()) },
		})
		inf.AddHandler(func(informer.Change[*metav1.PartialObjectMetadata]) { m.poke() })
		watching.Go(func() { _ = inf.Run(ctx) })
	}
	for retry := minRetry; ; {
		next, err := m.pass(ctx)
		if ctx.Err() != nil {
			return nil
		}
		wait := min(time.Until(next), atLeast)
		if err == nil {
			retry = minRetry
		} else {
			m.failed(err, retry)
			wait, retry = retry, min(2*retry, maxRetry)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-m.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (m *Managed) scopes() []informer.Scope {
	named := func(name string) string { return fields.OneTermEqualSelector("metadata.name", name).String() }
	scopes := []informer.Scope{{GVK: secretKind, Namespace: m.opts.Secret.Namespace, FieldSelector: named(m.opts.Secret.Name), MetadataOnly: true}}
	for _, t := range m.opts.Targets {
		scopes = append(scopes, informer.Scope{GVK: t.kind, FieldSelector: named(t.name), MetadataOnly: true})
	}
	return scopes
}

func (m *Managed) poke() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// failed tells of an error, after which it waits for retry. Those that say that another replica was faster are no news,
// unless they keep coming.
func (m *Managed) failed(err error, retry time.Duration) {
	m.mu.Lock()
	m.err = err
	m.mu.Unlock()
	race := apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsInvalid(err)
	if race && retry < 10*time.Second {
		m.log.V(1).Info("something has changed meanwhile", "reason", err.Error())
		return
	}
	m.log.Error(err, "certificates are not up to date")
}

// pass looks at everything once, brings it up to date and returns when to look again. Targets are read before the
// Secret: who finds an old Secret then finds, when it patches, that a Target has changed since.
func (m *Managed) pass(ctx context.Context) (next time.Time, err error) {
	targets, problems := m.find(ctx)
	kept, err := readSecret(ctx, m.opts.Client, m.opts.Secret)
	if err != nil {
		return next, err
	}
	was := decodeState(kept.data)
	now := time.Now()
	planned, wake, err := m.remembered(was, kept.exists()).step(now, m.trusted(was.next, targets, problems, now), m.policy)
	if err != nil {
		return next, err
	}
	if !kept.exists() || !planned.equal(was) {
		data, err := planned.encode()
		if err != nil {
			return next, err
		}
		if err := kept.write(ctx, m.opts.Client, data); err != nil {
			return next, err
		}
		m.log.Info("wrote the authorities", "secret", m.opts.Secret.String(), "until", planned.signer.Cert.NotAfter, "successor", planned.next != nil)
	}
	renew, err := m.sign(planned, now)
	if err != nil {
		return next, err
	}
	problems = errors.Join(problems, m.inject(ctx, targets, certify.EncodeCertificates(planned.bundle...)))
	if renew.Before(wake) {
		wake = renew
	}
	return wake, problems
}

// remembered is a state with what this process knows from before, where the Secret has gone.
func (m *Managed) remembered(s state, exists bool) state {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !exists && m.last.signer != nil {
		return m.last
	}
	return s
}

func (m *Managed) find(ctx context.Context) (all []*found, problems error) {
	for _, t := range m.opts.Targets {
		f, err := t.find(ctx, m.opts.Client)
		problems = errors.Join(problems, err)
		if f != nil {
			all = append(all, f)
		}
	}
	return all, problems
}

// trusted is since when this process knows all Targets to trust a successor; zero: they do not.
func (m *Managed) trusted(next *certify.Authority, targets []*found, problems error, now time.Time) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := next != nil && problems == nil
	for _, f := range targets {
		all = all && f.trusts(next)
	}
	if !all {
		m.sure = nil
		return time.Time{}
	}
	if m.sure == nil || !m.sure.Cert.Equal(next.Cert) {
		m.sure, m.since = next, now
	}
	return m.since
}

// sign makes a serving certificate where the one in use is old, or of another authority, and returns when it will be old.
func (m *Managed) sign(s state, now time.Time) (renew time.Time, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last = s
	if m.leaf == nil || !m.signer.Cert.Equal(s.signer.Cert) || !now.Before(m.renewal()) {
		leaf, err := issue(s.signer, m.opts.Hosts, now, m.policy.leaf)
		if err != nil {
			return now, err
		}
		m.log.Info("a new serving certificate", "hosts", m.opts.Hosts, "until", leaf.Leaf.NotAfter)
		if m.leaf == nil {
			close(m.first)
		}
		m.leaf, m.signer, m.err = leaf, s.signer, nil
	}
	return m.renewal(), nil
}

// renewal is when the serving certificate is to be replaced. One that lasts as long as its authority is replaced with it.
func (m *Managed) renewal() time.Time {
	if end := m.signer.Cert.NotAfter; m.leaf.Leaf.NotAfter.Equal(end) {
		return end
	}
	return renewal(m.leaf.Leaf, m.policy.leaf)
}

func (m *Managed) inject(ctx context.Context, targets []*found, bundle []byte) (problems error) {
	for _, f := range targets {
		wrote, err := f.inject(ctx, m.opts.Client, bundle)
		problems = errors.Join(problems, err)
		if wrote {
			m.log.Info("wrote the caBundle", "target", f.String())
		}
	}
	return problems
}
