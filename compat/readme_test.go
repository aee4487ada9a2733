package compat

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestReadme types what the README's tutorial and those of docs say, in their order. A line whose comment begins with "refused" must fail,
// one that watches is left alone after a moment, all others must work.
func TestReadme(t *testing.T) {
	if !ours() {
		t.Skip("the README promises what kube-apiserver does not: a type that is there at once")
	}
	for _, page := range []struct {
		file     string
		commands int // at least
	}{{"../README.md", 8}, {"../docs/storage-versions.md", 9}} {
		t.Run(page.file, func(t *testing.T) { typePage(t, page.file, page.commands) })
	}
}

func typePage(t *testing.T, file string, commands int) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	typed := 0
	for line := range strings.Lines(string(text)) {
		command, ok := strings.CutPrefix(line, "    k ")
		if !ok {
			continue
		}
		typed++
		command, comment, _ := strings.Cut(strings.TrimSpace(command), "#")
		watches := strings.Contains(command, " -w")
		after := time.Minute
		if watches {
			after = 2 * time.Second
		}
		ctx, cancel := context.WithTimeout(t.Context(), after)
		// The shell takes the quotes off, as it does for the reader.
		cmd := exec.CommandContext(ctx, "sh", "-c", `exec "$KEELSON" kubectl `+command)
		cmd.Dir = ".."
		cmd.Env = append(os.Environ(), "KEELSON="+suite.binary, "KUBECONFIG="+suite.kubeconfig)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		err := cmd.Run()
		if !watches && ctx.Err() != nil && suite.server != nil {
			check(t, suite.server.process.Signal(syscall.SIGQUIT))
			t.Fatalf("k %s: %s\n%s", command, out.String(), lastWords())
		}
		cancel()
		switch refused := strings.HasPrefix(strings.TrimSpace(comment), "refused"); {
		case watches:
			if !strings.Contains(out.String(), "shop") {
				t.Errorf("k %s shows nothing:\n%s", command, out.String())
			}
		case refused != (err != nil):
			t.Errorf("k %s: %v\n%s", command, err, out.String())
		}
	}
	if typed < commands {
		t.Errorf("%s has %d commands: its tutorial was not found", file, typed)
	}
}
