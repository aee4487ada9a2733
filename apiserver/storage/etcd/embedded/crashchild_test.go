package embedded_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/storage/etcd/embedded"
)

// victim is the process that TestCrash kills.
type victim struct {
	store *embedded.Store
	round uint64

	mu  sync.Mutex
	out *json.Encoder // to a pipe: a line, being short, is written as a whole or not at all
}

func (v *victim) say(r report) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.out.Encode(r); err != nil {
		os.Exit(1)
	}
}

func (v *victim) fail(err error) {
	v.say(report{Error: err.Error()})
	os.Exit(1)
}

// writeUntilKilled does not return.
func writeUntilKilled(dir string) {
	v := &victim{out: json.NewEncoder(os.Stdout)}
	v.say(report{Opening: true})
	round, err := strconv.ParseUint(os.Getenv(crashRound), 10, 64)
	if err != nil {
		v.fail(err)
	}
	v.round = round
	if v.store, err = embedded.Open(context.Background(), embedded.Config{Dir: dir}); err != nil {
		v.fail(err)
	}
	var wg sync.WaitGroup
	for writer := range crashWriters {
		wg.Go(func() { v.write(writer) })
	}
	wg.Go(v.compact)
	wg.Wait()
}

// write makes creates, updates and deletes of keys that are this writer's only, one after the other.
func (v *victim) write(writer int) {
	r := rand.New(rand.NewPCG(crashSeed+v.round, uint64(1+writer)))
	ctx, prefix := context.Background(), fmt.Sprintf("/crash/%d/", writer)
	list, err := v.store.List(ctx, prefix, storage.ListOptions{})
	if err != nil {
		v.fail(err)
	}
	stands := map[string]storage.Revision{}
	for _, kv := range list.KVs {
		stands[kv.Key] = kv.ModRevision
	}
	for i := 0; ; i++ {
		key := prefix + strconv.Itoa(r.IntN(crashKeys))
		rep := report{Writer: writer, Key: key, Remove: stands[key] > 0 && r.IntN(3) == 0}
		if !rep.Remove {
			rep.Value = fmt.Sprintf("round %d, write %d %s", v.round, i, strings.Repeat("x", r.IntN(2000)))
		}
		v.say(rep)
		if rep.Remove {
			rep.Revision, err = v.store.Delete(ctx, key, stands[key])
		} else {
			rep.Revision, err = v.store.Put(ctx, key, []byte(rep.Value), stands[key], storage.PutOptions{})
		}
		if err != nil {
			v.fail(err)
		}
		v.say(rep)
		stands[key] = rep.Revision
		if rep.Remove {
			delete(stands, key)
		}
	}
}

// compact forgets, once, what the parent has looked at, so that a crash may come in the midst of it.
func (v *victim) compact() {
	rev, err := strconv.ParseInt(os.Getenv(crashCompact), 10, 64)
	if err != nil {
		v.fail(err)
	}
	if rev > 0 {
		// It was compacted in an earlier round, maybe.
		_ = v.store.Compact(context.Background(), storage.Revision(rev))
	}
}
