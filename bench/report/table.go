package report

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Print writes a Markdown table: a row for each of measures that some target has, the medians of its rounds, how many
// times better the first target is than the second, and the goal.
func Print(w io.Writer, measures []Measure, targets []Results) error {
	head := []string{"work", "unit"}
	for _, t := range targets {
		head = append(head, t.Target)
	}
	if len(targets) == 2 {
		head = append(head, "times better")
	}
	head = append(head, "goal")
	rows := [][]string{head, make([]string, len(head))}
	for i := range head {
		rows[1][i] = "---"
	}
	for _, m := range measures {
		if row, ok := row(m, targets); ok {
			rows = append(rows, row)
		}
	}
	for _, r := range rows {
		if _, err := fmt.Fprintf(w, "| %s |\n", strings.Join(r, " | ")); err != nil {
			return err
		}
	}
	return nil
}

func row(m Measure, targets []Results) (cells []string, ok bool) {
	cells = []string{m.Work, m.Unit}
	var values []float64
	for _, t := range targets {
		v, measured := Median(t.Values[m.ID])
		switch {
		case measured:
			values = append(values, v)
			cells = append(cells, number(v))
		case t.Notes[m.ID] != "":
			cells = append(cells, t.Notes[m.ID])
			ok = true
		default:
			cells = append(cells, "")
		}
	}
	if len(targets) == 2 {
		cells = append(cells, times(m, values))
	}
	goal := ""
	if m.Goal > 0 {
		goal = number(m.Goal)
	}
	return append(cells, goal), ok || len(values) > 0
}

// times returns how many times better the first value is.
func times(m Measure, v []float64) string {
	if m.Plain || len(v) != 2 || v[0] <= 0 || v[1] <= 0 {
		return ""
	}
	if m.Higher {
		return number(v[0] / v[1])
	}
	return number(v[1] / v[0])
}

// Median returns the middle value, or false if there is none.
func Median(v []float64) (float64, bool) {
	if len(v) == 0 {
		return 0, false
	}
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2], true
}

// number prints three digits that matter.
func number(v float64) string {
	switch {
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
}
