package informer_test

import (
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/watch"

	"github.com/keelson-project/keelson/informer"
)

// A slow handler that missed a deletion and a return of the same object (out of a selection and back) is told of a
// change from the state that it knows, not from the last one before the deletion.
func TestSlowHandlerKnowsWhatItWasTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCollection()
		c.put("a", "w", "first")
		inf := informer.New(informer.Config[object]{Source: c, Scope: informer.Scope{GVK: widgets}})
		m := &mirror{t: t, has: map[string]string{}, slow: time.Second}
		inf.AddHandler(m.handle)
		defer run(inf)()
		synctest.Wait() // it is busy with the addition
		uid, _ := inf.Get("a", "w")
		c.put("a", "w", "second")
		c.delete("a", "w")
		c.mu.Lock()
		c.revision++
		data := encode("a", "w", string(uid.GetUID()), c.revision, "back")
		c.objects["a/w"] = data
		c.record("a", watch.Added, data)
		c.mu.Unlock()
		time.Sleep(time.Minute)
		synctest.Wait()
		if got, _ := inf.Get("a", "w"); m.has["a/w"] != got.GetResourceVersion() {
			t.Error(m.has)
		}
	})
}
