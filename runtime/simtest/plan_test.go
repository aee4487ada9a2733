package simtest_test

import (
	"slices"
	"testing"

	"github.com/keelson-project/keelson/runtime/simtest"
)

func TestPlansAreWords(t *testing.T) {
	for _, text := range []string{
		"none", "crash@1", "stale@3", "stale@3-2", "stale@configmaps:3-2", "hold@configmaps:1+2,miss@deployments.apps:10", "drop@websites.samples.keelson.dev:4",
		"lost@1,timeout@2,undone@3,fail@4,throttle@5,conflict@6,unread@7,shuffle@0",
	} {
		p, err := simtest.ParsePlan(text)
		if err != nil || p.String() != text {
			t.Errorf("%s became %s: %v", text, p, err)
		}
	}
	for _, text := range []string{
		"", "crash", "crash@", "crash@0", "crash@-1", "crash@1+1", "crash@pods:1", "burn@1", "hold@1", "hold@pods:1-1", "stale@1+1",
		"hold@pods:1+", "drop@pods:1+1", "crash@1,", "crash@99999999999", "unread@pods:1", "hold@:1",
	} {
		if p, err := simtest.ParsePlan(text); err == nil {
			t.Errorf("%q became %s", text, p)
		}
	}
}

// What is read is written in the same way, and read again as the same.
func FuzzParsePlan(f *testing.F) {
	f.Add("crash@1,stale@3-2,hold@configmaps:1+2,shuffle@0")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := simtest.ParsePlan(text)
		if err != nil {
			return
		}
		again, err := simtest.ParsePlan(p.String())
		if err != nil || !slices.Equal(p, again) {
			t.Errorf("%q became %#v, and %q %#v: %v", text, p, p, again, err)
		}
	})
}
