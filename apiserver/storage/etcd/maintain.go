package etcd

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// compactKey is where API servers on one cluster agree on whose turn it is, kube-apiserver's own key: its version
// counts the compactions, its value is the revision up to which the next one goes.
const compactKey = "compact_rev_key"

// compactor compacts history to where the store was one interval ago. Of several servers, the one whose transaction
// comes first does it.
func (s *Store) compactor(every time.Duration) {
	ctx, cancel := s.untilClosed(context.Background())
	defer cancel()
	tick := time.NewTicker(every)
	defer tick.Stop()
	turn, rev := int64(0), int64(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var err error
		if turn, rev, err = s.takeTurn(ctx, turn, rev); err != nil && ctx.Err() == nil {
			s.log.Error(err, "history was not compacted; it is tried again")
		}
	}
}

// takeTurn compacts to rev if nobody else has taken this turn, and returns the next turn and its revision.
func (s *Store) takeTurn(ctx context.Context, turn, rev int64) (int64, int64, error) {
	r, err := s.client.Txn(ctx).
		If(clientv3.Compare(clientv3.Version(compactKey), "=", turn)).
		Then(clientv3.OpPut(compactKey, strconv.FormatInt(rev, 10))).
		Else(clientv3.OpGet(compactKey)).Commit()
	if err != nil {
		return turn, rev, err
	}
	now := r.Header.Revision
	if !r.Succeeded { // another server was faster: its turn is ours to follow
		if kvs := r.Responses[0].GetResponseRange().GetKvs(); len(kvs) > 0 {
			turn = kvs[0].Version
		}
		return turn, now, nil
	}
	if rev > 0 {
		if err := s.Compact(ctx, storage.Revision(rev)); err != nil && !errors.Is(err, storage.ErrCompacted) {
			return turn + 1, now, err
		}
	}
	return turn + 1, now, nil
}

// leaseGranularity: keys that expire within it of each other share a lease, as a lease costs more than a key.
const leaseGranularity = 10 * time.Second

// leases hands out the lease for a time to live.
type leases struct {
	client *clientv3.Client

	mu sync.Mutex
	// by time to live, the newest lease and when it ends
	newest map[time.Duration]granted
}

type granted struct {
	id  clientv3.LeaseID
	end time.Time
}

// grant returns a lease that lives ttl from now, up to leaseGranularity longer.
func (l *leases) grant(ctx context.Context, ttl time.Duration) (clientv3.LeaseID, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if g, ok := l.newest[ttl]; ok && g.end.Sub(now) >= ttl {
		return g.id, nil
	}
	seconds := int64((ttl + leaseGranularity + time.Second - 1) / time.Second)
	r, err := l.client.Grant(ctx, seconds)
	if err != nil {
		return 0, err
	}
	if l.newest == nil {
		l.newest = map[time.Duration]granted{}
	}
	l.newest[ttl] = granted{id: r.ID, end: now.Add(ttl + leaseGranularity)}
	return r.ID, nil
}
