package jsonscan_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/keelson-project/keelson/internal/jsonscan"
)

func FuzzAppendString(f *testing.F) {
	for i := range 18 {
		for _, c := range "\x00\x1f\"\\\x7f\x80\u2028" {
			f.Add(strings.Repeat("x", i) + string(c) + "!!#[]xx ")
		}
	}
	f.Add("a\"\\\n\x00\xff\u2028é")
	f.Fuzz(func(t *testing.T, s string) {
		plain := strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' || r >= utf8.RuneSelf })
		if plain < 0 {
			plain = len(s)
		}
		if n := jsonscan.Plain(s); n != plain {
			t.Errorf("%q: the first %d bytes are plain, got %d", s, plain, n)
		}
		var got, want string
		if err := json.Unmarshal(jsonscan.AppendString(nil, s), &got); err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, &want); err != nil || got != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	})
}

func FuzzAppendText(f *testing.F) {
	for _, s := range []string{`"a\n\t\r\b\f\/\\\"z"`, `"\u00e9\ud83d\ude00\ud83d\ud83dx\ude00"`, `"\u12"`, `"`, `""`, `1`, "\"\xff\""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got := string(jsonscan.AppendText([]byte("x"), raw))[1:]
		if !utf8.ValidString(got) {
			t.Errorf("%q: %q is no UTF-8", raw, got)
		}
		var want string
		if len(raw) == 0 || raw[0] != '"' || raw[len(raw)-1] != '"' || !utf8.Valid(raw) || json.Unmarshal(raw, &want) != nil {
			return
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", raw, got, want)
		}
	})
}
