package client

import (
	"bytes"
	"encoding/json"
	"io"

	"k8s.io/apimachinery/pkg/watch"

	"github.com/keelson-project/keelson/internal/jsonscan"
)

// frames splits the body of a watch into its events.
type frames struct {
	r        io.Reader
	buf      []byte // buf[from:to] was read and not returned yet
	from, to int
	err      error // of r, once it has one
}

const (
	firstFrames = 16 << 10 // of the buffer at first
	keptFrames  = 1 << 20  // of an empty buffer that is used again
)

// next returns the next event, whose object is valid until it is called again. Errors: io.EOF between two frames,
// io.ErrUnexpectedEOF within one, those of the reader, and of encoding/json for what is no frame.
func (f *frames) next() (typ watch.EventType, object []byte, err error) {
	searched := 0
	for {
		f.space()
		if searched < f.from {
			searched = f.from
		}
		// Servers end frames with a line feed, and have none within: it is escaped in strings.
		if n := bytes.IndexByte(f.buf[searched:f.to], '\n'); n >= 0 {
			end := searched + n
			if typ, object := plainFrame(f.buf[f.from:end]); object != nil {
				f.from = end + 1
				return typ, object, nil
			}
			if n := jsonscan.Skip(f.buf[f.from:f.to], 0); n > 0 {
				f.from += n
				return frameOf(f.buf[f.from-n : f.from])
			}
			searched = f.to
			if f.to > f.from && f.buf[f.from] != '{' {
				_, _, err := frameOf(f.buf[f.from:f.to])
				return "", nil, err
			}
		} else {
			searched = f.to
			if f.to > f.from && f.buf[f.to-1] == '}' { // a whole frame, of a server that has no line feeds
				if n := jsonscan.Skip(f.buf[f.from:f.to], 0); n > 0 {
					f.from += n
					return frameOf(f.buf[f.from-n : f.from])
				}
			}
		}
		if f.err != nil {
			return f.rest()
		}
		searched -= f.fill()
	}
}

// rest returns what stands at the end of the stream without a line feed, or why there is nothing more.
func (f *frames) rest() (watch.EventType, []byte, error) {
	rest := f.buf[f.from:f.to]
	switch n := jsonscan.Skip(rest, 0); {
	case n > 0:
		f.from += n
		return frameOf(rest[:n])
	case len(rest) > 0 && f.err == io.EOF: //nolint:errorlint // a reader returns it unwrapped
		return "", nil, io.ErrUnexpectedEOF
	}
	return "", nil, f.err
}

func (f *frames) space() {
	for f.from < f.to && f.buf[f.from] <= ' ' {
		f.from++
	}
}

// fill reads more. It returns by how much what is in the buffer has moved to the front.
func (f *frames) fill() (moved int) {
	switch {
	case f.from == f.to:
		moved, f.from, f.to = f.from, 0, 0
		if len(f.buf) > keptFrames || f.buf == nil {
			f.buf = make([]byte, firstFrames)
		}
	case f.to == len(f.buf) && f.from > len(f.buf)/2:
		moved = f.from
		f.to = copy(f.buf, f.buf[f.from:f.to])
		f.from = 0
	case f.to == len(f.buf):
		f.buf = append(f.buf, make([]byte, len(f.buf))...)
	}
	n, err := f.r.Read(f.buf[f.to:])
	f.to += n
	f.err = err
	return moved
}

// plainFrame takes a frame apart that is written as servers write it: {"type":"ADDED","object":{...}}. The object is
// nil where it is not.
func plainFrame(line []byte) (watch.EventType, []byte) {
	rest, ok := bytes.CutPrefix(line, []byte(`{"type":"`))
	if !ok {
		return "", nil
	}
	for _, typ := range [...]watch.EventType{watch.Added, watch.Modified, watch.Deleted, watch.Bookmark, watch.Error} {
		if object, ok := bytes.CutPrefix(rest, []byte(typ+`","object":{`)); ok && bytes.HasSuffix(object, []byte("}}")) {
			return typ, rest[len(typ)+len(`","object":`) : len(rest)-1]
		}
	}
	return "", nil
}

func frameOf(data []byte) (watch.EventType, []byte, error) {
	var frame struct {
		Type   watch.EventType `json:"type"`
		Object json.RawMessage `json:"object"`
	}
	err := json.Unmarshal(data, &frame)
	return frame.Type, frame.Object, err
}

// splitList takes a list apart, without decoding its items. Anything that is not as it should be goes to
// encoding/json, whose errors count: a list that is not read to its end must not pass for a short one.
func splitList(data []byte) (metadata []byte, items [][]byte, err error) {
	if metadata, items, ok := plainList(data); ok {
		return metadata, items, nil
	}
	var list struct {
		Metadata json.RawMessage   `json:"metadata"`
		Items    []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, nil, err
	}
	for _, item := range list.Items {
		items = append(items, item)
	}
	return list.Metadata, items, nil
}

// plainList splits a list that is written in one piece, without space between tokens.
func plainList(data []byte) (metadata []byte, items [][]byte, ok bool) {
	data = bytes.TrimRight(data, "\n")
	if len(data) < 2 || data[0] != '{' {
		return nil, nil, false
	}
	for i := 1; i < len(data); {
		end := jsonscan.Skip(data, i)
		if end < 0 || data[i] != '"' || end >= len(data) || data[end] != ':' {
			return nil, nil, false
		}
		key := string(data[i:end])
		i = end + 1
		if key == `"items"` && i < len(data) && data[i] == '[' {
			items, end = elements(data, i)
		} else if end = jsonscan.Skip(data, i); key == `"metadata"` && end > 0 {
			metadata = data[i:end]
		}
		if end < 0 || end >= len(data) {
			return nil, nil, false
		}
		if data[end] == '}' {
			return metadata, items, metadata != nil && end == len(data)-1
		}
		if data[end] != ',' {
			return nil, nil, false
		}
		i = end + 1
	}
	return nil, nil, false
}

// elements of the array that begins at data[i], and the index after it; -1 where it is not one without space.
func elements(data []byte, i int) (items [][]byte, after int) {
	if i++; i < len(data) && data[i] == ']' {
		return nil, i + 1
	}
	for i < len(data) {
		end := jsonscan.Skip(data, i)
		if end < 0 || end >= len(data) {
			return nil, -1
		}
		items = append(items, data[i:end:end])
		switch data[end] {
		case ',':
			i = end + 1
		case ']':
			return items, end + 1
		default:
			return nil, -1
		}
	}
	return nil, -1
}
