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
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"go.etcd.io/etcd/server/v3/etcdserver"
	"golang.org/x/sys/unix"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// Config of a Store. Dir is required.
type Config struct {
	// Dir holds the data; it is made (0700) where it does not exist.
	Dir string
	// QuotaBytes bounds what is in use of the database, give or take what is written in etcd's commit interval of
	// 100 ms. Beyond it Put fails with storage.ErrNoSpace until deletes and a compaction have made room; the file
	// itself keeps its size. Default: 8 GiB.
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

// Store is an etcd member in this process; it implements storage.Store.
type Store struct {
	server  *etcdserver.EtcdServer
	log     logr.Logger
	lock    *os.File
	leases  leases
	watches watches
	maxSize int
	quota   int64
	refused atomic.Bool // a write, for lack of space, since maintenance looked last

	closing   chan struct{} // closed when closed is set
	closeOnce sync.Once
	work      sync.WaitGroup // maintenance and watches

	mu     sync.RWMutex // read-locked by each call as long as it takes
	closed bool
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
	s := &Store{log: c.Logger, lock: lock, maxSize: int(c.MaxValueBytes), quota: c.QuotaBytes, closing: make(chan struct{})}
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
		if !slices.Contains([]string{"member", lockName, touched, unfinished}, e.Name()) {
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

const (
	lockName   = "keelson.lock"
	touched    = ".touch"     // etcd makes it to see whether it can, and does not remove it if it is killed just then
	unfinished = "member.new" // see create
)

// Close ends the watches, stops etcd and releases the directory. Everything acknowledged is on disk. Calls that are
// under way are waited for, those who read watches are not.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		s.mu.Lock()
		s.closed = true
		s.mu.Unlock()
		close(s.closing)
		s.work.Wait()
		s.server.HardStop() // nothing to hand over: there is no other member
		_ = s.lock.Close()
	})
	return nil
}
