package storagetest

import (
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/keelson-project/keelson/apiserver/storage"
)

func races() []clause {
	return []clause{
		{"Races/OneCreates", raceCreate},
		{"Races/OneDeletes", raceDelete},
		{"Races/NoLostUpdate", raceUpdate},
	}
}

const racers = 8

// concurrently calls f once for each racer and returns when all have returned. f may report with t.Error, but must
// not end the test.
func concurrently(f func(racer int)) {
	var wg sync.WaitGroup
	for n := range racers {
		wg.Go(func() { f(n) })
	}
	wg.Wait()
}

// outcome of a racer's write.
type outcome struct {
	rev storage.Revision
	err error
}

// one returns the only winner's revision, after it has checked that the others were told what current describes.
func (t *trial) one(what string, outcomes []outcome, current func(winner storage.Revision) *storage.KeyValue) storage.Revision {
	t.Helper()
	var winner storage.Revision
	for _, o := range outcomes {
		if o.err == nil && winner != 0 {
			t.Fatalf("%s: two won, with revisions %d and %d", what, winner, o.rev)
		}
		if o.err == nil {
			winner = o.rev
		}
	}
	if winner == 0 {
		t.Fatalf("%s: nobody won: %v", what, outcomes)
	}
	want := current(winner)
	for _, o := range outcomes {
		var conflict *storage.ConflictError
		switch {
		case o.err == nil:
		case !errors.As(o.err, &conflict):
			t.Errorf("%s: a loser got error %v, want a *ConflictError", what, o.err)
		default:
			t.wantKV(what+": a loser's Current", conflict.Current, want)
		}
	}
	return winner
}

func raceCreate(t *trial) {
	for round := range 10 {
		key := fmt.Sprint("/race/", round)
		outcomes := make([]outcome, racers)
		concurrently(func(n int) {
			o := &outcomes[n]
			o.rev, o.err = t.tryPut(key, "the same", 0)
		})
		t.one("creating "+key, outcomes, func(winner storage.Revision) *storage.KeyValue {
			return kv(key, "the same", winner, winner)
		})
	}
}

func raceDelete(t *trial) {
	for round := range 10 {
		key := fmt.Sprint("/race/", round)
		rev := t.put(key, "1", 0)
		outcomes := make([]outcome, racers)
		concurrently(func(n int) {
			o := &outcomes[n]
			o.rev, o.err = t.tryDelete(key, rev)
		})
		t.one("deleting "+key, outcomes, func(storage.Revision) *storage.KeyValue { return nil })
	}
}

// raceUpdate: all count up one key, retrying from the conflict's Current alone.
func raceUpdate(t *trial) {
	const each = 20
	made := t.put("/counter", "0", 0)
	concurrently(func(int) {
		stands := kv("/counter", "0", made, made)
		for counted := 0; counted < each; {
			n, err := strconv.Atoi(string(stands.Value))
			if err != nil {
				t.Errorf("the counter holds %s", describeKV(stands))
				return
			}
			rev, err := t.tryPut("/counter", strconv.Itoa(n+1), stands.ModRevision)
			var conflict *storage.ConflictError
			switch {
			case err == nil:
				counted++
				stands = kv("/counter", strconv.Itoa(n+1), made, rev)
			case errors.As(err, &conflict) && conflict.Current != nil && conflict.Current.ModRevision > stands.ModRevision:
				stands = conflict.Current
			default:
				t.Errorf("counting from revision %d: got error %v, want a *ConflictError that shows something newer", stands.ModRevision, err)
				return
			}
		}
	})
	if got := t.get("/counter", 0).KV; got == nil || string(got.Value) != strconv.Itoa(racers*each) {
		t.Errorf("%d times one was counted: got %s", racers*each, describeKV(got))
	}
}
