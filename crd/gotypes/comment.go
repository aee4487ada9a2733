package gotypes

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// lineWidth is where comments are wrapped, without their indentation.
const lineWidth = 110

// commentLines makes the lines of a doc comment, without slashes, of a description. Paragraphs and what looks like
// a list or code keep their own lines; no line starts with a plus sign, which would be a marker.
func commentLines(text string) []string {
	var out []string
	var open string // the line that words are being added to
	flush := func() {
		if open != "" {
			out = append(out, open)
		}
		open = ""
	}
	for line := range strings.SplitSeq(clean(text), "\n") {
		line = strings.TrimRight(line, " ")
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
		words := strings.Fields(line)
		if len(words) == 0 {
			flush()
			if n := len(out); n > 0 && out[n-1] != "" {
				out = append(out, "")
			}
			continue
		}
		if indent != "" || isItem(words[0]) || strings.HasPrefix(line, "```") {
			flush()
		}
		if indent != "" && open == "" {
			open = indent[:min(len(indent), 8)] + words[0]
			words = words[1:]
		}
		for _, word := range words {
			switch {
			case open == "":
				open = word
			case utf8.RuneCountInString(open)+1+utf8.RuneCountInString(word) > lineWidth && !strings.HasPrefix(word, "+") && !isItem(word):
				flush()
				open = word
			default:
				open += " " + word
			}
		}
		if utf8.RuneCountInString(line) < lineWidth*2/3 && strings.HasSuffix(line, ":") {
			flush()
		}
	}
	flush()
	for len(out) > 0 && out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	for i, line := range out {
		if trimmed := strings.TrimLeft(line, " "); strings.HasPrefix(trimmed, "+") {
			out[i] = strings.TrimSuffix(line, trimmed) + "'+'" + trimmed[1:]
		}
	}
	return out
}

// isItem says whether a word at the start of a line makes it an item of a list or a heading.
func isItem(word string) bool {
	switch word {
	case "-", "*", "+", "#", "##":
		return true
	}
	digits := strings.TrimRight(word, ".)")
	return digits != word && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// clean takes out what a Go source file cannot hold, or a comment should not.
func clean(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\t", "    ")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == ' ':
			return r
		case r == '\r' || r == '\uFEFF' || unicode.Is(unicode.C, r):
			return -1
		case unicode.IsSpace(r):
			return ' '
		}
		return r
	}, text)
}
