package events_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kruntime "k8s.io/apimachinery/pkg/runtime"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/runtime/client"
	"github.com/keelson-project/keelson/runtime/events"
)

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// link is a way to the server; before, where it is set, may have an error in the place of the request.
type link struct {
	http.RoundTripper
	before atomic.Pointer[func(*http.Request) error]
	writes atomic.Int32
}

func (l *link) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet {
		l.writes.Add(1)
		if f := l.before.Load(); f != nil {
			if err := (*f)(r); err != nil {
				return nil, err
			}
		}
	}
	return l.RoundTripper.RoundTrip(r)
}

// bench is a Writer, whose requests go over a link.
type bench struct {
	*testing.T
	*events.Writer
	link   *link
	client *client.Direct // another way to the same server
	errs   chan error
	stop   func()
}

// start runs a Writer against a server, within a bubble.
func start(t *testing.T) *bench {
	t.Helper()
	srv := apiservertest.Start(t, apiservertest.Options{NoListener: true})
	b := &bench{T: t, link: &link{RoundTripper: srv.Transport()}, errs: make(chan error, 10_000)}
	scheme := kruntime.NewScheme()
	ok(t, corev1.AddToScheme(scheme))
	ok(t, eventsv1.AddToScheme(scheme))
	var clients [2]*client.Direct
	for i, transport := range []http.RoundTripper{srv.Transport(), b.link} {
		var err error
		clients[i], err = client.New(client.Config{Host: "http://server", Transport: transport}, client.Options{Scheme: scheme})
		ok(t, err)
	}
	b.client = clients[0]
	b.Writer = events.New(clients[1], events.Options{Instance: "pod-1", OnError: func(err error) { b.errs <- err }})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Writer.Run(ctx) }()
	b.stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		done <- nil
	}
	t.Cleanup(b.stop)
	return b
}

// list is all Events in a namespace, in the order in which they were made.
func (b *bench) list(namespace string) []eventsv1.Event {
	b.Helper()
	synctest.Wait()
	var list eventsv1.EventList
	ok(b.T, b.client.List(b.Context(), &list, client.InNamespace(namespace)))
	slices.SortFunc(list.Items, func(a, b eventsv1.Event) int {
		return cmp.Or(a.EventTime.Compare(b.EventTime.Time), cmp.Compare(a.Name[strings.LastIndex(a.Name, "."):], b.Name[strings.LastIndex(b.Name, "."):]))
	})
	return list.Items
}

func (b *bench) outcomes(want map[events.Outcome]uint64) {
	b.Helper()
	for o := events.Recorded; o <= events.Failed; o++ {
		if got := b.Stats().Outcomes[o]; got != want[o] {
			b.Errorf("%d are %s, want %d", got, o, want[o])
		}
	}
}

func counted(e *eventsv1.Event) int32 {
	if e.Series == nil {
		return 1
	}
	return e.Series.Count
}

func pod(name string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, UID: "u-1", ResourceVersion: "7"}}
}

func TestEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t)
		r := b.Recorder("example.com/website")
		related := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "s"}}
		r.Eventf(pod("web"), related, "Warning", "NoSuchImage", "Deploy", "no image %q", "a:b")
		r.Eventf(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "blue"}}, nil, "Normal", "Made", "", "%d%%", 100)
		all := b.list("default")
		if len(all) != 2 {
			t.Fatalf("%d Events", len(all))
		}
		e := all[0]
		want := corev1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: "default", Name: "web", UID: "u-1", ResourceVersion: "7"}
		if e.Regarding != want || e.Related == nil || e.Related.Name != "s" || e.Type != "Warning" || e.Reason != "NoSuchImage" || e.Action != "Deploy" ||
			e.Note != `no image "a:b"` || e.ReportingController != "example.com/website" || e.ReportingInstance != "pod-1" || e.Series != nil || !e.EventTime.Time.Equal(time.Now()) {
			t.Errorf("%+v", e)
		}
		if e := all[1]; e.Regarding.Kind != "Namespace" || e.Note != "100%" || e.Action != "Made" || e.Related != nil {
			t.Errorf("%+v", e)
		}
		b.outcomes(map[events.Outcome]uint64{events.Recorded: 2})
	})
}

// What is said again is counted, in requests that become fewer.
func TestSeries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t)
		r := b.Recorder("website")
		say := func() { r.Eventf(pod("web"), nil, "Normal", "Waits", "Wait", "for %s", "it") }
		say()
		if all := b.list("default"); len(all) != 1 || all[0].Series != nil {
			t.Fatalf("%+v", all)
		}
		for range 4 {
			say()
		}
		if all := b.list("default"); counted(&all[0]) != 1 {
			t.Errorf("counted %d at once", counted(&all[0]))
		}
		last := time.Now()
		time.Sleep(10 * time.Second)
		if all := b.list("default"); len(all) != 1 || counted(&all[0]) != 5 || !all[0].Series.LastObservedTime.Time.Equal(last) {
			t.Errorf("after 10 s: %+v", all)
		}
		b.link.writes.Store(0)
		for range 3600 {
			say()
			time.Sleep(time.Second)
		}
		if n := b.link.writes.Load(); n < 12 || n > 17 {
			t.Errorf("%d writes in an hour", n)
		}
		b.stop()
		if all := b.list("default"); len(all) != 1 || counted(&all[0]) != 3605 {
			t.Errorf("in the end: %+v", all)
		}
		b.outcomes(map[events.Outcome]uint64{events.Recorded: 1, events.Counted: 3604})
	})
}

// After an hour, and where the server has forgotten the Event, another one begins.
func TestSeriesEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t)
		r := b.Recorder("website")
		say := func() { r.Eventf(pod("web"), nil, "Normal", "Waits", "Wait", "") }
		say()
		time.Sleep(time.Hour + time.Second)
		say()
		if all := b.list("default"); len(all) != 1 || counted(&all[0]) != 1 || !all[0].EventTime.Time.Equal(time.Now()) { // the first has expired
			t.Fatalf("%+v", all)
		}
		ok(t, b.client.DeleteAllOf(t.Context(), &eventsv1.Event{}, client.InNamespace("default")))
		for range 3 {
			say()
		}
		time.Sleep(time.Minute)
		if all := b.list("default"); len(all) != 1 || counted(&all[0]) != 3 {
			t.Fatalf("%+v", all)
		}
		say()
		time.Sleep(time.Minute)
		if all := b.list("default"); len(all) != 1 || counted(&all[0]) != 4 {
			t.Fatalf("%+v", all)
		}
	})
}

// Ten may differ in their notes; further ones are one.
func TestSimilar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t)
		r := b.Recorder("website")
		for i := range 15 {
			r.Eventf(pod("web"), nil, "Normal", "Waits", "Wait", "attempt %d", i)
		}
		r.Eventf(pod("web"), nil, "Normal", "Waits", "Wait", "attempt 3")
		time.Sleep(time.Minute)
		all := b.list("default")
		if len(all) != 11 || all[10].Note != "(combined from similar events): attempt 10" || counted(&all[10]) != 5 || counted(&all[3]) != 2 {
			t.Fatalf("%d: %+v", len(all), all)
		}
		r.Eventf(pod("web"), nil, "Normal", "Other", "Wait", "attempt 20")
		time.Sleep(10 * time.Minute)
		r.Eventf(pod("web"), nil, "Normal", "Waits", "Wait", "attempt 21")
		if all := b.list("default"); len(all) != 13 || all[11].Note != "attempt 20" || all[12].Note != "attempt 21" {
			t.Fatalf("%d: %+v", len(all), all)
		}
	})
}

// One object has so many Events; others are none the worse for it.
func TestLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t)
		r := b.Recorder("website")
		say := func(i int) { r.Eventf(pod("web"), nil, "Normal", fmt.Sprint("Reason", i), "Wait", "") }
		for i := range 40 {
			say(i)
		}
		r.Eventf(pod("other"), nil, "Normal", "Reason", "Wait", "")
		b.Recorder("another").Eventf(pod("web"), nil, "Normal", "Reason", "Wait", "")
		b.outcomes(map[events.Outcome]uint64{events.Recorded: 27, events.Limited: 15})
		if all := b.list("default"); len(all) != 27 {
			t.Fatalf("%d Events", len(all))
		}
		time.Sleep(5 * time.Minute)
		say(50)
		say(51)
		say(0) // is counted, which costs nothing
		b.outcomes(map[events.Outcome]uint64{events.Recorded: 28, events.Limited: 16, events.Counted: 1})
	})
}

// A server that does not answer holds nobody up; what is too much is dropped, and somebody is told.
func TestFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t)
		r := b.Recorder("website")
		hang := func(r *http.Request) error {
			<-r.Context().Done()
			return r.Context().Err()
		}
		b.link.before.Store(&hang)
		began := time.Now()
		for i := range 1500 {
			r.Eventf(pod(fmt.Sprint("web-", i)), nil, "Normal", "Waits", "Wait", "")
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("it took %v", took)
		}
		if full := b.Stats().Outcomes[events.Full]; full < 499 || full > 500 { // one may have been under way
			t.Errorf("%d are full", full)
		}
		if err := <-b.errs; !strings.Contains(err.Error(), "too many wait") || len(b.errs) != 0 {
			t.Errorf("told of %v, and %d more", err, len(b.errs))
		}
		b.link.before.Store(nil)
		time.Sleep(2 * time.Minute)
		if all := b.list("default"); len(all) != int(b.Stats().Outcomes[events.Recorded]) || len(all) < 1000 { //nolint:gosec // it is not that large
			t.Errorf("%d Events of %+v", len(all), b.Stats())
		}
	})
}

// What a server refuses is lost, and what it never answers, in the end; neither holds up the others.
func TestFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t)
		r := b.Recorder("website")
		lost := pod("web")
		lost.Namespace = "absent"
		r.Eventf(lost, nil, "Normal", "Waits", "Wait", "")
		r.Eventf(pod("web"), nil, "Normal", "Waits", "Wait", "")
		if all := b.list("default"); len(all) != 1 {
			t.Fatalf("%d Events", len(all))
		}
		if err := <-b.errs; !strings.Contains(err.Error(), `event "Waits" about Pod web is lost`) || !strings.Contains(err.Error(), `"absent" not found`) {
			t.Error(err)
		}
		broken := errors.New("broken")
		refuse := func(*http.Request) error { return broken }
		b.link.before.Store(&refuse)
		r.Eventf(pod("web"), nil, "Normal", "Other", "Wait", "")
		time.Sleep(time.Hour)
		if err := <-b.errs; !errors.Is(err, broken) || len(b.errs) > 0 {
			t.Error(err, len(b.errs))
		}
		b.outcomes(map[events.Outcome]uint64{events.Recorded: 3, events.Failed: 2})
		r.Eventf(pod("web"), nil, "Normal", "Third", "Wait", "")
		b.stop() // it takes no longer than it may
		if err := <-b.errs; !strings.Contains(err.Error(), "1 could not be written") {
			t.Error(err)
		}
		r.Eventf(pod("web"), nil, "Normal", "Late", "Wait", "")
		b.outcomes(map[events.Outcome]uint64{events.Recorded: 4, events.Failed: 3, events.Late: 1})
	})
}

func TestInvalid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t)
		r := b.Recorder("website")
		var none *corev1.Pod
		for what, say := range map[string]func(){
			"about no object":            func() { r.Eventf(nil, nil, "Normal", "R", "A", "") },
			"is about no object":         func() { r.Eventf(none, nil, "Normal", "R", "A", "") },
			`type is "Odd"`:              func() { r.Eventf(pod("a"), nil, "Odd", "R", "A", "") },
			"1 to 128 characters":        func() { r.Eventf(pod("a"), nil, "Normal", "", "A", "") },
			"an action as many":          func() { r.Eventf(pod("a"), nil, "Normal", "R", strings.Repeat("A", 129), "") },
			"has no name":                func() { r.Eventf(pod(""), nil, "Normal", "R", "A", "") },
			"without apiVersion or kind": func() { r.Eventf(&unstructured.Unstructured{}, nil, "Normal", "R", "A", "") },
		} {
			say()
			if err := <-b.errs; !strings.Contains(err.Error(), what) {
				t.Errorf("want %q, got %v", what, err)
			}
		}
		if s := b.Stats(); s.Outcomes[events.Invalid] != 7 || s.Outcomes[events.Recorded] != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// Names and notes that Events cannot have are made such as they can.
func TestOddWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t)
		r := b.Recorder("website")
		role := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole"}}
		role.SetName("system:odd")
		r.Eventf(role, nil, "Normal", "R", "A", "")
		r.Eventf(pod(strings.Repeat("long-", 50)+"a.b"), nil, "Normal", "R", "A", "%säää", strings.Repeat("x", 1020))
		r.Eventf(pod("a"), nil, "Normal", "R", "A", "broken \xff text")
		all := b.list("default")
		if len(all) != 3 || len(b.errs) > 0 {
			t.Fatalf("%d Events, %d errors", len(all), len(b.errs))
		}
		if !strings.HasPrefix(all[0].Name, "clusterrole.") || !strings.HasPrefix(all[1].Name, "long-long-") {
			t.Errorf("%s, %s", all[0].Name, all[1].Name)
		}
		if note := all[1].Note; len(note) > 1024 || !strings.HasSuffix(note, "x...") || !utf8.ValidString(note) {
			t.Errorf("%d bytes: %s", len(note), note)
		}
	})
}

// TestNothingIsLost records at random over a link that breaks before and after requests. In the end each call that was
// not refused is counted, once.
func TestNothingIsLost(t *testing.T) {
	for seed := range uint64(3) {
		synctest.Test(t, func(t *testing.T) {
			b, rnd := start(t), rand.New(rand.NewPCG(seed, 5))
			r := b.Recorder("website")
			unreliable := rand.New(rand.NewPCG(seed, 6)) // of the Writer's goroutine
			fail := func(r *http.Request) error {
				switch unreliable.IntN(6) {
				case 0:
					return io.ErrUnexpectedEOF
				case 1: // the request gets there, the answer does not come
					resp, err := b.link.RoundTripper.RoundTrip(r)
					if err == nil {
						_ = resp.Body.Close()
					}
					return io.ErrUnexpectedEOF
				}
				return nil
			}
			b.link.before.Store(&fail)
			want := map[string]int32{}
			for range 400 {
				which := fmt.Sprint("web-", rnd.IntN(8))
				accepted := b.Stats().Outcomes
				r.Eventf(pod(which), nil, "Normal", fmt.Sprint("R", rnd.IntN(2)), "Wait", "%d", rnd.IntN(20))
				now := b.Stats().Outcomes
				if now[events.Recorded]+now[events.Counted] > accepted[events.Recorded]+accepted[events.Counted] {
					want[which]++
				}
				if rnd.IntN(3) == 0 {
					time.Sleep(time.Duration(rnd.IntN(20)) * time.Second)
				}
			}
			time.Sleep(10 * time.Minute)
			b.link.before.Store(nil)
			b.stop()
			got := map[string]int32{}
			for _, e := range b.list("default") {
				got[e.Regarding.Name] += counted(&e)
			}
			for which, n := range want {
				if got[which] != n {
					t.Errorf("seed %d: %s was spoken of %d times, and %d are told", seed, which, n, got[which])
				}
			}
			if s := b.Stats(); s.Outcomes[events.Failed] > 0 || s.Waiting > 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}
