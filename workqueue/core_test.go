package workqueue

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"
)

// TestCoreAgainstModel runs both through the same random histories.
func TestCoreAgainstModel(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 3))
		script := make([]byte, 4000)
		for i := range script {
			script[i] = byte(r.Uint32())
		}
		if err := play(script); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// FuzzCore lets the fuzzer write the histories.
func FuzzCore(f *testing.F) {
	f.Add([]byte("groups and priorities"))
	f.Fuzz(func(t *testing.T, script []byte) {
		if err := play(script); err != nil {
			t.Fatal(err)
		}
	})
}

// game is a core and its model, and a script that says what happens to both.
type game struct {
	script []byte
	core   core[int]
	model  *model
	held   []Item[int]
	now    int64
}

// n reads a number below limit from the script; zeros follow its end.
func (g *game) n(limit int) int {
	if len(g.script) == 0 {
		return 0
	}
	b := g.script[0]
	g.script = g.script[1:]
	return int(b) % limit
}

const gameKeys = 40

// play returns how the core differed from the model, if it did.
func play(script []byte) error {
	g := &game{script: script, now: 1}
	cfg := Config[int]{
		Aging:     []time.Duration{time.Microsecond, time.Nanosecond, time.Hour}[g.n(3)],
		RateLimit: RateLimit{Base: 100, Max: time.Hour},
		Merge:     func(waiting, added any) any { return waiting.(string) + added.(string) },
	}
	if groups := []int{0, 1, 3, 13, gameKeys}[g.n(5)]; groups > 0 {
		cfg.Group = func(k int) string { return strconv.Itoa(k % groups) }
	}
	if g.n(2) == 1 {
		cfg.RateLimit.PerSecond, cfg.RateLimit.Burst = 5_000_000, 1+g.n(4)
	}
	g.core.init(cfg)
	g.model = newModel(cfg)
	for step := 0; len(g.script) > 0; step++ {
		g.now += 1 + int64(g.n(200))
		if err := g.step(); err != nil {
			return fmt.Errorf("step %d: %w", step, err)
		}
	}
	return g.end()
}

func (g *game) step() error {
	switch op := g.n(32); {
	case op < 16:
		g.add()
	case op < 26:
		if _, err := g.take(); err != nil {
			return err
		}
	case op < 29:
		g.done()
	case op < 31:
		k := g.n(gameKeys)
		g.core.forget(k, g.now)
		g.model.key(k).fails = 0
	case g.n(8) == 0:
		g.core.dropDelayed(g.now)
		g.model.dropDelayed()
	}
	s := g.core.snapshot(g.now)
	maps.DeleteFunc(s.ReadyBy, func(_, n int) bool { return n == 0 })
	if got, want := fmt.Sprint(s.Ready, s.Delayed, s.Working, s.ReadyBy), g.model.String(); got != want {
		return fmt.Errorf("the core has %s, the model %s", got, want)
	}
	return nil
}

func (g *game) add() {
	o := Options{Priority: g.n(4) - 1, RateLimited: g.n(6) == 0}
	switch g.n(16) {
	case 0, 1, 2:
		o.After = time.Duration(1+g.n(256)) << g.n(40)
		for g.dueAt(g.now + int64(o.After)) {
			o.After++ // which of two that are due at once is first is not promised
		}
	case 3:
		o.Priority = []int{math.MaxInt, math.MinInt, 1 << 40, -1 << 40}[g.n(4)]
	case 4:
		o.After = -time.Second
	}
	if g.n(2) == 0 {
		o.Note = string(rune('a' + g.n(26)))
	}
	k := g.n(gameKeys)
	g.core.add(k, &o, g.now)
	g.model.add(k, o, g.now)
}

func (g *game) dueAt(at int64) bool {
	for _, e := range g.model.keys {
		if e.delayed && e.due == at {
			return true
		}
	}
	return false
}

// take returns whether there was something to take.
func (g *game) take() (bool, error) {
	g.core.promote(g.now)
	g.model.promote(g.now)
	want := g.model.next()
	if (g.core.depth > 0) != (want >= 0) {
		return false, fmt.Errorf("the core has %d keys ready, the model's next is %d", g.core.depth, want)
	}
	if want < 0 {
		return false, nil
	}
	var got Item[int]
	g.core.take(g.now, &got)
	g.held = append(g.held, got)
	got.slot, got.turn = 0, 0
	if item := g.model.take(want, g.now); got != item {
		return false, fmt.Errorf("took %+v, the model %+v", got, item)
	}
	return true, nil
}

// done ends the work on one key, twice.
func (g *game) done() {
	if len(g.held) == 0 {
		return
	}
	i := g.n(len(g.held))
	item := g.held[i]
	g.held = slices.Delete(g.held, i, i+1)
	g.core.done(item.slot, item.turn, g.now)
	g.core.done(item.slot, item.turn, g.now)
	g.model.done(item.Key)
}

// end works on all that is left, and looks for what is kept although nobody needs it.
func (g *game) end() error {
	g.now = never - 1
	for {
		for len(g.held) > 0 {
			g.done()
		}
		more, err := g.take()
		if err != nil {
			return err
		}
		if !more {
			break
		}
	}
	for k := range gameKeys {
		g.core.forget(k, g.now)
	}
	c := &g.core
	if c.table.used != 0 || c.depth != 0 || c.working != 0 || len(c.levels.order) != 0 || c.busy.head != none {
		return fmt.Errorf("an idle core keeps %d keys, %d ready, %d in work", c.table.used, c.depth, c.working)
	}
	if c.groups != nil && len(c.groups.by) != 0 {
		return fmt.Errorf("an idle core keeps the groups %v", c.groups.by)
	}
	return nil
}

// TestFloodIsForgotten has a core lose its memory of a flood, though not while floods come again.
func TestFloodIsForgotten(t *testing.T) {
	var c core[int]
	c.init(Config[int]{})
	now := int64(0)
	flood := func(n int) {
		for i := range n {
			c.add(i, &Options{}, now)
		}
		for c.depth > 0 {
			var item Item[int]
			c.take(now, &item)
			c.done(item.slot, item.turn, now)
		}
		now += keptFor/2 + 1
	}
	flood(10_000)
	flood(1)
	if len(c.slots) != 10_000 {
		t.Fatalf("%d slots soon after a flood", len(c.slots))
	}
	flood(10_000)
	flood(1)
	flood(1)
	if len(c.slots) != 0 || len(c.table.cells) != 0 {
		t.Fatalf("%d slots and %d cells long after a flood", len(c.slots), len(c.table.cells))
	}
	flood(10)
}
