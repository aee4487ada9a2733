package apiservertest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	kyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/keelson-project/keelson/internal/jsonscan"
)

const crdPath = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

// installCRDs creates the CRDs in a file or in the files of a folder.
func (s *Server) installCRDs(path string) error {
	files := []string{path}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.IsDir() {
		if files, err = filepath.Glob(filepath.Join(path, "*.y*ml")); err != nil {
			return err
		}
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := s.createCRDs(raw); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

// createCRDs creates those documents of a YAML file that are CRDs.
func (s *Server) createCRDs(raw []byte) error {
	docs, err := conversions().of(raw)
	if err != nil {
		return err
	}
	for _, doc := range docs {
		if err := s.createCRD(doc); err != nil {
			return err
		}
	}
	return nil
}

// converted are the CRDs of YAML files as JSON, by the content of the files. Most of a server's start with large CRDs is
// reading YAML, and the tests of a package start many servers with the same.
type converted struct {
	mu   sync.Mutex
	docs map[string][][]byte // at most keptFiles
}

const keptFiles = 1000

// conversions is one for the process: what it holds follows from the content.
var conversions = sync.OnceValue(func() *converted { return &converted{docs: map[string][][]byte{}} })

func (c *converted) of(raw []byte) ([][]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if docs, ok := c.docs[string(raw)]; ok {
		return docs, nil
	}
	docs, err := convert(raw)
	if err == nil && len(c.docs) < keptFiles {
		c.docs[string(raw)] = docs
	}
	return docs, err
}

func convert(raw []byte) (crds [][]byte, err error) {
	docs := kyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(raw)))
	for {
		doc, err := docs.Read()
		if errors.Is(err, io.EOF) {
			return crds, nil
		}
		if err != nil {
			return nil, err
		}
		doc, err = yaml.YAMLToJSON(doc)
		if err != nil {
			return nil, err
		}
		if jsonscan.String(jsonscan.Get(doc, "kind")) == "CustomResourceDefinition" {
			crds = append(crds, doc)
		}
	}
}

func (s *Server) createCRD(doc []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://keelson"+crdPath, bytes.NewReader(doc))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := s.Transport().RoundTrip(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusCreated {
		return fmt.Errorf("the server refused the CRD: %s", body)
	}
	return nil
}
