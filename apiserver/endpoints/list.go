package endpoints

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strconv"
	"sync"

	"github.com/keelson-project/keelson/apiserver/registry"
	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/internal/accept"
	"github.com/keelson-project/keelson/internal/gzipped"
)

func (c *call) list() error {
	out, err := c.negotiate(true)
	if err != nil {
		return err
	}
	if c.info.Name != "" {
		return accept.MethodNotAllowed()
	}
	q, err := parseListQuery(c.r.URL.Query(), false)
	if err != nil {
		return err
	}
	c.t.MetadataOnly = out.metadataOnly()
	l, err := c.api.registry.List(c.r.Context(), c.t, q.ListOptions)
	if err != nil {
		return err
	}
	return c.writeList(out, l)
}

// writeList streams a list: the bytes of its objects go from the cache to the connection without being decoded
// or gathered.
func (c *call) writeList(out output, l *registry.List) error {
	if out.as == "Table" {
		t, err := c.newTable(out)
		if err != nil {
			return err
		}
		data, err := t.list(c.r.Context(), l)
		if err != nil {
			return err
		}
		writeObject(c.w, c.r, out, http.StatusOK, data)
		return nil
	}
	if out.pretty || out.encoding == encodeYAML {
		var b bytes.Buffer
		if err := c.streamList(&b, out, l); err != nil {
			return err
		}
		writeObject(c.w, c.r, out, http.StatusOK, b.Bytes())
		return nil
	}
	h := c.w.Header()
	h.Set("Content-Type", out.contentType())
	h.Set("Cache-Control", "no-cache, private")
	sink := &sink{Writer: c.w}
	if c.r.Method == http.MethodHead {
		sink.Writer = io.Discard
	}
	var w io.Writer = sink
	var z io.WriteCloser
	if l.Len() > gzipListLen && wantsGzip(c.r) {
		h.Set("Content-Encoding", "gzip")
		h.Add("Vary", "Accept-Encoding")
		z = gzipped.NewWriter(sink)
		w = z
	}
	buf := listBuffers.Get().(*bufio.Writer)
	defer listBuffers.Put(buf)
	buf.Reset(w)
	if err := c.streamList(buf, out, l); err != nil {
		if !sink.written { // nothing has left yet: the client can still be told
			h.Del("Content-Encoding")
			return err
		}
		panic(http.ErrAbortHandler) // the client must not take half a list for a whole one
	}
	_ = buf.Flush()
	if z != nil {
		_ = z.Close()
	}
	return nil
}

// sink knows whether anything was written to it.
type sink struct {
	io.Writer
	written bool
}

func (s *sink) Write(b []byte) (int, error) {
	s.written = true
	return s.Writer.Write(b)
}

// gzipListLen is about how many objects make an answer worth compressing.
const gzipListLen = 64

var listBuffers = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, 64<<10) }}

type byteWriter interface {
	io.Writer
	io.StringWriter
	io.ByteWriter
}

func (c *call) streamList(w byteWriter, out output, l *registry.List) error {
	kind, apiVersion := c.t.Def.Names.ListKind, c.t.Def.APIVersion(c.t.Version.Name)
	partial := out.as == "PartialObjectMetadataList" || out.as == "PartialObjectMetadata"
	if partial {
		kind, apiVersion = "PartialObjectMetadataList", "meta.k8s.io/"+out.table
	}
	_, _ = w.WriteString(`{"kind":"` + kind + `","apiVersion":"` + apiVersion + `","metadata":`)
	writeListMeta(w, l, c.t.Def.Custom && !partial)
	_, _ = w.WriteString(`,"items":[`)
	first := true
	for data, err := range l.Objects(c.r.Context()) {
		if err != nil {
			return err
		}
		if !first {
			_ = w.WriteByte(',')
		}
		first = false
		if partial {
			data = resource.PartialMetadata(data, out.table)
		}
		if _, err := w.Write(data); err != nil {
			return nil // the client has gone; there is nobody to tell
		}
	}
	_, _ = w.WriteString("]}\n")
	return nil
}

// writeListMeta writes the metadata of a list; always says that the token of the next page is there, if only empty, as
// in Kubernetes' lists of custom objects.
func writeListMeta(w byteWriter, l *registry.List, always bool) {
	_, _ = w.WriteString(`{"resourceVersion":"` + strconv.FormatInt(int64(l.Revision), 10) + `"`)
	if l.Continue != "" || always {
		_, _ = w.WriteString(`,"continue":"` + l.Continue + `"`)
	}
	if l.Remaining != nil {
		_, _ = w.WriteString(`,"remainingItemCount":` + strconv.FormatInt(*l.Remaining, 10))
	}
	if l.Shards != "" {
		_, _ = w.WriteString(`,"shardInfo":{"selector":"` + l.Shards + `"}`)
	}
	_ = w.WriteByte('}')
}
