// Package source reads the YAML that tools are given (files, folders, standard input, several documents in one)
// and remembers where each value stands, so that what a tool says of a field points to a line.
//
//	docs, err := source.Read([]string{"config/crd", "-"}, os.Stdin)
//	for _, d := range docs {
//		c, err := d.CRD()
//		fmt.Printf("%s:%d: %s\n", d.File, d.LineOf("spec.versions[0].name"), c.Name)
//	}
package source

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	sigsyaml "sigs.k8s.io/yaml"
)

// Document is one object of a YAML or JSON file. Its methods must not be called at the same time.
type Document struct {
	File string // as it was named; "<stdin>" for "-"
	Line int    // where the document starts in the file, from 1
	Raw  []byte // the text, as it stands; of an item of a List, written anew
	JSON []byte // the value, read as Kubernetes reads YAML
	// Start is the line of the file that Raw starts in, before any comments; 0 for an item of a List.
	Start int

	APIVersion, Kind, Namespace, Name string

	parsed bool
	root   *yaml.Node // see node
}

// IsCRD says whether the document is a CustomResourceDefinition, of any version.
func (d *Document) IsCRD() bool {
	group, _, _ := strings.Cut(d.APIVersion, "/")
	return group == apiextensionsv1.GroupName && d.Kind == "CustomResourceDefinition"
}

// CRD decodes a CustomResourceDefinition of apiextensions.k8s.io/v1. Fields that it does not know are dropped.
func (d *Document) CRD() (*apiextensionsv1.CustomResourceDefinition, error) {
	if !d.IsCRD() {
		return nil, fmt.Errorf("%s:%d: want a CustomResourceDefinition, got %s %s", d.File, d.Line, d.APIVersion, d.Kind)
	}
	if want := apiextensionsv1.SchemeGroupVersion.String(); d.APIVersion != want {
		return nil, fmt.Errorf("%s:%d: %s is not served any more; write it as %s", d.File, d.Line, d.APIVersion, want)
	}
	c := &apiextensionsv1.CustomResourceDefinition{}
	if err := sigsyaml.Unmarshal(d.JSON, c); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", d.File, d.Line, err)
	}
	return c, nil
}

// Read returns the documents of files, of the YAML and JSON files below folders (in the order of their paths), and
// of stdin for "-". Empty documents are left out, and Lists are taken apart. The first file that cannot be read is
// the error.
func Read(paths []string, stdin io.Reader) ([]*Document, error) {
	var docs []*Document
	for _, path := range paths {
		files, err := expand(path)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			raw, name, err := content(file, stdin)
			if err != nil {
				return nil, err
			}
			more, err := Parse(name, raw)
			if err != nil {
				return nil, err
			}
			docs = append(docs, more...)
		}
	}
	return docs, nil
}

// ReadCRDs returns those documents that are CustomResourceDefinitions. There being none is an error.
func ReadCRDs(paths []string, stdin io.Reader) ([]*Document, error) {
	docs, err := Read(paths, stdin)
	if err != nil {
		return nil, err
	}
	var crds []*Document
	for _, d := range docs {
		if d.IsCRD() {
			crds = append(crds, d)
		}
	}
	if len(crds) == 0 {
		return nil, fmt.Errorf("there is no CustomResourceDefinition in %s", strings.Join(paths, ", "))
	}
	return crds, nil
}

// expand returns path, or the files of the folder that it is.
func expand(path string) ([]string, error) {
	if path == "-" {
		return []string{path}, nil
	}
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return []string{path}, err
	}
	var files []string
	err = filepath.WalkDir(path, func(at string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		switch filepath.Ext(at) {
		case ".yaml", ".yml", ".json":
			files = append(files, at)
		}
		return nil
	})
	return files, err
}

func content(file string, stdin io.Reader) (raw []byte, name string, err error) {
	if file == "-" {
		raw, err = io.ReadAll(stdin)
		return raw, "<stdin>", err
	}
	raw, err = os.ReadFile(file)
	return raw, file, err
}

// Parse returns the documents of one file's text.
func Parse(file string, raw []byte) ([]*Document, error) {
	var docs []*Document
	add := func(line int, text []byte) error {
		more, err := parseOne(file, line, text)
		docs = append(docs, more...)
		return err
	}
	line, first, start, at := 1, 1, 0, 0 // of the line at hand, and of its document
	for text := range bytes.Lines(raw) {
		if isSeparator(text) {
			if err := add(first, raw[start:at]); err != nil {
				return nil, err
			}
			start, first = at+len(text), line+1
		}
		at += len(text)
		line++
	}
	if err := add(first, raw[start:]); err != nil {
		return nil, err
	}
	return docs, nil
}

// isSeparator says whether a line ends a document, and holds nothing of the next one.
func isSeparator(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte("---"))
	rest = bytes.TrimSpace(rest)
	return ok && (len(rest) == 0 || rest[0] == '#')
}

func parseOne(file string, line int, text []byte) ([]*Document, error) {
	d := &Document{File: file, Line: line + leading(text), Raw: text, Start: line}
	value, err := sigsyaml.YAMLToJSON(text)
	if err != nil {
		return nil, fmt.Errorf("%s: the document at line %d: %w", file, line, err)
	}
	if string(value) == "null" {
		return nil, nil
	}
	d.JSON = value
	return d.identify()
}

// leading counts the lines before the first one that says something.
func leading(text []byte) int {
	n := 0
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' && line[0] != '%' {
			return n
		}
		n++
	}
	return 0
}

// identify reads what the object says of itself, and takes a List apart.
func (d *Document) identify() ([]*Document, error) {
	var head struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Metadata   struct {
			Namespace string `json:"namespace"`
			Name      string `json:"name"`
		} `json:"metadata"`
		Items []map[string]any `json:"items"`
	}
	// Where it is no object, whoever sends it hears so from the server.
	_ = sigsyaml.Unmarshal(d.JSON, &head)
	d.APIVersion, d.Kind = head.APIVersion, head.Kind
	d.Namespace, d.Name = head.Metadata.Namespace, head.Metadata.Name
	if d.Kind != "List" || d.APIVersion != "v1" {
		return []*Document{d}, nil
	}
	var docs []*Document
	items := child(d.node(), "items")
	for i, item := range head.Items {
		raw, err := sigsyaml.Marshal(item)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", d.File, d.Line, err)
		}
		value, err := sigsyaml.YAMLToJSON(raw)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", d.File, d.Line, err)
		}
		one := &Document{File: d.File, Line: d.Line, Raw: raw, JSON: value, parsed: true}
		if items != nil && i < len(items.Content) {
			one.root = items.Content[i]
			one.Line = one.root.Line
		}
		more, err := one.identify()
		if err != nil {
			return nil, err
		}
		docs = append(docs, more...)
	}
	return docs, nil
}
