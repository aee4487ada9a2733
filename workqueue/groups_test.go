package workqueue_test

import (
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keelson-project/keelson/workqueue"
)

// TestNoisyGroup has one tenant add very many keys: the others' wait for one turn each.
func TestNoisyGroup(t *testing.T) {
	q := workqueue.New(workqueue.Config[name]{Group: func(n name) string { return n.namespace }})
	for i := range 1000 {
		q.Add(name{"noisy", strconv.Itoa(i)}, workqueue.Options{})
	}
	q.Add(name{"a", "1"}, workqueue.Options{})
	q.Add(name{"a", "2"}, workqueue.Options{})
	q.Add(name{"b", "1"}, workqueue.Options{})
	var got []string
	for range 7 {
		item, _ := q.Get(t.Context())
		got = append(got, item.Key.namespace+item.Key.name)
		q.Done(item)
	}
	if want := "noisy0 a1 b1 noisy1 a2 noisy2 noisy3"; strings.Join(got, " ") != want {
		t.Fatalf("got %v, want %s", got, want)
	}
}

// TestGroupsDoNotRideOnAge has a group's backlog grow old: fresh keys of others must not pass higher priorities for it.
func TestGroupsDoNotRideOnAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := workqueue.New(workqueue.Config[name]{Group: func(n name) string { return n.namespace }})
		for i := range 3 {
			q.Add(name{"old", strconv.Itoa(i)}, workqueue.Options{})
		}
		time.Sleep(time.Hour)
		q.Add(name{"a", "fresh"}, workqueue.Options{})
		q.Add(name{"b", "urgent"}, workqueue.Options{Priority: 1})
		for _, want := range []string{"0", "1", "2", "urgent", "fresh"} {
			item, _ := q.Get(t.Context())
			if item.Key.name != want {
				t.Fatalf("got %v, want %s", item.Key, want)
			}
			q.Done(item)
		}
	})
}
