package validation

import (
	"regexp"
	"sync/atomic"
)

// pattern is a regular expression that becomes faster when it is used a lot: the patterns of CustomResourceDefinitions
// are mostly few character classes between ^ and $, for which a table beats the general machine by a factor of ten.
type pattern struct {
	*regexp.Regexp
	uses  atomic.Int32
	table atomic.Pointer[automaton] // nil: not made yet, or not possible
}

// hot is the number of uses after which a pattern gets its table.
const hot = 32

// matches is Regexp.MatchString.
func (p *pattern) matches(s string) bool {
	if a := p.table.Load(); a != nil {
		if matched, sure := a.matches(s); sure {
			return matched
		}
		return p.MatchString(s)
	}
	if p.uses.Load() < hot && p.uses.Add(1) == hot {
		p.table.Store(newAutomaton(p.String()))
	}
	return p.MatchString(s)
}
