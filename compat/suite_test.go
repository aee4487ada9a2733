package compat

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// suite is the server under test. TestMain sets it once, before any test runs.
var suite struct {
	binary     string // keelson, which holds kubectl
	kubeconfig string
	server     *keelson // nil where it is not ours
}

// keelson is a server that runs.
type keelson struct {
	process    *os.Process
	kubeconfig string
	log        string        // the file in which all is that it writes
	gone       chan struct{} // closed when it has ended
	err        error         // of its end
}

// stop ends the server.
func (s *keelson) stop() error {
	err := s.process.Signal(syscall.SIGTERM)
	<-s.gone
	return errors.Join(err, s.err)
}

// serverPID is that of the server under test, 0 where it is not ours.
func serverPID() int {
	if suite.server == nil {
		return 0
	}
	return suite.server.process.Pid
}

func TestMain(m *testing.M) {
	if len(os.Args) > 4 && os.Args[1] == limitedCommand {
		os.Exit(limited(os.Args[2:]))
	}
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "compat:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	binary := os.Getenv("KEELSON")
	if binary == "" {
		binary = "../bin/keelson"
	}
	if suite.binary, err = filepath.Abs(binary); err != nil {
		return 0, err
	}
	if suite.kubeconfig = os.Getenv("KEELSON_COMPAT_KUBECONFIG"); suite.kubeconfig != "" {
		return m.Run(), nil
	}
	dir, err := os.MkdirTemp("", "keelson-compat-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if suite.server, err = startServer(dir); err != nil {
		return 0, fmt.Errorf("%w (is the binary built? `make build`)", err)
	}
	suite.kubeconfig = suite.server.kubeconfig
	defer func() { err = errors.Join(err, suite.server.stop()) }()
	return m.Run(), nil
}

// startServer runs keelson on a free port with its data in dir/data and returns when it is ready.
func startServer(dir string) (*keelson, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	s := &keelson{kubeconfig: filepath.Join(data, "kubeconfig"), log: filepath.Join(dir, "server.log"), gone: make(chan struct{})}
	output, err := os.Create(s.log)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(suite.binary, "up", "--data-dir", data, "--listen", addr)
	cmd.Stdout, cmd.Stderr = output, output
	if err := errors.Join(cmd.Start(), output.Close()); err != nil {
		return nil, err
	}
	s.process = cmd.Process
	go func() {
		s.err = cmd.Wait()
		close(s.gone)
	}()
	if err := waitReady("https://" + addr + "/readyz"); err != nil {
		err = errors.Join(err, s.stop())
		text, _ := os.ReadFile(s.log)
		return nil, fmt.Errorf("%w:\n%s", err, text)
	}
	return s, nil
}

func waitReady(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer client.CloseIdleConnections()
	for tick := time.NewTicker(10 * time.Millisecond); ; {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		if resp, err := client.Do(req); err == nil {
			if err := resp.Body.Close(); err != nil {
				return err
			}
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", url, ctx.Err())
		case <-tick.C:
		}
	}
}

// ours tells whether the server is Keelson, started here.
func ours() bool { return os.Getenv("KEELSON_COMPAT_KUBECONFIG") == "" }

// restConfig is the administrator's, without the client's own rate limit.
func restConfig(t *testing.T) *rest.Config {
	t.Helper()
	c, err := clientcmd.BuildConfigFromFlags("", suite.kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	c.QPS = -1
	return c
}

// TestStories runs testdata/*.txtar, each in a namespace of its own with a kubectl that finds the server.
func TestStories(t *testing.T) { stories(t, "testdata") }

// TestHelm runs testdata/helm/*.txtar with the helm that HELM names.
func TestHelm(t *testing.T) {
	helm := os.Getenv("HELM")
	if helm == "" {
		t.Skip("HELM NAMES NO BINARY, SO NOTHING IS KNOWN OF HELM: GOBIN=/tmp/helm go install helm.sh/helm/v3/cmd/helm@latest, and HELM=/tmp/helm/helm")
	}
	t.Setenv("PATH", filepath.Dir(helm)+string(os.PathListSeparator)+os.Getenv("PATH"))
	stories(t, filepath.Join("testdata", "helm"))
}

func stories(t *testing.T, dir string) {
	t.Helper()
	testscript.Run(t, testscript.Params{
		Dir:           dir,
		UpdateScripts: *record, // what cmp compares with
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			script := fmt.Sprintf("#!/bin/sh\nexec %s \"$@\"\n", quoted(limitedArgs())) // for what runs in the background
			if err := os.WriteFile(filepath.Join(e.WorkDir, "kubectl"), []byte(script), 0o755); err != nil {
				return err
			}
			e.Setenv("PATH", e.WorkDir+string(os.PathListSeparator)+e.Getenv("PATH"))
			e.Setenv("KUBECONFIG", suite.kubeconfig)
			e.Setenv("KUBECTL_KUBERC", "false")
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond != "keelson" {
				return false, fmt.Errorf("unknown condition %q", cond)
			}
			return ours(), nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"kubectl": kubectl,
			"retry":   retry,
			"anon":    anonymous,
		},
	})
}

// kubectl is `kubectl ARGS...`; with a leading ! it must fail.
func kubectl(ts *testscript.TestScript, neg bool, args []string) {
	err := execKubectl(ts, args)
	if neg != (err != nil) {
		ts.Fatalf("kubectl %q: %v", args, err)
	}
}

// execKubectl ends the story where kubectl hangs.
func execKubectl(ts *testscript.TestScript, args []string) error {
	command := limitedArgs(args...)
	err := ts.Exec(command[0], command[1:]...)
	if why := hung(err); why != "" {
		ts.Fatalf("kubectl %q: %s", args, why)
	}
	return err
}

// quoted is a command line for a shell.
func quoted(args []string) string {
	var out []string
	for _, a := range args {
		out = append(out, strconv.Quote(a))
	}
	return strings.Join(out, " ")
}

// retry is `retry ARGS...`: kubectl, tried until it succeeds or 20 seconds have passed. It is for kube-apiserver, where
// a new type is served some time after its CRD; on Keelson the stories must not need it for that.
func retry(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("! retry says nothing")
	}
	deadline := time.Now().Add(20 * time.Second)
	for {
		err := execKubectl(ts, args)
		if err == nil {
			return
		}
		if ours() || time.Now().After(deadline) {
			ts.Fatalf("kubectl %q: %v", args, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// anonymous is `anon PATH`: prints the status line and the body of a GET without credentials.
func anonymous(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: anon PATH")
	}
	c, err := clientcmd.BuildConfigFromFlags("", suite.kubeconfig)
	ts.Check(err)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer client.CloseIdleConnections()
	resp, err := client.Get(c.Host + args[0])
	ts.Check(err)
	var body bytes.Buffer
	_, err = body.ReadFrom(resp.Body)
	ts.Check(errors.Join(err, resp.Body.Close()))
	_, err = fmt.Fprintf(ts.Stdout(), "%s\n%s\n", resp.Status, body.String())
	ts.Check(err)
}
