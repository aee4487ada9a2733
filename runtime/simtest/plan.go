package simtest

import (
	"fmt"
	"strconv"
	"strings"
)

// Kind of a Fault.
type Kind string

// Faults at a write, which is a request of the controllers that changes an object; Fault.At says which one, from 1, over
// the whole run. Writes of events and leases are not counted.
const (
	// Crash: the server carries the write out, the process dies before it hears of that, and another one starts.
	Crash Kind = "crash"
	// Stale is Crash, and the caches of the new process begin with what there was before the latest step of the user
	// (Fault.Steps 0), or so many steps earlier; they hear of the rest when nothing else moves any more. With a
	// Fault.Resource that is so for the cache of that resource only.
	Stale Kind = "stale"
	// Lost: the write is carried out, and the connection breaks instead of the answer.
	Lost Kind = "lost"
	// Timeout: the write is carried out, and the answer is 504 Timeout.
	Timeout Kind = "timeout"
	// Undone: the answer is 504 Timeout, and the write is not carried out.
	Undone Kind = "undone"
	// Fail: the answer is 500 InternalError, and the write is not carried out.
	Fail Kind = "fail"
	// Throttle: the answer is 429 TooManyRequests, to be tried again after a second.
	Throttle Kind = "throttle"
	// Conflict: just before the write, somebody else writes an annotation into the object. A write that insists on a
	// resourceVersion is answered with 409 Conflict. The annotation has to be there in the end.
	Conflict Kind = "conflict"
)

// Faults at a watch event; Fault.At says which one, from 1, of those of Fault.Resource that reach the caches.
const (
	// Hold holds the event back, and those of the resource that follow, until the user has taken Fault.Steps more
	// steps and nothing else moves any more: a cache that shows what was.
	Hold Kind = "hold"
	// Miss is Hold, and then the watch ends with 410 Expired: the caches see what there is, and nothing of what was
	// in between.
	Miss Kind = "miss"
	// Drop breaks the connection of the watch before the event.
	Drop Kind = "drop"
)

// Unread: a read that goes to the server, not to a cache, is answered with 500 InternalError; Fault.At says which one, from
// 1. Reads of leases and the like are not counted.
const Unread Kind = "unread"

// Shuffle is no fault: what may happen next is chosen at random, by the seed Fault.At, rather than in order.
const Shuffle Kind = "shuffle"

// Fault is one thing that goes wrong in a run.
type Fault struct {
	Kind Kind
	// At is the number of the write or event, from 1; of a Shuffle its seed.
	At int
	// Resource of the event, or the stale one, such as "configmaps" or "deployments.apps".
	Resource string
	// Steps of Stale, Hold and Miss.
	Steps int
}

// Plan is what goes wrong in a run. As text it is one word: crash@2,hold@configmaps:3+1.
type Plan []Fault

// scope of the kinds of faults: what their numbers count.
type scope uint8

const (
	ofWrites scope = iota + 1
	ofEvents
	ofReads
	ofAll
)

func (k Kind) scope() scope {
	switch k {
	case Crash, Stale, Lost, Timeout, Undone, Fail, Throttle, Conflict:
		return ofWrites
	case Hold, Miss, Drop:
		return ofEvents
	case Unread:
		return ofReads
	case Shuffle:
		return ofAll
	}
	return 0
}

// String is KIND@AT, or KIND@RESOURCE:AT where there is one, with Steps after a + (Hold, Miss) or - (Stale) unless they are 0.
func (f Fault) String() string {
	s := string(f.Kind) + "@"
	if f.Resource != "" {
		s += f.Resource + ":"
	}
	s += strconv.Itoa(f.At)
	switch {
	case f.Steps == 0:
	case f.Kind == Stale:
		s += "-" + strconv.Itoa(f.Steps)
	default:
		s += "+" + strconv.Itoa(f.Steps)
	}
	return s
}

// String is the faults, separated by commas; "none" where there are none.
func (p Plan) String() string {
	if len(p) == 0 {
		return "none"
	}
	parts := make([]string, len(p))
	for i, f := range p {
		parts[i] = f.String()
	}
	return strings.Join(parts, ",")
}

// ParsePlan reads what Plan.String has written.
func ParsePlan(text string) (Plan, error) {
	if text == "none" {
		return Plan{}, nil
	}
	p := Plan{}
	for part := range strings.SplitSeq(text, ",") {
		f, err := parseFault(part)
		if err != nil {
			return nil, fmt.Errorf("simtest: %q in a plan: %w", part, err)
		}
		p = append(p, f)
	}
	return p, nil
}

func parseFault(text string) (Fault, error) {
	kind, rest, _ := strings.Cut(text, "@")
	f := Fault{Kind: Kind(kind)}
	scope := f.Kind.scope()
	if scope == 0 {
		return f, fmt.Errorf("no such fault: %q", kind)
	}
	if resource, number, ok := strings.Cut(rest, ":"); ok {
		f.Resource, rest = resource, number
	}
	if (f.Resource != "") != (scope == ofEvents) && f.Kind != Stale {
		return f, fmt.Errorf("faults at events have a resource, and those at writes have none")
	}
	separator := ""
	switch f.Kind {
	case Stale:
		separator = "-"
	case Hold, Miss:
		separator = "+"
	}
	var err error
	if separator != "" {
		if at, steps, ok := strings.Cut(rest, separator); ok {
			rest = at
			if f.Steps, err = natural(steps); err != nil {
				return f, err
			}
		}
	}
	f.At, err = natural(rest)
	if err == nil && f.At == 0 && f.Kind != Shuffle {
		err = fmt.Errorf("numbers begin with 1")
	}
	return f, err
}

func natural(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	return int(n), err
}
