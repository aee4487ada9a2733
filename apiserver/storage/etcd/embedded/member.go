package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/config"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver"
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

// start runs the member.
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
	if _, err := os.Stat(sc.MemberDir()); errors.Is(err, fs.ErrNotExist) {
		if err := create(ctx, sc); err != nil {
			return err
		}
	}
	if s.server, err = run(ctx, sc); err != nil {
		return err
	}
	forgetLog(s.server)
	return nil
}

// forgetLog has the log in memory be as short as etcd makes it, now that the only member has elected itself for good: a
// hundred entries and a few, where keepEntries of the largest objects would take more memory than all objects do.
// etcd reads the number when it shortens the log, every hundred entries, in the goroutine that applies them and has just told
// that it is ready. Should it be reading in this moment, either value is right: an election is no more to come.
func forgetLog(server *etcdserver.EtcdServer) { server.Cfg.SnapshotCatchUpEntries = 1 }

// create makes a member elsewhere, and moves it to its place when it is whole: of one that was not, because the process
// was killed, etcd would find the log and wait for an election for ever. It is whole with a snapshot: without one, etcd
// replays its log from the beginning, and after a hundred entries drops the first of them from memory while raft may
// still look for it; an election at that moment is the end of the process.
func create(ctx context.Context, sc config.ServerConfig) error {
	member := sc.MemberDir()
	sc.DataDir, sc.SnapshotCount = filepath.Join(sc.DataDir, unfinished), 1
	if err := os.RemoveAll(sc.DataDir); err != nil {
		return err
	}
	server, err := run(ctx, sc)
	if err != nil {
		return err
	}
	server.HardStop()
	if err := os.Rename(sc.MemberDir(), member); err != nil {
		return err
	}
	if err := os.RemoveAll(sc.DataDir); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(member))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// run starts a member and waits for its election.
func run(ctx context.Context, sc config.ServerConfig) (*etcdserver.EtcdServer, error) {
	server, err := etcdserver.NewServer(sc)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", sc.DataDir, err)
	}
	server.Start()
	select {
	case <-server.ReadyNotify():
		return server, nil
	case <-server.StopNotify():
		return nil, fmt.Errorf("%s: etcd stopped while it was starting", sc.DataDir)
	case <-ctx.Done():
		server.HardStop()
		return nil, fmt.Errorf("%s: waiting for etcd: %w", sc.DataDir, ctx.Err())
	}
}

// snapshotEvery is after how many writes the log begins anew: so many at most are read into memory, and applied again
// if need be, at the next start. etcd's default is twice that.
const snapshotEvery = 5000

// keepEntries is how much of the log stays in memory during the start (see forgetLog). No other member has anything to catch up with, but raft looks through
// what it was given last when it elects itself, and panics where that is gone: it is given at most 1 MiB at a time, which
// may be as many of the smallest transactions.
const keepEntries = 5000

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
		SnapshotCount: snapshotEvery, SnapshotCatchUpEntries: keepEntries,
		MaxSnapFiles: d.MaxSnapFiles, MaxWALFiles: d.MaxWalFiles,
		QuotaBackendBytes: noQuota, MaxRequestBytes: c.MaxValueBytes + requestOverhead, MaxTxnOps: d.MaxTxnOps,
		MaxConcurrentStreams: d.MaxConcurrentStreams, AuthToken: d.AuthToken, BcryptCost: d.BcryptCost, TokenTTL: d.AuthTokenTTL,
		StrictReconfigCheck: d.StrictReconfigCheck, WarningApplyDuration: time.Second, WarningUnaryRequestDuration: time.Second,
		CompactHashCheckTime: d.CompactHashCheckTime, DowngradeCheckTime: 0, MaxLearners: d.MaxLearners,
		V2Deprecation: d.V2DeprecationEffective(), ServerFeatureGate: d.ServerFeatureGate, Metrics: d.Metrics,
		Logger: zapLogger(c.Logger), UnsafeNoFsync: c.NoFsync,
	}, nil
}

// noQuota: a quota of etcd's own would call the write that exceeds it an error and keep it all the same, and then
// refuse all others until an operator disarms an alarm. Put looks first.
const noQuota = -1

// requestOverhead is room for what a transaction has around its value.
const requestOverhead = 64 << 10
