package builtin

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// DefaultServiceCIDR is the range from which Services get their addresses, as kubeadm's default.
var DefaultServiceCIDR = netip.MustParsePrefix("10.96.0.0/12")

// Errors of ServiceIPs, with kube-apiserver's texts.
var (
	ErrAllocated  = errors.New("provided IP is already allocated")
	ErrNotInRange = errors.New("the provided IP is not in the valid range")
	ErrFull       = errors.New("range is full")
)

// ServiceIPs hands out the cluster addresses of Services. An owner is "NAMESPACE/NAME/UID" and has at most one address;
// the uid keeps a Service apart from an earlier one of its name that is just being deleted. Implementations are safe for
// concurrent use.
type ServiceIPs interface {
	// Reserve holds an address for owner: want, or any where want is the zero Addr. It is idempotent for an owner,
	// and lapses after a while unless it is confirmed: a create that fails later needs no undoing.
	// Errors: ErrAllocated, ErrNotInRange, ErrFull, and those of reading what is stored.
	Reserve(ctx context.Context, owner string, want netip.Addr) (netip.Addr, error)
	// Confirm says that owner is stored with addr.
	Confirm(owner string, addr netip.Addr)
	// Release says that owner is no longer stored, or no longer with an address.
	Release(owner string)
}

// reservationTime is how long a create may take between its reservation and its confirmation.
const reservationTime = time.Minute

// IPAllocator is ServiceIPs in memory, filled from what is stored when it is first used. It keeps one server
// process free of duplicates; several servers on one store each have their own and can, in a race, give the same
// address twice (Kubernetes guards that with IPAddress objects, which are not served yet).
type IPAllocator struct {
	prefix netip.Prefix
	stored func(context.Context) (map[string]netip.Addr, error)
	now    func() time.Time

	mu     sync.Mutex
	filled bool
	// Invariant: byOwner and byAddr are inverse to each other; pending holds a subset of byOwner's keys.
	byOwner map[string]netip.Addr
	byAddr  map[netip.Addr]string
	pending map[string]time.Time // reservations by owner, and when they lapse
}

// NewIPAllocator returns an allocator over an IPv4 prefix; the network's own address and the broadcast address are
// never given out. stored returns the addresses of the stored Services by owner, which may leave out the uid
// ("NAMESPACE/NAME"). It is read once at the first use, and again after it failed; nil: none are stored.
func NewIPAllocator(prefix netip.Prefix, stored func(context.Context) (map[string]netip.Addr, error)) *IPAllocator {
	return &IPAllocator{
		prefix: prefix.Masked(), stored: stored, now: time.Now,
		byOwner: map[string]netip.Addr{}, byAddr: map[netip.Addr]string{}, pending: map[string]time.Time{},
	}
}

// Reserve implements ServiceIPs.
func (a *IPAllocator) Reserve(ctx context.Context, owner string, want netip.Addr) (netip.Addr, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.fill(ctx); err != nil {
		return netip.Addr{}, err
	}
	a.lapse()
	if have, ok := a.byOwner[owner]; ok && (!want.IsValid() || want == have) {
		return have, nil
	}
	if !want.IsValid() {
		var err error
		if want, err = a.pick(); err != nil {
			return netip.Addr{}, err
		}
	} else if !a.usable(want) {
		return netip.Addr{}, fmt.Errorf("%w. The range of valid IPs is %s", ErrNotInRange, a.prefix)
	} else if _, taken := a.byAddr[want]; taken {
		return netip.Addr{}, ErrAllocated
	}
	if _, confirmed := a.byOwner[owner]; confirmed {
		if _, pending := a.pending[owner]; !pending {
			// The owner is stored with another address; this create will fail as AlreadyExists, and must not
			// make the stored address free.
			return want, nil
		}
	}
	a.set(owner, want)
	a.pending[owner] = a.now().Add(reservationTime)
	return want, nil
}

// Confirm implements ServiceIPs.
func (a *IPAllocator) Confirm(owner string, addr netip.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.pending, owner)
	a.drop(nameOf(owner))
	a.set(owner, addr)
}

// nameOf is the owner without its uid, under which an address may be known that was read from the store.
func nameOf(owner string) string {
	if strings.Count(owner, "/") < 2 {
		return owner
	}
	return owner[:strings.LastIndexByte(owner, '/')]
}

// Release implements ServiceIPs.
func (a *IPAllocator) Release(owner string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drop(owner)
	a.drop(nameOf(owner))
}

// fill requires mu.
func (a *IPAllocator) fill(ctx context.Context) error {
	if a.filled {
		return nil
	}
	if a.stored != nil {
		owners, err := a.stored(ctx)
		if err != nil {
			return fmt.Errorf("read the addresses of stored services: %w", err)
		}
		for owner, addr := range owners {
			a.set(owner, addr)
		}
	}
	a.filled = true
	return nil
}

// set requires mu.
func (a *IPAllocator) set(owner string, addr netip.Addr) {
	if old, ok := a.byOwner[owner]; ok && a.byAddr[old] == owner {
		delete(a.byAddr, old)
	}
	a.byOwner[owner], a.byAddr[addr] = addr, owner
}

// drop requires mu.
func (a *IPAllocator) drop(owner string) {
	if addr, ok := a.byOwner[owner]; ok && a.byAddr[addr] == owner {
		delete(a.byAddr, addr)
	}
	delete(a.byOwner, owner)
	delete(a.pending, owner)
}

// lapse requires mu. It frees the reservations that nobody confirmed in time.
func (a *IPAllocator) lapse() {
	now := a.now()
	for owner, until := range a.pending {
		if now.After(until) {
			a.drop(owner)
		}
	}
}

// usable says whether addr is in the range and may be given out.
func (a *IPAllocator) usable(addr netip.Addr) bool {
	n := a.offset(addr)
	return a.prefix.Contains(addr) && n > 0 && n < a.size()-1
}

// pick requires mu. Like Kubernetes it leaves the lower part of the range to those who ask for an address, as long as
// the upper has any.
func (a *IPAllocator) pick() (netip.Addr, error) {
	size := a.size()
	band := min(max(16, size/16), 256)
	if band >= size/2 {
		band = 1
	}
	if addr, ok := a.free(band, size-1); ok {
		return addr, nil
	}
	if addr, ok := a.free(1, band); ok {
		return addr, nil
	}
	return netip.Addr{}, ErrFull
}

// free requires mu. It searches the offsets from (inclusive) to (exclusive), beginning somewhere.
func (a *IPAllocator) free(from, to uint32) (netip.Addr, bool) {
	if to <= from {
		return netip.Addr{}, false
	}
	n := to - from
	start := rand.Uint32N(n)
	for i := range n {
		addr := a.at(from + (start+i)%n)
		if _, taken := a.byAddr[addr]; !taken {
			return addr, true
		}
	}
	return netip.Addr{}, false
}

// size of the prefix in addresses; a /0 is cut by one.
func (a *IPAllocator) size() uint32 {
	return uint32(min(uint64(1)<<(32-a.prefix.Bits()), 1<<32-1))
}

func (a *IPAllocator) at(offset uint32) netip.Addr {
	b := a.prefix.Addr().As4()
	n := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	n += offset
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

func (a *IPAllocator) offset(addr netip.Addr) uint32 {
	if !addr.Is4() {
		return 0
	}
	b, p := addr.As4(), a.prefix.Addr().As4()
	n := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	return n - (uint32(p[0])<<24 | uint32(p[1])<<16 | uint32(p[2])<<8 | uint32(p[3]))
}
