// Package etcd keeps a server's bytes in an etcd cluster, through etcd's own client. Several API servers can share
// one cluster. Package embedded, below it, is etcd without the cluster and the network.
package etcd

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// Config says where the cluster is. Endpoints are required.
type Config struct {
	Endpoints []string // URLs; https ones need a CA that the system knows, or CAFile
	CAFile    string   // PEM
	CertFile  string   // PEM; the client's certificate, together with KeyFile
	KeyFile   string
	// DialTimeout bounds the first contact. Default: 10 s.
	DialTimeout time.Duration
	Options     Options
}

// Options of a Store.
type Options struct {
	// CompactEvery is the interval of compaction, and how much history is kept; the servers that share a cluster
	// take turns. Default: 5 minutes.
	CompactEvery time.Duration
	Logger       logr.Logger // zero: discards
}

// Store is a storage.Store in an etcd cluster. A cluster that is just running full may answer ErrNoSpace to a write
// that it keeps: the one that exceeds the quota while others are under way.
type Store struct {
	client  *clientv3.Client
	owned   bool // Dial made the client
	log     logr.Logger
	leases  leases
	watches watches

	closing   chan struct{} // closed with watches.mu held, so that no watch is added afterwards
	closeOnce sync.Once
	end       func()                              // calls what onClose was told
	onClose   func(f func()) (forget func() bool) // has f called at Close, until it is told to forget it
	work      sync.WaitGroup                      // the compactor and watches
}

var _ storage.Store = (*Store)(nil)

// New returns a Store over a client, which the caller closes after the Store. Keys are the client's connection's own:
// a client that is wrapped in etcd's package namespace is not supported.
func New(client *clientv3.Client, o Options) *Store {
	if o.CompactEvery == 0 {
		o.CompactEvery = 5 * time.Minute
	}
	if o.Logger.GetSink() == nil {
		o.Logger = logr.Discard()
	}
	life, end := context.WithCancel(context.Background())
	s := &Store{client: client, log: o.Logger, closing: make(chan struct{}), end: end}
	s.onClose = func(f func()) func() bool { return context.AfterFunc(life, f) }
	s.leases.client = client
	s.work.Add(1)
	go func() { defer s.work.Done(); s.compactor(o.CompactEvery) }()
	return s
}

// Dial connects to a cluster and reads from it once, so that a wrong address or certificate shows now.
func Dial(ctx context.Context, c Config) (*Store, error) {
	if c.DialTimeout == 0 {
		c.DialTimeout = 10 * time.Second
	}
	tlsConfig, err := c.tls()
	if err != nil {
		return nil, err
	}
	client, err := clientv3.New(clientv3.Config{
		Endpoints: c.Endpoints, TLS: tlsConfig, DialTimeout: c.DialTimeout,
		DialKeepAliveTime: 30 * time.Second, DialKeepAliveTimeout: 10 * time.Second,
		MaxCallSendMsgSize: maxMessage, Logger: zap.NewNop(),
	})
	if err != nil {
		return nil, fmt.Errorf("etcd %v: %w", c.Endpoints, err)
	}
	probe, cancel := context.WithTimeout(ctx, c.DialTimeout)
	defer cancel()
	if _, err := client.Get(probe, "/"); err != nil {
		_ = client.Close()
		return nil, fmt.Errorf("etcd %v does not answer: %w", c.Endpoints, err)
	}
	s := New(client, c.Options)
	s.owned = true
	return s, nil
}

// maxMessage is what the client sends at most; the cluster has its own limit (--max-request-bytes).
const maxMessage = 16 << 20

func (c *Config) tls() (*tls.Config, error) {
	if c.CAFile == "" && c.CertFile == "" && c.KeyFile == "" {
		return nil, nil
	}
	out := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("etcd's CA: %w", err)
		}
		out.RootCAs = x509.NewCertPool()
		if !out.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("etcd's CA: %s holds no certificate", c.CAFile)
		}
	}
	if c.CertFile != "" || c.KeyFile != "" {
		if c.CertFile == "" || c.KeyFile == "" {
			return nil, errors.New("etcd's client certificate and its key are needed together")
		}
		pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("etcd's client certificate: %w", err)
		}
		out.Certificates = []tls.Certificate{pair}
	}
	return out, nil
}

// Close implements storage.Store. It does not wait for who reads a watch; calls under way end with ErrClosed, and if
// they are writes, may have happened.
func (s *Store) Close() error {
	var err error
	s.closeOnce.Do(func() {
		s.watches.mu.Lock()
		close(s.closing)
		s.watches.mu.Unlock()
		s.end()
		s.work.Wait()
		if s.owned {
			err = s.client.Close()
		}
	})
	return err
}

func (s *Store) closed() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}

// untilClosed returns a context that ends with the store, too. Without it, etcd's client would go on trying.
func (s *Store) untilClosed(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	forget := s.onClose(cancel)
	return ctx, func() { forget(); cancel() }
}

// enter begins a call, unless the store is closed; done ends it.
func (s *Store) enter(ctx context.Context) (call context.Context, done context.CancelFunc, err error) {
	if s.closed() {
		return ctx, func() {}, storage.ErrClosed
	}
	call, done = s.untilClosed(ctx)
	return call, done, nil
}

// storeError names etcd's errors in the contract's terms.
func (s *Store) storeError(err error) error {
	if err == nil {
		return nil
	}
	if s.closed() {
		return storage.ErrClosed
	}
	switch rpc := rpctypes.Error(err); {
	case errors.Is(rpc, rpctypes.ErrCompacted):
		return storage.ErrCompacted
	case errors.Is(rpc, rpctypes.ErrFutureRev):
		return storage.ErrFutureRevision
	case errors.Is(rpc, rpctypes.ErrNoSpace):
		return fmt.Errorf("%w (etcd's --quota-backend-bytes): compact and defragment it", storage.ErrNoSpace)
	// gRPC's own limits, of the client and of the server, come before etcd's and have no name.
	case errors.Is(rpc, rpctypes.ErrRequestTooLarge), strings.Contains(rpctypes.ErrorDesc(err), "message larger than max"):
		return fmt.Errorf("%w: etcd's --max-request-bytes is below it", storage.ErrTooLarge)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	return fmt.Errorf("%w: %w", storage.ErrUnavailable, err)
}
