package embedded

import (
	"context"
	"errors"
	"sync"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/etcdserver"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// Defragmentation rewrites the database and stops writes meanwhile: it has to be worth it.
const (
	defragFree  = 256 << 20 // bytes that are free at least
	defragShare = 2         // and at least one in so many bytes of the file
)

// maintain compacts history at every interval to where the store was at the one before, and defragments when the
// file is mostly holes.
func (s *Store) maintain(every time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	tick := time.NewTicker(every)
	defer tick.Stop()
	var previous storage.Revision
	for {
		select {
		case <-s.closing:
			return
		case <-tick.C:
		}
		if previous > 0 {
			if err := s.Compact(ctx, previous); err != nil && !errors.Is(err, storage.ErrCompacted) && !errors.Is(err, storage.ErrClosed) {
				s.log.Error(err, "history was not compacted; it is tried again", "revision", previous)
			}
		}
		previous = storage.Revision(s.server.KV().Rev())
		b := s.server.Backend()
		if s.refused.Swap(false) {
			b.ForceCommit() // it counts what is in use when it commits, and may have nothing to commit
		}
		if free := b.Size() - b.SizeInUse(); free > defragFree && free > b.Size()/defragShare {
			s.log.Info("defragmenting the database", "bytes", b.Size(), "free", free)
			if err := s.server.Defragment(); err != nil {
				s.log.Error(err, "the database was not defragmented")
			}
		}
	}
}

// leaseGranularity: keys that expire within it of each other share a lease, as a lease costs more than a key.
const leaseGranularity = 10 * time.Second

// leases hands out the lease for a time to live.
type leases struct {
	server *etcdserver.EtcdServer

	mu sync.Mutex
	// by time to live, the newest lease and when it ends
	newest map[time.Duration]granted
}

type granted struct {
	id  int64
	end time.Time
}

// grant returns a lease that lives ttl from now, up to leaseGranularity longer.
func (l *leases) grant(ctx context.Context, ttl time.Duration) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if g, ok := l.newest[ttl]; ok && g.end.Sub(now) >= ttl {
		return g.id, nil
	}
	seconds := int64((ttl + leaseGranularity + time.Second - 1) / time.Second)
	r, err := l.server.LeaseGrant(ctx, &pb.LeaseGrantRequest{TTL: seconds})
	if err != nil {
		return 0, err
	}
	if l.newest == nil {
		l.newest = map[time.Duration]granted{}
	}
	l.newest[ttl] = granted{id: r.ID, end: now.Add(ttl + leaseGranularity)}
	return r.ID, nil
}
