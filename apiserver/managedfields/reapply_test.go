package managedfields

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/keelson-project/keelson/apiserver/builtin"
	"github.com/keelson-project/keelson/apiserver/builtin/models"
	"github.com/keelson-project/keelson/apiserver/resource"
)

// sameApply applies config both ways and compares; it returns whether there was a short way.
func sameApply(t *testing.T, m *Manager, live, config resource.Object, manager string, force bool) bool {
	t.Helper()
	short := resource.DeepCopy(live)
	if !m.reapply(short, resource.DeepCopy(config), manager) {
		if a, b := text(t, short), text(t, live); a != b {
			t.Errorf("what is given up has been changed:\n%s\n%s", a, b)
		}
		return false
	}
	m.forgetTimes(short)
	long, err := m.apply(t.Context(), resource.DeepCopy(live), resource.DeepCopy(config), manager, force)
	if err != nil {
		t.Errorf("the long way fails where the short one does not: %v\n%s\n%s", err, text(t, live), text(t, config))
		return true
	}
	settleTimes(t, short, long)
	if a, b := text(t, short), text(t, long); a != b {
		t.Errorf("live:\n%s\nconfig:\n%s\nthe short way:\n%s\nthe long way:\n%s", text(t, live), text(t, config), a, b)
	}
	return true
}

// settleTimes forgets when entries were written: a second may end between two ways, or since the object was made.
func settleTimes(t *testing.T, objs ...resource.Object) {
	t.Helper()
	for _, o := range objs {
		for _, e := range entries(o) {
			entry := e.(map[string]any)
			if at, ok := entry["time"].(string); ok {
				if x, err := time.Parse(time.RFC3339, at); err != nil || time.Since(x) > time.Minute {
					t.Errorf("time %v", entry)
				}
				entry["time"] = "now"
			}
		}
		slices.SortFunc(entries(o), inOrder)
	}
}

func text(t *testing.T, obj resource.Object) string {
	t.Helper()
	raw, err := json.Marshal(obj)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// varied is a deep copy of v with some leaves changed.
func varied(r *rand.Rand, v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, member := range v {
			if name == "port" || name == "protocol" || name == "name" && r.IntN(2) == 0 {
				out[name] = member
				continue
			}
			out[name] = varied(r, member)
		}
		return out
	case []any:
		out := []any{}
		for _, item := range v {
			if _, isMap := item.(map[string]any); isMap {
				item = varied(r, item)
			}
			out = append(out, item)
		}
		if r.IntN(12) == 0 && len(out) > 1 {
			out[0], out[1] = out[1], out[0]
		}
		return out
	case string:
		if r.IntN(3) == 0 {
			return v + "x"
		}
	case int64:
		if r.IntN(3) == 0 {
			return v + 1
		}
	case float64:
		if r.IntN(3) == 0 {
			return v + 1
		}
	case bool:
		if r.IntN(3) == 0 {
			return !v
		}
	}
	return v
}

// TestReapplyIsApply compares the two ways on what several managers have made of an object by chance.
func TestReapplyIsApply(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	d := definition(t, []byte(everything))
	m, status := For(d, d.Version("v1"), "", models.Embedded()), For(d, d.Version("v1"), "status", models.Embedded())
	head := func(spec map[string]any) resource.Object {
		meta := map[string]any{"name": "a"}
		if r.IntN(2) == 0 {
			meta["labels"] = map[string]any{"a": []string{"b", "c"}[r.IntN(2)]}
		}
		if r.IntN(3) == 0 {
			meta["finalizers"] = []any{"x/y", "x/z"}[:1+r.IntN(2)]
		}
		return resource.Object{"apiVersion": "example.com/v1", "kind": "Thing", "metadata": meta, "spec": spec}
	}
	short, changed := 0, 0
	const tries = 400
	for range tries {
		live := head(randomSpec(r))
		live["metadata"].(map[string]any)["uid"] = "u"
		m.Update(t.Context(), nil, live, "creator")
		configs := map[string]resource.Object{}
		for range 1 + r.IntN(4) {
			manager := []string{"one", "two"}[r.IntN(2)]
			config := head(randomSpec(r))
			if len(configs) > 0 && r.IntN(2) == 0 { // what another applies, too
				for _, c := range configs {
					config = resource.DeepCopy(c)
				}
			}
			if after, err := m.apply(t.Context(), resource.DeepCopy(live), resource.DeepCopy(config), manager, true); err == nil {
				live, configs[manager] = after, config
			}
			if r.IntN(4) == 0 {
				updated := resource.DeepCopy(live)
				updated["spec"] = varied(r, updated["spec"])
				m.Update(t.Context(), live, updated, "updater")
				live = updated
			}
			if r.IntN(4) == 0 {
				s := resource.Object{"apiVersion": "example.com/v1", "kind": "Thing", "metadata": map[string]any{"name": "a"}, "status": map[string]any{"phase": "x"}}
				if after, err := status.apply(t.Context(), resource.DeepCopy(live), resource.DeepCopy(s), "one", true); err == nil {
					live = after
				}
				s["status"] = varied(r, s["status"])
				if sameApply(t, status, live, s, "one", true) {
					short++
				}
			}
		}
		live, _ = resource.Decode([]byte(text(t, live))) // as the store has it
		for manager, config := range configs {
			if r.IntN(5) > 0 {
				config = varied(r, config).(map[string]any)
				config["apiVersion"], config["kind"], config["metadata"].(map[string]any)["name"] = "example.com/v1", "Thing", "a"
			}
			if r.IntN(10) == 0 {
				config["status"] = map[string]any{"phase": "y"}
			}
			if sameApply(t, m, live, config, manager, r.IntN(2) == 0) {
				short++
				if text(t, config["spec"].(map[string]any)) != text(t, live["spec"].(map[string]any)) {
					changed++
				}
			}
		}
		if t.Failed() {
			return
		}
	}
	if short < tries/4 || changed < tries/20 {
		t.Errorf("%d of %d objects went the short way, %d with changes: the test does not try both", short, tries, changed)
	}
	t.Logf("%d of %d objects went the short way, %d with changes", short, tries, changed)
}

// TestReapplyIsApplyOfBuiltIns does the same with a Deployment, which has all kinds of lists, and a Service.
func TestReapplyIsApplyOfBuiltIns(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	set := models.Embedded()
	short := 0
	for _, d := range builtin.Definitions(builtin.Options{Models: set}) {
		spec := map[string]string{
			"Deployment": `{"replicas":3,"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[
				{"name":"c","image":"i","ports":[{"containerPort":80,"protocol":"TCP"}],"env":[{"name":"e","value":"v"},{"name":"f","value":"w"}],"args":["x","y"],
				"resources":{"requests":{"cpu":"1","memory":"1Gi"}},"livenessProbe":{"httpGet":{"path":"/","port":80}}},{"name":"d","image":"j"}],
				"volumes":[{"name":"v","emptyDir":{}}],"tolerations":[{"key":"k","operator":"Exists"}],"nodeSelector":{"n":"m"}}}}`,
			"Service": `{"ports":[{"port":80,"protocol":"TCP","name":"http","targetPort":"web"}],"selector":{"a":"b"},"type":"ClusterIP"}`,
		}[d.Names.Kind]
		if spec == "" {
			continue
		}
		m := For(d, &d.Versions[0], "", set)
		config, err := resource.Decode([]byte(`{"apiVersion":"` + d.APIVersion(d.Versions[0].Name) + `","kind":"` + d.Names.Kind + `","metadata":{"name":"a","annotations":{"x":"y"}},"spec":` + spec + `}`))
		if err != nil {
			t.Fatal(err)
		}
		for range 100 {
			live, err := m.apply(t.Context(), m.Empty(), resource.DeepCopy(config), "one", true)
			if err != nil {
				t.Fatal(err)
			}
			d.Versions[0].Schema.Prune(live)
			if r.IntN(2) == 0 {
				updated := varied(r, live).(map[string]any)
				updated["apiVersion"], updated["kind"], updated["metadata"] = live["apiVersion"], live["kind"], resource.DeepCopy(live)["metadata"]
				m.Update(t.Context(), live, updated, "updater")
				live = updated
			}
			next := varied(r, config).(map[string]any)
			next["apiVersion"], next["kind"], next["metadata"] = config["apiVersion"], config["kind"], config["metadata"]
			if sameApply(t, m, live, next, "one", true) {
				short++
			}
			if t.Failed() {
				return
			}
		}
	}
	t.Logf("%d of 200 went the short way", short)
	if short < 30 {
		t.Errorf("only %d of 200 went the short way", short)
	}
}
