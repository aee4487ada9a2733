package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain is the program itself where a test runs this binary with the variable BE_KEELSON.
func TestMain(m *testing.M) {
	if os.Getenv("BE_KEELSON") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func keelson(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = []string{"BE_KEELSON=1", "HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH")}
	return cmd
}

// fails runs the program and returns what it says on stderr; it must exit with code 1.
func fails(t *testing.T, args ...string) string {
	t.Helper()
	cmd := keelson(t, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err == nil || cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("keelson %s: %v, want exit code 1", strings.Join(args, " "), err)
	}
	return stderr.String()
}

// server is a running `keelson up`.
type server struct {
	cmd                   *exec.Cmd
	url, data, kubeconfig string
	stderr                *bytes.Buffer
}

// start runs `keelson up` until it has said where it is.
func start(t *testing.T, args ...string) *server {
	t.Helper()
	s := &server{cmd: keelson(t, append([]string{"up", "--listen", "127.0.0.1:0"}, args...)...), stderr: &bytes.Buffer{}}
	s.cmd.Stderr = s.stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cmd.Process.Kill(); _ = s.cmd.Wait() })
	lines := bufio.NewScanner(out)
	for _, at := range []struct {
		name string
		to   *string
	}{{"server", &s.url}, {"data", &s.data}, {"kubeconfig", &s.kubeconfig}} {
		if !lines.Scan() {
			t.Fatalf("no line about %s; stderr: %s", at.name, s.stderr)
		}
		fields := strings.Fields(lines.Text())
		if len(fields) != 2 || fields[0] != at.name {
			t.Fatalf("want a line about %s, got %q", at.name, lines.Text())
		}
		*at.to = fields[1]
	}
	return s
}

// stop sends a signal and returns the rest of stdout's story: none, and exit code 0.
func (s *server) stop(t *testing.T, sig os.Signal) {
	t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("after %v: %v; stderr: %s", sig, err, s.stderr)
	}
}

// kubectl runs the kubectl inside.
func (s *server) kubectl(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	cmd := keelson(t, append([]string{"kubectl"}, args...)...)
	cmd.Env = append(cmd.Env, "KEELSON_DATA_DIR="+s.data)
	cmd.Stdin = strings.NewReader(stdin)
	var told strings.Builder // kubectl says there that it is built with the race detector, among other things
	cmd.Stderr = &told
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("kubectl %s: %v: %s%s", strings.Join(args, " "), err, out, &told)
	}
	return string(out)
}

func TestDataStays(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := start(t, "--data-dir", dir)
	s.kubectl(t, "", "create", "configmap", "kept", "--from-literal=a=b")
	s.stop(t, os.Interrupt)
	s = start(t, "--data-dir", dir)
	if got := s.kubectl(t, "", "get", "configmap", "kept", "-o", "jsonpath={.data.a}"); got != "b" {
		t.Errorf("after a restart: %q", got)
	}
	s.stop(t, syscall.SIGTERM)
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the data directory has mode %v (%v)", info.Mode(), err)
	}
	if info, err := os.Stat(s.kubeconfig); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the kubeconfig has mode %v (%v)", info.Mode(), err)
	}
}

func TestWhoGetsIn(t *testing.T) {
	tokens := filepath.Join(t.TempDir(), "tokens.csv")
	if err := os.WriteFile(tokens, []byte("boss,boss,1,system:masters\nmaid,maid,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, "--data-dir", t.TempDir(), "--storage", "memory", "--token-auth-file", tokens)
	for _, tc := range []struct {
		who, path string
		code      int
		want      string
	}{
		{"", "/api", 401, `"reason": ?"Unauthorized"`},
		{"nobody", "/api", 401, `"kind": ?"Status"`},
		{"admin", "/api", 200, `"kind": ?"APIVersions"`},
		{"boss", "/api", 200, `"kind": ?"APIVersions"`},
		{"maid", "/api/v1/namespaces/default/pods", 403, `pods is forbidden: User \\"maid\\" cannot list resource \\"pods\\" in API group \\"\\" in the namespace \\"default\\"`},
		{"", "/readyz", 200, `^ok$`},
		{"", "/metrics", 401, `Unauthorized`},
		{"admin", "/metrics", 200, `apiserver_request_total\{`},
	} {
		res := s.get(t, tc.path, tc.who)
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != tc.code || !regexp.MustCompile(tc.want).Match(body) {
			t.Errorf("%q gets %s: %d %.300s (%v), want %d %s", tc.who, tc.path, res.StatusCode, body, err, tc.code, tc.want)
		}
	}
	s.stop(t, os.Interrupt)
}

// get asks as the administrator, with a token, or ("") without credentials.
func (s *server) get(t *testing.T, path, who string) *http.Response {
	t.Helper()
	ca, err := os.ReadFile(filepath.Join(s.data, "pki", "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	config := &tls.Config{RootCAs: roots}
	if who == "admin" {
		admin := filepath.Join(s.data, "pki", "admin.pem")
		pair, err := tls.LoadX509KeyPair(admin, admin)
		if err != nil {
			t.Fatal(err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	tr := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
	t.Cleanup(tr.CloseIdleConnections)
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, s.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if who != "" && who != "admin" {
		req.Header.Set("Authorization", "Bearer "+who)
	}
	res, err := (&http.Client{Transport: tr}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestOneClearLine(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = busy.Close() }()
	foreign, file := t.TempDir(), filepath.Join(t.TempDir(), "file")
	for _, path := range []string{filepath.Join(foreign, "thesis.tex"), file} {
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	used := start(t, "--data-dir", t.TempDir(), "--storage", "memory")
	fresh := []string{"--data-dir", filepath.Join(t.TempDir(), "d"), "--listen", "127.0.0.1:0"}
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"--listen", busy.Addr().String()}, busy.Addr().String() + " is in use by another program; stop that or choose another address with --listen"},
		{[]string{"--data-dir", foreign}, foreign + " is not a data directory of Keelson, and it is not empty (there is thesis.tex); choose another with --data-dir"},
		{[]string{"--data-dir", file}, "the data directory " + file + " cannot be used: not a directory"},
		{[]string{"--data-dir", "/proc/nothing"}, "the data directory /proc/nothing cannot be used: no such file or directory"},
		{[]string{"--data-dir", used.data}, "the data directory " + used.data + " is in use by another Keelson; stop that or choose another with --data-dir"},
		{[]string{"--frobnicate"}, "unknown flag: --frobnicate"},
		{[]string{"extra"}, `unknown command "extra" for "keelson up"`},
		{[]string{"--listen", "6443"}, `--listen "6443": want HOST:PORT`},
		{[]string{"--listen", "localhost:https"}, `--listen "localhost:https": the port must be a number up to 65535`},
		{[]string{"--storage", "tape"}, `--storage "tape": want embedded or memory`},
		{[]string{"--storage", "memory", "--etcd-servers", "http://127.0.0.1:1"}, "--storage and --etcd-servers exclude each other"},
		{[]string{"--etcd-cafile", "x"}, "--etcd-cafile, --etcd-certfile and --etcd-keyfile need --etcd-servers"},
		{[]string{"--etcd-servers", "https://127.0.0.1:1", "--etcd-certfile", "x"}, "--etcd-certfile and --etcd-keyfile need each other"},
		{[]string{"--token-auth-file", file}, "token file " + file + ": line 1: want at least 3 columns (token, user, uid), found 1"},
	} {
		args := append([]string{"up"}, fresh...) // the later of two flags counts
		if got, want := fails(t, append(args, tc.args...)...), "keelson: "+tc.want+"\n"; got != want {
			t.Errorf("%v says\n  %swant\n  %s", tc.args, got, want)
		}
	}
	if got, want := fails(t, "down"), "keelson: unknown command \"down\" for \"keelson\"\n"; got != want {
		t.Errorf("keelson down says %q, want %q", got, want)
	}
	used.stop(t, os.Interrupt)
}

func TestVersion(t *testing.T) {
	out, err := keelson(t, "version").Output()
	if err != nil || !regexp.MustCompile(`^keelson \S+, k8s.io/api \S+, go\S+, \w+/\w+\n$`).Match(out) {
		t.Errorf("%q %v", out, err)
	}
}
