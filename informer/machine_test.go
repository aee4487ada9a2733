package informer

import (
	"errors"
	"io"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func newMachine() *machine {
	m := &machine{stream: true, pageSize: 10, minBackoff: time.Second, maxDelay: 8 * time.Second}
	m.again()
	return m
}

// TestMachine tells the story of a reflector: what happens, and the step that must follow.
func TestMachine(t *testing.T) {
	m := newMachine()
	expired, refused := apierrors.NewResourceExpired(""), apierrors.NewInvalid(schema.GroupKind{}, "", nil)
	story := []struct {
		what     string
		happens  func()
		phase    phase
		wait     time.Duration
		revision string
		token    string
		limit    int64
	}{
		{"begins", func() {}, streaming, 0, "", "", 0},
		{"cannot connect", func() { m.ended(io.ErrUnexpectedEOF, 0) }, streaming, time.Second, "", "", 0},
		{"still cannot", func() { m.ended(io.ErrUnexpectedEOF, 0) }, streaming, 2 * time.Second, "", "", 0},
		{"is refused", func() { m.ended(refused, 0) }, listing, 0, "", "", 10},
		{"reads a page", func() { m.page("5", "t1") }, listing, 0, "", "t1", 10},
		{"fails on the next", func() { m.ended(io.EOF, 0) }, listing, 4 * time.Second, "", "t1", 10},
		{"has its token expire", func() { m.ended(expired, 0) }, listing, 0, "", "", 0},
		{"reads all", func() { m.page("7", "") }, watching, 0, "7", "", 0},
		{"sees a change and is dropped", func() { m.event("9"); m.ended(io.EOF, time.Minute) }, watching, 0, "9", "", 0},
		{"sees an old bookmark", func() { m.event("8"); m.ended(io.EOF, time.Minute) }, watching, 0, "9", "", 0},
		{"is dropped at once", func() { m.ended(io.EOF, 0) }, watching, time.Second, "9", "", 0},
		{"is told to wait", func() { m.ended(apierrors.NewTooManyRequests("", 5), time.Minute) }, watching, 5 * time.Second, "9", "", 0},
		{"falls behind", func() { m.ended(expired, time.Minute) }, listing, 0, "", "", 10},
		{"lists", func() { m.page("20", "") }, watching, 0, "20", "", 0},
		{"falls behind at once", func() { m.ended(expired, 0) }, listing, 0, "", "", 10},
		{"lists", func() { m.page("21", "") }, watching, 0, "21", "", 0},
		{"falls behind at once again", func() { m.ended(expired, 0) }, listing, time.Second, "", "", 10},
	}
	for _, s := range story {
		s.happens()
		got := m.next(0, 60)
		if got.phase != s.phase || got.wait != s.wait || got.opts.ResourceVersion != s.revision ||
			got.opts.Continue != s.token || got.opts.Limit != s.limit {
			t.Fatalf("it %s: next is %v after %v, revision %q, token %q, limit %d", s.what, got.phase, got.wait,
				got.opts.ResourceVersion, got.opts.Continue, got.opts.Limit)
		}
	}
}

func TestMachineGivesUpStreamingThatNeverCompletes(t *testing.T) {
	m := newMachine()
	for range 2 {
		m.next(0, 60)
		m.ended(errSilent, time.Minute)
	}
	if s := m.next(0, 60); s.phase != listing {
		t.Fatalf("next is %v", s.phase)
	}
}

func TestBackoffIsBounded(t *testing.T) {
	m := newMachine()
	for range 100 {
		m.ended(errors.New("refused"), 0)
		if w := m.next(1, 60).wait; w < time.Second || w > 12*time.Second {
			t.Fatal(w)
		}
	}
}
