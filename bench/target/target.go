// Package target starts the servers that are compared: Keelson as one process, and etcd with kube-apiserver as two.
// Each start has an empty directory, ports of its own on loopback, TLS, and an administrator's client certificate.
package target

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A Target can start one kind of server.
type Target interface {
	// Name heads the target's column in the report.
	Name() string
	// Start runs the server with its state in dir, an empty directory, and returns when /readyz answers 200.
	Start(ctx context.Context, dir string) (*Running, error)
}

// Running is a started server and all that a client of it needs.
type Running struct {
	URL string // https://127.0.0.1:PORT
	// TLS trusts the server and holds the administrator's certificate. Clone it before changing it.
	TLS *tls.Config
	// Ready is the time from starting the API server's process to its first 200 on /readyz.
	Ready time.Duration

	processes []*process
}

// Stop ends the processes, the last started first, and waits for them. It kills those that take over ten seconds.
func (r *Running) Stop() error {
	var errs []error
	for i := len(r.processes) - 1; i >= 0; i-- {
		errs = append(errs, r.processes[i].stop())
	}
	return errors.Join(errs...)
}

// process is a child of ours whose output is kept in a file.
type process struct {
	cmd    *exec.Cmd
	log    string
	exited chan struct{} // closed when it has ended
}

// startProcess runs a binary with its output in dir/NAME.log.
func startProcess(dir, binary string, args ...string) (*process, error) {
	p := &process{log: filepath.Join(dir, filepath.Base(binary)+".log"), exited: make(chan struct{})}
	out, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	p.cmd = exec.Command(binary, args...)
	p.cmd.Stdout, p.cmd.Stderr = out, out
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", binary, err), out.Close())
	}
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait() // how it ended is told by stop and waitReady, which have the log at hand
		_ = out.Close()
	}()
	return p, nil
}

func (p *process) stop() error {
	select {
	case <-p.exited:
		return fmt.Errorf("%s had ended by itself (%v)", p.cmd.Path, p.cmd.ProcessState)
	default:
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.exited:
	case <-time.After(10 * time.Second):
		if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return err
		}
		<-p.exited
	}
	return nil
}

// tail returns the last lines that the process printed.
func (p *process) tail() string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-12):], "\n")
}

// waitReady asks url every 2 ms until it answers 200, the process ends, or 90 seconds have passed.
func waitReady(ctx context.Context, p *process, url string, conf *tls.Config) error {
	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	transport := &http.Transport{TLSClientConfig: conf}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		if ready(ctx, client, url) {
			return nil
		}
		select {
		case <-p.exited:
			return fmt.Errorf("%s ended before it was ready (%v):\n%s", p.cmd.Path, p.cmd.ProcessState, p.tail())
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w:\n%s", p.cmd.Path, ctx.Err(), p.tail())
		case <-tick.C:
		}
	}
}

// ready tells whether url answers 200. Whatever else happens means "not yet".
func ready(ctx context.Context, client *http.Client, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	defer func() { _ = resp.Body.Close() }()
	_, err = io.Copy(io.Discard, resp.Body) // else the connection cannot be used again
	return err == nil && resp.StatusCode == http.StatusOK
}

// freePort returns a TCP port that nobody listened on a moment ago.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
