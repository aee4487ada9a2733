// Package embedded keeps a Keelson server's bytes in an etcd member inside the process: a cluster of one, opened on
// a directory, called as a library. There is no gRPC, no port, and no second process, but the data is etcd's own:
// any etcd can open the directory.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/config"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver"
	"golang.org/x/sys/unix"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// Config of a Store. Dir is required.
type Config struct {
	// Dir holds the data; it is made (0700) where it does not exist.
	Dir string
	// QuotaBytes bounds the database; writes fail with storage.ErrNoSpace beyond it. Default: 8 GiB.
	QuotaBytes int64
	// MaxValueBytes bounds one write; storage.ErrTooLarge beyond it. Default: 16 MiB.
	MaxValueBytes uint
	// CompactEvery is the interval of compaction, and how much history is kept: what was current within it can
	// still be read. Default: 5 minutes.
	CompactEvery time.Duration
	Logger       logr.Logger // zero: discards
	// NoFsync gives up durability for speed; for tests of other things.
	NoFsync bool
}

// Errors of Open; compare with errors.Is.
var (
	ErrInUse   = errors.New("the data directory is in use by another process")
	ErrForeign = errors.New("the directory holds something else than etcd's data")
)

// name of the only member. It is in the data: etcd finds its own membership by it.
const name = "keelson"

// peerURL is what the member calls itself. Nobody listens there: a cluster of one has no peers.
const peerURL = "http://127.0.0.1:2380"

// Raft's clock. A member alone elects itself when its election timeout has passed, at most twice electionTicks;
// short ticks make that a few tens of milliseconds, while a tick costs a wake-up even when idle. There is nobody to be outvoted by, so that nothing speaks for patience.
const (
	tickMs        = 10
	electionTicks = 3
)

// Store is an etcd member in this process; it implements storage.Store.
type Store struct {
	server  *etcdserver.EtcdServer
	log     logr.Logger
	lock    *os.File
	leases  leases
	watches watches
	maxSize int

	closing   chan struct{}
	closeOnce sync.Once
	work      sync.WaitGroup // maintenance and watches
}

var _ storage.Store = (*Store)(nil)

// Open opens or makes the data in a directory and returns when it can be read and written. Errors: ErrInUse,
// ErrForeign, those of the file system, and etcd's own for damaged data.
func Open(ctx context.Context, c Config) (*Store, error) {
	c = c.withDefaults()
	lock, err := prepareDir(c.Dir)
	if err != nil {
		return nil, err
	}
	s := &Store{log: c.Logger, lock: lock, maxSize: int(c.MaxValueBytes), closing: make(chan struct{})}
	if err := s.start(ctx, c); err != nil {
		_ = lock.Close()
		return nil, err
	}
	s.leases.server = s.server
	s.work.Add(1)
	go func() { defer s.work.Done(); s.maintain(c.CompactEvery) }()
	return s, nil
}

func (c Config) withDefaults() Config {
	if c.QuotaBytes == 0 {
		c.QuotaBytes = 8 << 30
	}
	if c.MaxValueBytes == 0 {
		c.MaxValueBytes = 16 << 20
	}
	if c.CompactEvery == 0 {
		c.CompactEvery = 5 * time.Minute
	}
	if c.Logger.GetSink() == nil {
		c.Logger = logr.Discard()
	}
	return c
}

// prepareDir makes the directory and takes its lock, which ends with the process whatever ends that.
func prepareDir(dir string) (*os.File, error) {
	if dir == "" {
		return nil, errors.New("embedded etcd: no data directory")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.Name() != "member" && e.Name() != lockName {
			return nil, fmt.Errorf("%s: %w: found %s", dir, ErrForeign, e.Name())
		}
	}
	lock, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("%s: %w", dir, ErrInUse)
	}
	return lock, nil
}

const lockName = "keelson.lock"

// start runs the member and waits for its election.
func (s *Store) start(ctx context.Context, c Config) (err error) {
	sc, err := serverConfig(c)
	if err != nil {
		return err
	}
	defer func() {
		if p := recover(); p != nil { // etcd panics on data that it cannot make sense of
			err = fmt.Errorf("%s: etcd cannot read its data: %v", c.Dir, p)
		}
	}()
	if s.server, err = etcdserver.NewServer(sc); err != nil {
		return fmt.Errorf("%s: %w", c.Dir, err)
	}
	s.server.Start()
	select {
	case <-s.server.ReadyNotify():
		return nil
	case <-s.server.StopNotify():
		return fmt.Errorf("%s: etcd stopped while it was starting", c.Dir)
	case <-ctx.Done():
		s.server.HardStop()
		return fmt.Errorf("%s: waiting for etcd: %w", c.Dir, ctx.Err())
	}
}

// serverConfig is what embed.StartEtcd would make of its defaults, less everything about networks.
func serverConfig(c Config) (config.ServerConfig, error) {
	d := embed.NewConfig()
	urls, err := types.NewURLs([]string{peerURL})
	if err != nil {
		return config.ServerConfig{}, err
	}
	return config.ServerConfig{
		Name: name, DataDir: c.Dir,
		PeerURLs: urls, ClientURLs: urls, InitialPeerURLsMap: types.URLsMap{name: urls}, InitialClusterToken: "keelson", NewCluster: true,
		TickMs: tickMs, ElectionTicks: electionTicks, InitialElectionTickAdvance: true, PreVote: true,
		SnapshotCount: d.SnapshotCount, SnapshotCatchUpEntries: d.SnapshotCatchUpEntries, MaxSnapFiles: d.MaxSnapFiles, MaxWALFiles: d.MaxWalFiles,
		QuotaBackendBytes: c.QuotaBytes, MaxRequestBytes: c.MaxValueBytes + requestOverhead, MaxTxnOps: d.MaxTxnOps,
		MaxConcurrentStreams: d.MaxConcurrentStreams, AuthToken: d.AuthToken, BcryptCost: d.BcryptCost, TokenTTL: d.AuthTokenTTL,
		StrictReconfigCheck: d.StrictReconfigCheck, WarningApplyDuration: time.Second, WarningUnaryRequestDuration: time.Second,
		CompactHashCheckTime: d.CompactHashCheckTime, DowngradeCheckTime: 0, MaxLearners: d.MaxLearners,
		V2Deprecation: d.V2DeprecationEffective(), ServerFeatureGate: d.ServerFeatureGate, Metrics: d.Metrics,
		Logger: zapLogger(c.Logger), UnsafeNoFsync: c.NoFsync,
	}, nil
}

// requestOverhead is room for what a transaction has around its value.
const requestOverhead = 64 << 10

// Close ends the watches, stops etcd and releases the directory. Everything acknowledged is on disk.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		close(s.closing)
		s.work.Wait()
		s.server.HardStop() // nothing to hand over: there is no other member
		_ = s.lock.Close()
	})
	return nil
}
