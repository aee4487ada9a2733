package builtin_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keelson-project/keelson/apiserver/builtin"
)

func TestAddressesAreUniqueUntilReleased(t *testing.T) {
	ctx, prefix := t.Context(), netip.MustParsePrefix("10.0.0.0/28") // fourteen addresses
	a := builtin.NewIPAllocator(prefix, func(context.Context) (map[string]netip.Addr, error) {
		return map[string]netip.Addr{"ns/stored": netip.MustParseAddr("10.0.0.5")}, nil
	})
	held := map[string]netip.Addr{"ns/stored/uid": netip.MustParseAddr("10.0.0.5")} // the dumb model
	r := rand.New(rand.NewPCG(1, 2))
	for step := range 5000 {
		owner := fmt.Sprintf("ns/%d/uid", r.IntN(20))
		if r.IntN(30) == 0 {
			owner = "ns/stored/uid"
		}
		if _, ok := held[owner]; ok && r.IntN(2) == 0 {
			a.Release(owner)
			delete(held, owner)
			continue
		}
		if owner == "ns/stored/uid" {
			continue
		}
		want := netip.Addr{}
		if r.IntN(3) == 0 {
			want = netip.AddrFrom4([4]byte{10, 0, 0, byte(r.IntN(18))})
		}
		got, err := a.Reserve(ctx, owner, want)
		check(t, step, held, owner, want, got, err)
		if err == nil && held[owner] == (netip.Addr{}) {
			a.Confirm(owner, got)
			held[owner] = got
		}
	}
}

// check compares what Reserve did with what the model allows.
func check(t *testing.T, step int, held map[string]netip.Addr, owner string, want, got netip.Addr, err error) {
	t.Helper()
	taken := func(addr netip.Addr) bool {
		for o, h := range held {
			if h == addr && o != owner {
				return true
			}
		}
		return false
	}
	mine := held[owner]
	inRange := want.IsValid() && netip.MustParsePrefix("10.0.0.1/28").Contains(want) && want.As4()[3] > 0 && want.As4()[3] < 15
	switch {
	case errors.Is(err, builtin.ErrFull) && len(held) == 14 && !want.IsValid():
	case errors.Is(err, builtin.ErrAllocated) && taken(want):
	case errors.Is(err, builtin.ErrNotInRange) && want.IsValid() && !inRange:
	case err == nil && mine.IsValid() && !want.IsValid() && got == mine:
	case err == nil && !taken(got) && (!want.IsValid() || got == want):
	default:
		t.Fatalf("step %d: %s wants %v, has %v: got %v, %v; held %v", step, owner, want, mine, got, err, held)
	}
}

func TestReservationsLapse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := builtin.NewIPAllocator(netip.MustParsePrefix("10.0.0.0/30"), nil) // two addresses
		for _, owner := range []string{"ns/a/1", "ns/b/2"} {
			if _, err := a.Reserve(t.Context(), owner, netip.Addr{}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := a.Reserve(t.Context(), "ns/c/3", netip.Addr{}); !errors.Is(err, builtin.ErrFull) {
			t.Errorf("third of two: %v", err)
		}
		time.Sleep(2 * time.Minute)
		if _, err := a.Reserve(t.Context(), "ns/c/3", netip.Addr{}); err != nil {
			t.Errorf("after the reservations lapsed: %v", err)
		}
	})
}

func TestStoredAddressesAreReadAgainAfterAFailure(t *testing.T) {
	fail := errors.New("no store")
	a := builtin.NewIPAllocator(builtin.DefaultServiceCIDR, func(context.Context) (map[string]netip.Addr, error) {
		return map[string]netip.Addr{"ns/a": netip.MustParseAddr("10.96.0.10")}, fail
	})
	if _, err := a.Reserve(t.Context(), "ns/b/1", netip.Addr{}); !errors.Is(err, fail) {
		t.Errorf("got %v", err)
	}
	fail = nil
	if _, err := a.Reserve(t.Context(), "ns/b/1", netip.MustParseAddr("10.96.0.10")); !errors.Is(err, builtin.ErrAllocated) {
		t.Errorf("got %v", err)
	}
}
