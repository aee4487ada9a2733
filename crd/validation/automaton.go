package validation

import (
	"encoding/binary"
	"regexp/syntax"
	"slices"
)

// automaton is a regular expression as a table: a deterministic automaton over ASCII. It only says whether there is a
// match, not where.
type automaton struct {
	class   [128]uint8 // of a byte: bytes of a class are alike to the expression
	classes int
	next    []uint8 // state*classes + class -> state
	atEnd   []bool  // state -> whether a string that ends here matches
}

// The first states of every automaton. From lost and found nothing leads elsewhere.
const (
	lost uint8 = iota
	found
	start
)

// matches is not sure about strings with other characters than ASCII's.
func (a *automaton) matches(s string) (matched, sure bool) {
	state := start
	for i := range len(s) {
		c := s[i]
		if c >= 128 {
			return false, false
		}
		state = a.next[int(state)*a.classes+int(a.class[c])]
		if state <= found {
			return state == found, true
		}
	}
	return a.atEnd[state], true
}

// What an automaton may take: states are numbered by bytes, and the work bounds what adversaries can ask for.
const (
	maxStates = 256
	maxWork   = 1 << 18
)

// newAutomaton returns nil where the expression needs too many states, or conditions other than those of ^ and $.
func newAutomaton(expression string) *automaton {
	parsed, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return nil
	}
	prog, err := syntax.Compile(parsed.Simplify())
	if err != nil || len(prog.Inst) > 1<<12 {
		return nil
	}
	b := &automatonBuilder{prog: prog, numbers: map[string]uint8{}, visited: make([]uint32, len(prog.Inst))}
	b.classify()
	return b.build()
}

// automatonBuilder makes sets of the expression's instructions into states.
type automatonBuilder struct {
	automaton
	prog    *syntax.Prog
	states  [][]uint32 // the instructions that wait for a character or for the end, by state
	numbers map[string]uint8
	samples []rune // one of each class
	work    int

	visited []uint32 // by instruction: the closure in which it was last seen
	closure uint32
}

// classify finds out which bytes no instruction tells apart.
func (b *automatonBuilder) classify() {
	known := map[string]uint8{}
	for c := range b.class {
		var alike []byte
		for i := range b.prog.Inst {
			if isRune(&b.prog.Inst[i]) && b.prog.Inst[i].MatchRune(rune(c)) {
				alike = binary.AppendUvarint(alike, uint64(i))
			}
		}
		number, ok := known[string(alike)]
		if !ok {
			number = uint8(len(known))
			known[string(alike)] = number
			b.samples = append(b.samples, rune(c))
		}
		b.class[c] = number
	}
	b.classes = len(known)
}

func isRune(i *syntax.Inst) bool {
	switch i.Op {
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		return true
	}
	return false
}

func (b *automatonBuilder) build() *automaton {
	b.states = [][]uint32{lost: nil, found: nil}
	b.atEnd = []bool{lost: false, found: true}
	b.next = make([]uint8, 2*b.classes)
	for c := range b.classes {
		b.next[int(found)*b.classes+c] = found
	}
	b.closure++
	first, done, ok := b.follow(nil, uint32(b.prog.Start), true)
	if !ok {
		return nil
	}
	if done { // everything matches
		b.addState(first)
		b.atEnd[start] = true
		for range b.classes {
			b.next = append(b.next, found)
		}
		return &b.automaton
	}
	b.addState(first)
	b.atEnd[start] = b.matchesAtEnd(first, true)
	for state := int(start); state < len(b.states); state++ {
		for _, c := range b.samples {
			next, ok := b.step(b.states[state], c)
			if !ok {
				return nil
			}
			b.next = append(b.next, next)
		}
	}
	return &b.automaton
}

func (b *automatonBuilder) addState(set []uint32) { // its transitions follow
	b.states = append(b.states, set)
	if len(b.atEnd) < len(b.states) {
		b.atEnd = append(b.atEnd, false)
	}
}

// step returns the state after character c; a match may also begin after it.
func (b *automatonBuilder) step(from []uint32, c rune) (state uint8, ok bool) {
	b.closure++
	var set []uint32
	var done bool
	for _, pc := range from {
		if b.work++; !isRune(&b.prog.Inst[pc]) || !b.prog.Inst[pc].MatchRune(c) {
			continue
		}
		if set, done, ok = b.follow(set, b.prog.Inst[pc].Out, false); !ok || done {
			return found, ok
		}
	}
	if set, done, ok = b.follow(set, uint32(b.prog.Start), false); !ok || done {
		return found, ok
	}
	if len(set) == 0 {
		return lost, true
	}
	slices.Sort(set)
	key := make([]byte, 0, 2*len(set))
	for _, pc := range set {
		key = binary.AppendUvarint(key, uint64(pc))
	}
	if number, known := b.numbers[string(key)]; known {
		return number, true
	}
	if len(b.states) == maxStates || b.work > maxWork {
		return 0, false
	}
	number := uint8(len(b.states))
	b.numbers[string(key)] = number
	b.addState(set)
	b.atEnd[number] = b.matchesAtEnd(set, false)
	return number, true
}

// follow adds to set the instructions that wait for a character or the end, from pc on. done says that the expression
// has matched; ok is false for conditions that an automaton cannot have.
func (b *automatonBuilder) follow(set []uint32, pc uint32, atStart bool) (out []uint32, done, ok bool) {
	todo := []uint32{pc}
	for len(todo) > 0 {
		pc, todo = todo[len(todo)-1], todo[:len(todo)-1]
		if b.work++; b.visited[pc] == b.closure {
			continue
		}
		b.visited[pc] = b.closure
		switch i := &b.prog.Inst[pc]; i.Op {
		case syntax.InstMatch:
			return nil, true, true
		case syntax.InstAlt, syntax.InstAltMatch:
			todo = append(todo, i.Arg, i.Out)
		case syntax.InstCapture, syntax.InstNop:
			todo = append(todo, i.Out)
		case syntax.InstEmptyWidth:
			switch syntax.EmptyOp(i.Arg) {
			case syntax.EmptyBeginText:
				if atStart {
					todo = append(todo, i.Out)
				}
			case syntax.EmptyEndText:
				set = append(set, pc)
			default:
				return nil, false, false
			}
		case syntax.InstFail:
		default:
			set = append(set, pc)
		}
	}
	return set, false, true
}

// matchesAtEnd says whether a string that ends in the state of this set matches.
func (b *automatonBuilder) matchesAtEnd(set []uint32, atStart bool) bool {
	b.closure++
	for len(set) > 0 {
		var more []uint32
		for _, pc := range set {
			if b.prog.Inst[pc].Op != syntax.InstEmptyWidth { // that is an EmptyEndText
				continue
			}
			next, done, ok := b.follow(nil, b.prog.Inst[pc].Out, atStart)
			if done {
				return true
			}
			if ok {
				more = append(more, next...)
			}
		}
		set = more
	}
	return false
}
