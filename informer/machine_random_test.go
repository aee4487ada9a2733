package informer

import (
	"errors"
	"io"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// TestMachineKeepsItsPromises has anything happen in any order. The model is what a reflector may know: the newest
// revision that it was told, which is void where history is lost.
func TestMachineKeepsItsPromises(t *testing.T) {
	group := schema.GroupResource{Resource: "things"}
	failures := []error{
		io.EOF, io.ErrUnexpectedEOF, errSilent, errors.New("refused"), apierrors.NewResourceExpired("old"), &apierrors.StatusError{ErrStatus: metav1.Status{Reason: metav1.StatusReasonGone, Code: 410}},
		apierrors.NewTooManyRequests("slow", 3), apierrors.NewServiceUnavailable("down"), apierrors.NewInternalError(io.EOF),
		apierrors.NewNotFound(group, ""), apierrors.NewForbidden(group, "", io.EOF), apierrors.NewInvalid(schema.GroupKind{}, "", nil),
		apierrors.NewBadRequest("what"),
	}
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 4))
		m := newMachine()
		known, seen, hasty := "", 1, 0
		for range 200 {
			s := m.next(r.Float64(), 60)
			checkStep(t, s, known)
			if s.wait > 12*time.Second {
				t.Fatalf("waits for %v", s.wait)
			}
			if hasty++; s.wait > 0 {
				hasty = 0
			}
			if hasty > 5 {
				t.Fatal("asks again and again without a pause")
			}
			seen += r.IntN(3)
			switch r.IntN(3) {
			case 0: // it works
				hasty = 0
				known = works(m, s, strconv.Itoa(seen), known)
				continue
			case 1: // it fails at once
				known = ends(m, failures[r.IntN(len(failures))], 0, known)
			default: // it works, and then fails
				hasty = 0
				known = works(m, s, strconv.Itoa(seen), known)
				known = ends(m, failures[r.IntN(len(failures))], time.Minute, known)
			}
		}
	}
}

// works is what a step brings where all goes well.
func works(m *machine, s step, revision, known string) string {
	switch {
	case s.phase == listing && s.opts.Continue == "" && s.opts.Limit > 0:
		m.page(revision, "token")
		return ""
	case s.phase == listing:
		m.page(revision, "")
		return revision
	case s.phase == streaming:
		m.begin(revision)
		return revision
	}
	m.event(revision)
	if newer(revision, known) {
		return revision
	}
	return known
}

func ends(m *machine, err error, lasted time.Duration, known string) string {
	if m.phase == watching && losesHistory(err) {
		known = ""
	}
	m.ended(err, lasted)
	return known
}

func checkStep(t *testing.T, s step, known string) {
	t.Helper()
	o := s.opts
	switch s.phase {
	case watching:
		if o.ResourceVersion != known || known == "" || !o.AllowWatchBookmarks || o.SendInitialEvents != nil || o.TimeoutSeconds == nil {
			t.Fatalf("watches from %q, knows %q: %+v", o.ResourceVersion, known, o)
		}
	case streaming:
		if o.SendInitialEvents == nil || !*o.SendInitialEvents || o.ResourceVersionMatch != metav1.ResourceVersionMatchNotOlderThan || o.ResourceVersion != "" {
			t.Fatalf("asks for initial events with %+v", o)
		}
	case listing:
		if o.ResourceVersion != "" || o.SendInitialEvents != nil || o.Continue != "" && o.Continue != "token" {
			t.Fatalf("lists with %+v", o)
		}
	default:
		t.Fatalf("is in %v", s.phase)
	}
}
