package crd_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/storage/memory"
)

const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

// world is a server to tell stories to, and a way behind its back.
type world struct {
	url     string
	client  *http.Client
	put     func(key string, value []byte) error
	told    atomic.Int32
	settles time.Duration // how long nothing has to change until nothing will
}

// ourWorld is a Keelson on a memory store.
func ourWorld(t testing.TB) *world {
	store := memory.New(memory.Options{})
	t.Cleanup(func() { _ = store.Close() })
	s := apiservertest.Start(t, apiservertest.Options{Store: store})
	return &world{url: s.URL, client: s.Client(), put: func(key string, value []byte) error {
		_, err := store.Put(context.Background(), key, value, 0, storage.PutOptions{})
		return err
	}}
}

// peerWorld is the kube-apiserver that bench/cmd/peer runs in a folder.
func peerWorld(t testing.TB, dir string) *world {
	pki := func(name string) string { return filepath.Join(dir, "pki", name) }
	dial := func(cert string) *http.Client {
		pair, err := tls.LoadX509KeyPair(pki(cert+".crt"), pki(cert+".key"))
		if err != nil {
			t.Fatal(err)
		}
		ca, err := os.ReadFile(pki("ca.crt"))
		if err != nil {
			t.Fatal(err)
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(ca)
		return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: pool, MinVersion: tls.VersionTLS12}}}
	}
	find := func(file, pattern string) string {
		raw, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		m := regexp.MustCompile(pattern).FindSubmatch(raw)
		if m == nil {
			t.Fatalf("%s names no server", file)
		}
		return string(m[1])
	}
	etcd, etcdURL := dial("etcd-client"), find("etcd.log", `"advertise-client-urls":\["(https://[0-9.:]+)`)
	return &world{
		url: find("kubeconfig", `server: "?(https://[0-9.:]+)`), client: dial("admin"), settles: 400 * time.Millisecond,
		put: func(key string, value []byte) error {
			body := fmt.Sprintf(`{"key":%q,"value":%q}`, base64.StdEncoding.EncodeToString([]byte(key)), base64.StdEncoding.EncodeToString(value))
			res, err := etcd.Post(etcdURL+"/v3/kv/put", "application/json", bytes.NewReader([]byte(body)))
			if err != nil {
				return err
			}
			defer func() { _ = res.Body.Close() }()
			if res.StatusCode != http.StatusOK {
				return errors.New(res.Status)
			}
			return nil
		},
	}
}

// reply is an answer of a server.
type reply struct {
	code   int
	header http.Header
	body   []byte
}

func (w *world) send(method, path string, body any) (reply, error) {
	var r io.Reader
	if raw, ok := body.([]byte); ok {
		r = bytes.NewReader(raw)
	} else if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return reply{}, err
		}
		r = bytes.NewReader(raw)
	}
	req, err := http.NewRequest(method, w.url+path, r)
	if err != nil {
		return reply{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := w.client.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Header, raw}, err
}
