package simtest

import (
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
)

// systematic plans have one fault each: every kind that makes a difference, at each write, event and read of the
// undisturbed run. Of those that are alike, and change nothing, there may be many, one after the other: the first of them
// stands for all.
func systematic(base *result) (plans []Plan) {
	stale := append([]string{""}, slices.Sorted(maps.Keys(base.events))...) // all together, and each alone
	add := func(f ...Fault) {
		for _, f := range f {
			plans = append(plans, Plan{f})
		}
	}
	each(base.writes, func(at int, o *occasion) {
		add(Fault{Kind: Crash, At: at}, Fault{Kind: Lost, At: at}, Fault{Kind: Fail, At: at})
		if o.method != http.MethodPost {
			add(Fault{Kind: Conflict, At: at})
		}
		for back := range o.step {
			for _, resource := range stale {
				add(Fault{Kind: Stale, At: at, Steps: back, Resource: resource})
			}
		}
	})
	for _, kind := range slices.Sorted(maps.Keys(base.events)) {
		for i := range base.events[kind] {
			add(Fault{Kind: Hold, Resource: kind, At: i + 1}, Fault{Kind: Miss, Resource: kind, At: i + 1, Steps: 1},
				Fault{Kind: Drop, Resource: kind, At: i + 1})
		}
	}
	each(base.reads, func(at int, _ *occasion) { add(Fault{Kind: Unread, At: at}) })
	return plans
}

// each calls f with the number of each occasion.
func each(all []*occasion, f func(at int, o *occasion)) {
	seen := map[occasion]bool{}
	for i, o := range all {
		if !o.idle || !seen[*o] {
			f(i+1, o)
		}
		seen[*o] = true
	}
}

// chosen is a plan of one to four faults, and in half of the cases of another order.
func chosen(base *result, seed uint64) Plan {
	r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // to be repeated, not to be secret
	p := Plan{}
	resources := slices.Sorted(maps.Keys(base.events))
	steps := base.writes[len(base.writes)-1].step
	for range 1 + r.IntN(4) {
		if r.IntN(2) == 0 || len(resources) == 0 {
			kinds := []Kind{Crash, Crash, Stale, Lost, Timeout, Undone, Fail, Throttle, Conflict}
			f := Fault{Kind: kinds[r.IntN(len(kinds))], At: 1 + r.IntN(len(base.writes)+2)}
			if f.Kind == Stale {
				f.Steps = r.IntN(max(steps, 1))
				if len(resources) > 0 && r.IntN(2) == 0 {
					f.Resource = resources[r.IntN(len(resources))]
				}
			}
			p = append(p, f)
			continue
		}
		kinds := []Kind{Hold, Hold, Miss, Miss, Drop}
		f := Fault{Kind: kinds[r.IntN(len(kinds))], Resource: resources[r.IntN(len(resources))]}
		f.At = 1 + r.IntN(base.events[f.Resource]+1)
		if f.Kind != Drop {
			f.Steps = r.IntN(max(steps, 1))
		}
		p = append(p, f)
	}
	if r.IntN(2) == 0 {
		p = append(p, Fault{Kind: Shuffle, At: int(r.Uint32() >> 1)})
	}
	return p
}
