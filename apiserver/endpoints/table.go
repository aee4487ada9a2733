package endpoints

import (
	"bytes"
	"context"
	"encoding/json"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/keelson-project/keelson/apiserver/registry"
	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/internal/jsonscan"
)

// table writes meta.k8s.io Tables: one row an object, cells read where they stand wherever a column says so.
type table struct {
	columns []resource.Column
	version string
	include string // None, Metadata or Object
	now     time.Time
	decode  bool // some column needs the decoded object
	header  bool // whether columnDefinitions are still to be sent
}

func (c *call) newTable(out output) (*table, error) {
	t := &table{columns: withName(c.t.Version.Columns), version: out.table, include: "Metadata", now: c.api.options.Now(), header: true}
	switch v := c.r.URL.Query().Get("includeObject"); v {
	case "":
	case "None", "Metadata", "Object":
		t.include = v
	default:
		return nil, apierrors.NewBadRequest("unrecognized includeObject value: " + strconv.Quote(v))
	}
	for i := range t.columns {
		if len(t.columns[i].Path) == 0 {
			t.decode = true
		}
	}
	return t, nil
}

func (t *table) list(ctx context.Context, l *registry.List) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(256 * (l.Len() + 2))
	t.open(&b)
	writeListMeta(&b, l, false)
	t.definitions(&b)
	b.WriteString(`,"rows":[`)
	first := true
	for data, err := range l.Objects(ctx) {
		if err != nil {
			return nil, err
		}
		if !first {
			b.WriteByte(',')
		}
		first = false
		if err := t.row(&b, data); err != nil {
			return nil, err
		}
	}
	b.WriteString("]}\n")
	return b.Bytes(), nil
}

// single is the Table of one object; its metadata carries the object's resourceVersion.
func (t *table) single(_ context.Context, data []byte) ([]byte, error) {
	var b bytes.Buffer
	t.open(&b)
	rv := jsonscan.String(jsonscan.Get(data, "metadata", "resourceVersion"))
	b.WriteString(`{"resourceVersion":"` + rv + `"}`)
	t.definitions(&b)
	b.WriteString(`,"rows":[`)
	if err := t.row(&b, data); err != nil {
		return nil, err
	}
	b.WriteString("]}")
	return b.Bytes(), nil
}

func (t *table) open(b *bytes.Buffer) {
	b.WriteString(`{"kind":"Table","apiVersion":"meta.k8s.io/` + t.version + `","metadata":`)
}

// withName puts the name in front, unless the kind has a place of its own for it.
func withName(columns []resource.Column) []resource.Column {
	for i := range columns {
		if columns[i].Format == "name" {
			return columns
		}
	}
	return append([]resource.Column{nameColumn}, columns...)
}

// nameColumn comes first in most tables.
var nameColumn = resource.Column{
	Name: "Name", Type: "string", Format: "name", Path: []string{"metadata", "name"},
	Description: "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names",
}

func (t *table) definitions(b *bytes.Buffer) {
	b.WriteString(`,"columnDefinitions":[`)
	if t.header {
		for i := range t.columns {
			if i > 0 {
				b.WriteByte(',')
			}
			t.definition(b, &t.columns[i])
		}
	}
	b.WriteByte(']')
}

func (t *table) definition(b *bytes.Buffer, c *resource.Column) {
	raw, _ := json.Marshal(struct {
		Name        string `json:"name"`
		Type        string `json:"type"`
		Format      string `json:"format"`
		Description string `json:"description"`
		Priority    int32  `json:"priority"`
	}{c.Name, c.Type, c.Format, c.Description, c.Priority})
	b.Write(raw)
}

func (t *table) row(b *bytes.Buffer, data []byte) error {
	b.WriteString(`{"cells":[`)
	var obj resource.Object
	if t.decode {
		var err error
		if obj, err = resource.Decode(data); err != nil {
			return err
		}
	}
	for i := range t.columns {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := t.cell(b, &t.columns[i], data, obj); err != nil {
			return err
		}
	}
	b.WriteString(`]`)
	switch t.include {
	case "Metadata":
		b.WriteString(`,"object":`)
		b.Write(resource.PartialMetadata(data, t.version))
	case "Object":
		b.WriteString(`,"object":`)
		b.Write(data)
	default:
		b.WriteString(`,"object":null`)
	}
	b.WriteByte('}')
	return nil
}

func (t *table) cell(b *bytes.Buffer, c *resource.Column, data []byte, obj resource.Object) error {
	if len(c.Path) > 0 {
		t.rawCell(b, c, jsonscan.Get(data, c.Path...))
		return nil
	}
	v := c.Value(obj)
	if v == nil {
		b.WriteString("null")
		return nil
	}
	if s, ok := v.(string); ok && c.Type == "date" && !c.Verbatim {
		v = t.age(s)
	}
	raw, err := resource.AppendValue(nil, v)
	b.Write(raw)
	return err
}

// rawCell writes a value as it stands in the object, if it is of the column's type.
func (t *table) rawCell(b *bytes.Buffer, c *resource.Column, raw []byte) {
	if len(raw) == 0 || string(raw) == "null" {
		b.WriteString("null")
		return
	}
	if c.Verbatim {
		b.Write(raw)
		return
	}
	switch c.Type {
	case "date":
		age, _ := json.Marshal(t.age(jsonscan.String(raw)))
		b.Write(age)
	case "string":
		if raw[0] == '"' {
			b.Write(raw)
			return
		}
		text, _ := json.Marshal(string(raw))
		b.Write(text)
	default:
		b.Write(raw)
	}
}

// age is how long ago a timestamp was, as kubectl prints it.
func (t *table) age(timestamp string) string {
	if timestamp == "" {
		return "<unknown>"
	}
	at, err := time.Parse(time.RFC3339, timestamp)
	if err != nil {
		return "<invalid>"
	}
	return duration.HumanDuration(t.now.Sub(at))
}
