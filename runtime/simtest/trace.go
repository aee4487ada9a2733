package simtest

import "fmt"

// trace is what happened in a run, in order. Answers are known later than what they answer, so that lines are made at
// the end.
type trace struct{ all []entry }

type entry struct {
	text string
	*action
}

func (t *trace) add(format string, args ...any) {
	t.all = append(t.all, entry{text: fmt.Sprintf(format, args...)})
}

// action adds something that happened, and what was the matter with it.
func (t *trace) action(a *action, matter string) { t.all = append(t.all, entry{matter, a}) }

func (t *trace) lines() []string {
	lines := make([]string, 0, len(t.all))
	for _, e := range t.all {
		lines = append(lines, e.String())
	}
	return lines
}

func (e entry) String() string {
	if e.action == nil {
		return e.text
	}
	s := "   "
	switch {
	case e.event && e.number > 0:
		s = fmt.Sprintf("   event %s:%d ", e.kind(), e.number)
	case e.event:
		s = "   event "
	case e.number > 0 && !e.write:
		s = fmt.Sprintf("   read %d ", e.number)
	case e.write:
		s = fmt.Sprintf("   write %d ", e.number)
	}
	s += e.label
	if e.status != 0 {
		s += fmt.Sprintf(" %d", e.status)
	}
	if e.text != "" {
		s += " <-- " + e.text
	}
	return s
}
