package compat

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestAuthor goes the way of docs/first-operator.md: it writes the files that the page shows, types its commands, and wants
// to see what the comments after them say.
func TestAuthor(t *testing.T) {
	if !ours() {
		t.Skip("the page shows Keelson's server")
	}
	text, err := os.ReadFile("../docs/first-operator.md")
	if err != nil {
		t.Fatal(err)
	}
	files, commands := parsePage(string(text))
	if len(files) != 4 || len(commands) < 11 {
		t.Fatalf("the page has %d files and %d commands", len(files), len(commands))
	}
	a := newAuthor(t)
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(a.dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range commands {
		command, comment, _ := strings.Cut(c, "#")
		a.run(t, strings.TrimSpace(command), strings.TrimSpace(comment))
	}
}

var (
	fence   = regexp.MustCompile("(?ms)`([^`\n]+)`:\n\n```[a-z]+\n(.*?)^```$")
	command = regexp.MustCompile(`(?m)^    (\S.*)$`)
)

// parsePage returns the files of a page (blocks after a line that ends in "`NAME`:") and its commands (indented by four).
func parsePage(text string) (files map[string]string, commands []string) {
	files = map[string]string{}
	for _, m := range fence.FindAllStringSubmatch(text, -1) {
		files[m[1]] = m[2]
	}
	for _, m := range command.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		commands = append(commands, m[1])
	}
	return files, commands
}

// author is somebody in a shell, with this checkout in the place of the published module.
type author struct {
	dir string
	env []string
}

func newAuthor(t *testing.T) *author {
	base := t.TempDir()
	bin := filepath.Join(base, "bin")
	a := &author{dir: filepath.Join(base, "greeter")}
	for _, dir := range []string{bin, a.dir} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(suite.binary, filepath.Join(bin, "keelson")); err != nil {
		t.Fatal(err)
	}
	a.env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "KUBECONFIG="+suite.kubeconfig, "KUBECTL_KUBERC=false", "GOWORK=off", "GOFLAGS=")
	return a
}

func (a *author) run(t *testing.T, command, comment string) {
	t.Helper()
	switch {
	case strings.HasPrefix(command, "mkdir greeter"):
		return // it is there, with the files of the page
	case strings.HasPrefix(command, "go run"):
		a.start(t, command)
		return
	case command == "go mod tidy": // finds this checkout
		root, err := filepath.Abs("..")
		if err != nil {
			t.Fatal(err)
		}
		a.run(t, "go mod edit -replace github.com/keelson-project/keelson="+root, "")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	out, err := a.shell(ctx, command).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	if !strings.Contains(string(out), comment) {
		t.Errorf("%s: it prints %q, and the page says %q", command, out, comment)
	}
}

// start runs a command until the test ends, and interrupts it then.
func (a *author) start(t *testing.T, command string) {
	t.Helper()
	var out bytes.Buffer
	cmd := a.shell(context.Background(), command)
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGINT)
		if err := cmd.Wait(); err != nil {
			t.Logf("%s: %v", command, err)
		}
		if t.Failed() {
			t.Logf("%s printed:\n%s", command, out.String())
		}
	})
}

func (a *author) shell(ctx context.Context, command string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.Dir, cmd.Env = a.dir, a.env
	return cmd
}
