package shards

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/keelson-project/keelson/runtime/client"
)

// How the Leases of a Member are told apart.
const (
	nameLabel = "shards.keelson.dev/name" // Config.Name
	roleLabel = "shards.keelson.dev/role"
	member    = "member" // a replica: it is alive while this changes
	ownership = "shard"  // a shard: who owns it; its transitions are the epoch
	// leavingAnnotation is on the Lease of a replica that takes no more shards.
	leavingAnnotation = "shards.keelson.dev/leaving"
)

// keepDead is how many LeaseDurations a dead replica's Lease stays before others remove it.
const keepDead = 20

// ledger reads and writes the Leases. It is used by one goroutine.
type ledger struct {
	cfg   Config
	own   string // the name of this replica's Lease
	seen  map[string]sighting
	owner []*coordinationv1.Lease // of the shards, as last read or written; nil where there is none
}

// sighting is when, by our clock, a Lease was first seen as it is.
type sighting struct {
	version string
	at      time.Time
}

// view is what a heartbeat has found.
type view struct {
	ledger     *ledger
	alive      map[string]bool // identities
	candidates []string        // identities that take shards, in order
}

func newLedger(cfg Config) *ledger {
	h := fnv.New64a()
	_, _ = h.Write([]byte(cfg.Identity)) // an identity may be no name
	return &ledger{cfg: cfg, own: fmt.Sprintf("%s-member-%x", cfg.Name, h.Sum64()), seen: map[string]sighting{}, owner: make([]*coordinationv1.Lease, cfg.Shards)}
}

// heartbeat renews this replica's Lease, and tells who is alive.
func (l *ledger) heartbeat(ctx context.Context, now time.Time, leaving bool) (*view, error) {
	var list coordinationv1.LeaseList
	if err := l.cfg.Client.List(ctx, &list, client.InNamespace(l.cfg.Namespace), client.MatchingLabels{nameLabel: l.cfg.Name}); err != nil {
		return nil, err
	}
	v := &view{ledger: l, alive: map[string]bool{l.cfg.Identity: true}}
	if !leaving {
		v.candidates = append(v.candidates, l.cfg.Identity)
	}
	l.owner = make([]*coordinationv1.Lease, l.cfg.Shards)
	var own *coordinationv1.Lease
	seen := map[string]sighting{}
	for i := range list.Items {
		lease := &list.Items[i]
		s := l.seen[lease.Name]
		if s.version != lease.ResourceVersion {
			s = sighting{lease.ResourceVersion, now}
		}
		seen[lease.Name] = s
		switch lease.Labels[roleLabel] {
		case ownership:
			if at := l.shardOf(lease.Name); at >= 0 {
				l.owner[at] = lease
			}
		case member:
			if lease.Name == l.own {
				own = lease
			} else {
				v.see(ctx, lease, now.Sub(s.at))
			}
		}
	}
	l.seen = seen
	slices.Sort(v.candidates)
	return v, l.renew(ctx, own, now, leaving)
}

// see takes another replica's Lease into account, which has not changed for silence.
func (v *view) see(ctx context.Context, lease *coordinationv1.Lease, silence time.Duration) {
	l := v.ledger
	switch identity := holder(lease); {
	case silence < l.cfg.LeaseDuration:
		v.alive[identity] = true
		if lease.Annotations[leavingAnnotation] == "" {
			v.candidates = append(v.candidates, identity)
		}
	case silence > keepDead*l.cfg.LeaseDuration:
		err := l.cfg.Client.Delete(ctx, lease, client.Preconditions{UID: &lease.UID, ResourceVersion: &lease.ResourceVersion})
		if client.IgnoreNotFound(err) != nil {
			l.cfg.Logger.V(1).Info("The lease of a dead replica could not be removed", "replica", identity, "reason", err.Error())
		}
	}
}

func (l *ledger) renew(ctx context.Context, own *coordinationv1.Lease, now time.Time, leaving bool) error {
	lease := own
	if lease == nil {
		lease = l.lease(l.own, member)
	}
	at := metav1.NewMicroTime(now)
	lease.Spec.HolderIdentity, lease.Spec.RenewTime = &l.cfg.Identity, &at
	seconds := int32(max(1, l.cfg.LeaseDuration/time.Second)) //nolint:gosec // no lease lasts for years
	lease.Spec.LeaseDurationSeconds = &seconds
	delete(lease.Annotations, leavingAnnotation)
	if leaving {
		metav1.SetMetaDataAnnotation(&lease.ObjectMeta, leavingAnnotation, "true")
	}
	return l.put(ctx, lease)
}

// write makes holder, "" for none, the owner of a shard, unless somebody has written it since the last heartbeat.
func (l *ledger) write(ctx context.Context, shard int, holder string) error {
	lease := l.owner[shard]
	if lease == nil {
		lease = l.lease(l.shardName(shard), ownership)
	}
	lease = lease.DeepCopy()
	epoch := l.epoch(shard)
	if holder != "" {
		epoch++
		now := metav1.NowMicro()
		lease.Spec.AcquireTime = &now
	}
	lease.Spec.HolderIdentity, lease.Spec.LeaseTransitions = &holder, &epoch
	if err := l.put(ctx, lease); err != nil {
		return err
	}
	l.owner[shard] = lease
	return nil
}

// leave removes this replica's Lease.
func (l *ledger) leave(ctx context.Context) error {
	lease := l.lease(l.own, member)
	return client.IgnoreNotFound(l.cfg.Client.Delete(ctx, lease))
}

func (l *ledger) put(ctx context.Context, lease *coordinationv1.Lease) error {
	if lease.ResourceVersion == "" {
		err := l.cfg.Client.Create(ctx, lease)
		if apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("%w (by another replica, at the same time)", err)
		}
		return err
	}
	return l.cfg.Client.Update(ctx, lease)
}

func (l *ledger) lease(name, role string) *coordinationv1.Lease {
	return &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{
		Namespace: l.cfg.Namespace, Name: name, Labels: map[string]string{nameLabel: l.cfg.Name, roleLabel: role},
	}}
}

func (l *ledger) shardName(shard int) string { return fmt.Sprintf("%s-shard-%d", l.cfg.Name, shard) }

// shardOf is the index of the shard whose Lease has that name, -1 for none.
func (l *ledger) shardOf(name string) int {
	number, ok := strings.CutPrefix(name, l.cfg.Name+"-shard-")
	for i := range l.owner {
		if ok && number == fmt.Sprint(i) {
			return i
		}
	}
	return -1
}

func (l *ledger) epoch(shard int) int32 {
	if lease := l.owner[shard]; lease != nil && lease.Spec.LeaseTransitions != nil {
		return *lease.Spec.LeaseTransitions
	}
	return 0
}

func holder(lease *coordinationv1.Lease) string {
	if lease == nil || lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *lease.Spec.HolderIdentity
}

// owner is the identity of who owns a shard, "" for nobody.
func (v *view) owner(shard int) string { return holder(v.ledger.owner[shard]) }

// free says whether this replica may take a shard: nobody has it, or who had it is dead, or it is this replica itself,
// which has lost it.
func (v *view) free(shard int) bool {
	owner := v.owner(shard)
	return owner == "" || owner == v.ledger.cfg.Identity || !v.alive[owner]
}

// assign says which of members should own each of n shards: the one that a hash of both ranks first, of those that do not
// have their share yet. Everyone who knows the same members comes to the same result, and few shards move when those
// change.
func assign(members []string, n int) []string {
	owners := make([]string, n)
	if len(members) == 0 {
		return owners
	}
	share := (n + len(members) - 1) / len(members)
	load := map[string]int{}
	ranked := slices.Clone(members)
	for i := range owners {
		rank := map[string]uint64{}
		for _, m := range members {
			h := fnv.New64a()
			_, _ = fmt.Fprintf(h, "%s/%d", m, i)
			rank[m] = mix(h.Sum64())
		}
		slices.SortFunc(ranked, func(a, b string) int { return cmp.Or(cmp.Compare(rank[b], rank[a]), cmp.Compare(a, b)) })
		for _, m := range ranked {
			if load[m] < share {
				owners[i] = m
				load[m]++
				break
			}
		}
	}
	return owners
}

// mix spreads the bits of a hash whose last bytes hardly differ (the finalizer of splitmix64).
func mix(h uint64) uint64 {
	h ^= h >> 30
	h *= 0xbf58476d1ce4e5b9
	h ^= h >> 27
	h *= 0x94d049bb133111eb
	return h ^ h>>31
}
