package informer_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keelson-project/keelson/informer"
)

func TestSeveralNamespaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCollection()
		c.put("a", "one", "")
		c.put("b", "two", "")
		c.put("c", "out of sight", "")
		scope := informer.Scope{GVK: widgets}.In("b", "a", "b")
		if scope != (informer.Scope{GVK: widgets, Namespace: "a,b"}) {
			t.Fatal(scope)
		}
		inf := informer.New(informer.Config[object]{Source: c, Scope: scope})
		m := &mirror{t: t, has: map[string]string{}}
		r := inf.AddHandler(m.handle)
		defer run(inf)()
		synctest.Wait()
		if inf.Snapshot().Len() != 2 || len(m.has) != 2 || !r.HasSynced() || c.opens != 2 {
			t.Error(m.has, c.opens)
		}
		rv := c.put("b", "three", "")
		if err := inf.WaitForWrite(t.Context(), "b", rv); err != nil {
			t.Fatal(err)
		}
		if _, ok := inf.Get("b", "three"); !ok {
			t.Error("not there after waiting")
		}
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		if err := inf.WaitForWrite(ctx, "c", rv); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Error("waits for what it never sees:", err)
		}
		if err := inf.WaitForRevision(t.Context(), rv); err != nil { // with the bookmark of a
			t.Error(err)
		}
	})
}
