package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"k8s.io/apimachinery/pkg/watch"
)

type event struct {
	Type   watch.EventType `json:"type"`
	Object json.RawMessage `json:"object"`
}

func split(r io.Reader) (events []event, err error) {
	f := frames{r: r}
	for {
		typ, object, err := f.next()
		if err != nil {
			return events, err
		}
		events = append(events, event{typ, bytes.Clone(object)})
	}
}

// FuzzFrames compares with encoding/json, however the stream is cut into reads.
func FuzzFrames(f *testing.F) {
	for _, s := range []string{
		"", "\n", `{"type":"ADDED","object":{"a":1}}` + "\n" + `{"type":"DELETED","object":{}}` + "\n", `{"type":"ADDED","object":{"a":"x\ny}}"}}`,
		"{\n \"type\": \"MODIFIED\",\n \"object\": {\"a\": \"\\\"}\"}\n}\n{\"type\":\"BOOKMARK\",\"object\":{}}\n", `{"type":"ADDED","object":{"a`,
		`{"object":{"a":[1,2]},"type":"ERROR"}` + "\n\n\n", `{"type":"ADDED","object":{}}{"type":"ADDED","object":{}}`, "garbage\n", "]\n", "{\"type\":\"ADDED\"\n",
		`{"type":"ADDED","object":{"a":"` + strings.Repeat("x", 40_000) + `"}}` + "\n" + `{"type":"DELETED","object":{}}` + "\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var want []event
		d := json.NewDecoder(bytes.NewReader(data))
		for {
			var e event
			err := d.Decode(&e)
			if errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return // what is no frame, or no object: who decodes it finds out
			}
			want = append(want, e)
		}
		whole, wholeErr := split(bytes.NewReader(data))
		bytewise, err := split(iotest.OneByteReader(bytes.NewReader(data)))
		if !reflect.DeepEqual(whole, bytewise) || (wholeErr == io.EOF) != (err == io.EOF) { //nolint:errorlint // as it is
			t.Fatalf("%q and %v in one read, %q and %v in many", whole, wholeErr, bytewise, err)
		}
		if !reflect.DeepEqual(whole, want) || wholeErr != io.EOF { //nolint:errorlint // as it is
			t.Fatalf("%q and %v, want %q", whole, wholeErr, want)
		}
	})
}

func FuzzSplitList(f *testing.F) {
	for _, s := range []string{
		`{"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[{"a":"]"},{"b":[1]}]}` + "\n", `{"metadata":{},"items":[]}`,
		`{"metadata":{},"items":null}`, `{ "metadata" : {} , "items" : [ {} , {} ] }`, `{"metadata":{},"items":[{},]}`, `{"metadata":{},"items":[{}`,
		`{"items":[{}],"metadata":{}}`, `{"metadata":{},"items":[{}]}x`, `{"metadata":{},"items":[{}]`, `{}`, `[]`, `{"items":[{}]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var want struct {
			Metadata json.RawMessage   `json:"metadata"`
			Items    []json.RawMessage `json:"items"`
		}
		if json.Unmarshal(data, &want) != nil || bytes.Contains(data, []byte("\\u")) {
			return // the items are not looked into; who decodes them finds out. Keys are compared as they are written
		}
		metadata, items, err := splitList(data)
		if err != nil {
			t.Fatal(err)
		}
		same := len(items) == len(want.Items) && bytes.Equal(metadata, want.Metadata)
		for i := range items {
			same = same && bytes.Equal(items[i], want.Items[i])
		}
		if !same {
			t.Fatalf("%q and %q, want %q", metadata, items, want)
		}
	})
}
