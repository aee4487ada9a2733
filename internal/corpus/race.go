//go:build race

package corpus

// Racing says whether the race detector is on, which makes everything about ten times as slow. Tests that do much of the
// same, and nothing at the same time, do less then.
const Racing = true
