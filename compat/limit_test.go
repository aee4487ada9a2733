package compat

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// kubectlLimit is what one kubectl may take on a busy machine; what it waits for by itself takes 30 seconds at most.
	kubectlLimit = 2 * time.Minute
	// tooLong is the exit code of limited where the limit ended its command.
	tooLong = 124
	// limitedCommand is the first argument by which the test's binary knows that it is limited.
	limitedCommand = "limited"
)

// limitedArgs is a command line that runs kubectl with a time limit, by way of this binary: whoever runs it (a script,
// perhaps in the background) needs to know nothing.
func limitedArgs(args ...string) []string {
	return limitedFor(kubectlLimit, serverPID(), append([]string{suite.binary, "kubectl"}, args...)...)
}

func limitedFor(limit time.Duration, server int, command ...string) []string {
	return append([]string{testBinary(), limitedCommand, limit.String(), strconv.Itoa(server)}, command...)
}

func testBinary() string {
	path, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return path
}

// limited runs args[2:] for as long as args[0] says. What has not ended then gets SIGQUIT, at which a Go program tells what
// its goroutines do, and so does the process args[1], unless that is 0: the server that it may be waiting for.
func limited(args []string) (code int) {
	limit, err := time.ParseDuration(args[0])
	server, err2 := strconv.Atoi(args[1])
	if err := errors.Join(err, err2); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[2], args[3:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGQUIT) }
	cmd.WaitDelay = 10 * time.Second
	err = cmd.Run()
	if ctx.Err() != nil {
		fmt.Fprintf(os.Stderr, "%q took longer than %s\n", args[2:], limit)
		if server != 0 {
			if err := syscall.Kill(server, syscall.SIGQUIT); err != nil {
				fmt.Fprintln(os.Stderr, "the server:", err)
			}
		}
		return tooLong
	}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return max(exit.ExitCode(), 1)
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// hung returns what is known where err is that of a command which its limit ended, "" where it is not: all that the server
// wrote, with its goroutines at the end.
func hung(err error) string {
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != tooLong {
		return ""
	}
	return lastWords()
}

// lastWords is all that a server wrote which gets SIGQUIT.
func lastWords() string {
	if suite.server == nil {
		return "a command hung; the server is not ours to ask"
	}
	select {
	case <-suite.server.gone:
	case <-time.After(20 * time.Second):
	}
	output, err := os.ReadFile(suite.server.log)
	if err != nil {
		return err.Error()
	}
	return "a command hung, and the server was stopped for it, so that all tests after this one fail. It says:\n" + string(output)
}

// TestLimit has a command and a server that hang.
func TestLimit(t *testing.T) {
	server := exec.Command("sleep", "600")
	check(t, server.Start())
	gone := make(chan error, 1)
	go func() { gone <- server.Wait() }()
	args := limitedFor(50*time.Millisecond, server.Process.Pid, "sh", "-c", "echo begun; exec sleep 600")
	out, err := exec.CommandContext(t.Context(), args[0], args[1:]...).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != tooLong {
		t.Errorf("got %v", err)
	}
	if text := string(out); !strings.HasPrefix(text, "begun\n") || !strings.Contains(text, "took longer than 50ms") {
		t.Errorf("got %q", text)
	}
	err = <-gone
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGQUIT {
		t.Errorf("the server: %v", err)
	}

	args = limitedFor(time.Minute, 0, "sh", "-c", `cat; echo told >&2; exit 7`)
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Stdin = strings.NewReader("typed ")
	out, err = cmd.CombinedOutput()
	if !errors.As(err, &exit) || exit.ExitCode() != 7 || string(out) != "typed told\n" {
		t.Errorf("got %v and %q", err, out)
	}
	if hung(err) != "" {
		t.Error("a command that fails has not hung")
	}
}

// TestServerTellsItsGoroutines asks a server of its own for what a hang would show.
func TestServerTellsItsGoroutines(t *testing.T) {
	s, err := startServer(t.TempDir())
	check(t, err)
	check(t, s.process.Signal(syscall.SIGQUIT))
	<-s.gone
	output, err := os.ReadFile(s.log)
	check(t, err)
	for _, want := range []string{"server      https://", "SIGQUIT: quit", "goroutine ", filepath.Join("apiserver", "server.go")} {
		if !strings.Contains(string(output), want) {
			t.Errorf("no %q in what the server wrote: %.2000s", want, output)
		}
	}
}
