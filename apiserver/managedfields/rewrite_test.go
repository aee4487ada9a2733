package managedfields

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/keelson-project/keelson/apiserver/builtin/models"
	"github.com/keelson-project/keelson/apiserver/resource"
)

// sameUpdate accounts for an update both ways and compares; it returns whether there was a short way.
func sameUpdate(t *testing.T, m *Manager, live, obj resource.Object, manager string) bool {
	t.Helper()
	short, before := resource.DeepCopy(obj), text(t, live)
	done := m.rewrite(live, short, manager)
	if done {
		m.forgetTimes(short)
	}
	if text(t, live) != before {
		t.Error("the short way changes the live object")
	}
	if !done {
		if a, b := text(t, short), text(t, obj); a != b {
			t.Errorf("what is given up has been changed:\n%s\n%s", a, b)
		}
		return false
	}
	long := resource.DeepCopy(obj)
	m.update(t.Context(), live, resource.DeepCopy(live), long, manager)
	settleTimes(t, short, long)
	if a, b := text(t, short), text(t, long); a != b {
		t.Errorf("%s makes of\n%s\nthe short way:\n%s\nthe long way:\n%s", manager, before, a, b)
	}
	return true
}

// TestRewriteIsUpdate compares the two ways on what several managers have made of an object by chance.
func TestRewriteIsUpdate(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	d := definition(t, []byte(everything))
	m, status := For(d, d.Version("v1"), "", models.Embedded()), For(d, d.Version("v1"), "status", models.Embedded())
	short, changed := 0, 0
	const tries = 600
	for range tries {
		live := resource.Object{
			"apiVersion": "example.com/v1", "kind": "Thing", "spec": randomSpec(r),
			"metadata": map[string]any{"name": "a", "uid": "u", "labels": map[string]any{"a": "b"}, "finalizers": []any{"x/y"}},
		}
		m.Update(t.Context(), nil, live, "creator")
		for range r.IntN(4) {
			switch r.IntN(3) {
			case 0:
				config := resource.Object{"apiVersion": "example.com/v1", "kind": "Thing", "metadata": map[string]any{"name": "a"}, "spec": randomSpec(r)}
				if after, err := m.apply(t.Context(), resource.DeepCopy(live), config, "one", true); err == nil {
					live = after
				}
			case 1:
				updated := resource.DeepCopy(live)
				updated["spec"] = varied(r, updated["spec"])
				m.update(t.Context(), live, live, updated, "updater")
				live = updated
			case 2:
				updated := resource.DeepCopy(live)
				updated["status"] = map[string]any{"phase": []string{"x", "y"}[r.IntN(2)]}
				if sameUpdate(t, status, live, updated, "kubelet") {
					short++
				}
				status.update(t.Context(), live, live, updated, "kubelet")
				live = updated
			}
		}
		live, _ = resource.Decode([]byte(text(t, live))) // as the store has it
		for _, manager := range []string{"creator", "updater", "one", "other"} {
			obj := resource.DeepCopy(live)
			meta := obj["metadata"].(map[string]any)
			if r.IntN(4) > 0 {
				obj["spec"] = varied(r, obj["spec"])
			}
			switch r.IntN(6) {
			case 0:
				delete(meta, "managedFields")
			case 1:
				meta["labels"] = map[string]any{"a": "c"}
			case 2:
				delete(obj["spec"].(map[string]any), "text")
			case 3:
				meta["resourceVersion"], meta["generation"] = "7", int64(3)
			case 4:
				meta["managedFields"] = [][]any{{}, {map[string]any{}}}[r.IntN(2)]
			}
			if sameUpdate(t, m, live, obj, manager) {
				short++
				if text(t, obj["spec"].(map[string]any)) != text(t, live["spec"].(map[string]any)) {
					changed++
				}
			}
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d updates of %d objects went the short way, %d with changes", short, tries, changed)
	if short < tries/4 || changed < tries/20 {
		t.Errorf("%d updates of %d objects went the short way, %d with changes: the test does not try both", short, tries, changed)
	}
}
