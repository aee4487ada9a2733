package kubectl_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/keelson-project/keelson/internal/kubectl"
)

// TestMain is kubectl where a test runs this binary with the variable BE_KUBECTL: kubectl may end the process.
func TestMain(m *testing.M) {
	if os.Getenv("BE_KUBECTL") != "" {
		kubectl.Run(os.Args[2:], os.Getenv("BE_KUBECTL"))
		return
	}
	os.Exit(m.Run())
}

// run runs kubectl in a process of its own.
func run(t *testing.T, kubeconfig string, env []string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], append([]string{"kubectl"}, args...)...)
	cmd.Env = append([]string{"BE_KUBECTL=" + kubeconfig, "HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH")}, env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), raceNotice.ReplaceAllString(errs.String(), ""), err
}

// raceNotice is what Kubernetes' libraries say when they are built with the race detector.
var raceNotice = regexp.MustCompile(`(?m)^I.*withrace\.go:\d+\] Data race detection enabled\n`)

func writeConfig(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	content := fmt.Sprintf("apiVersion: v1\nkind: Config\ncurrent-context: %s\ncontexts: [{name: %s, context: {cluster: c, user: u}}]\n", name, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFindsTheKubeconfig(t *testing.T) {
	ours, theirs := writeConfig(t, "ours"), writeConfig(t, "theirs")
	for _, tc := range []struct {
		about string
		env   []string
		args  []string
		want  string
	}{
		{"by itself", nil, nil, "ours\n"},
		{"KUBECONFIG wins", []string{"KUBECONFIG=" + theirs}, nil, "theirs\n"},
		{"--kubeconfig wins", nil, []string{"--kubeconfig", theirs}, "theirs\n"},
		{"--kubeconfig= wins", nil, []string{"--kubeconfig=" + theirs}, "theirs\n"},
	} {
		got, stderr, err := run(t, ours, tc.env, append([]string{"config", "current-context"}, tc.args...)...)
		if got != tc.want || stderr != "" || err != nil {
			t.Errorf("%s: %q %q %v, want %q", tc.about, got, stderr, err, tc.want)
		}
	}
}

func TestSaysWhatIsMissing(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "kubeconfig")
	const hint = "`keelson up` makes it"
	_, stderr, err := run(t, missing, nil, "get", "pods", "--request-timeout=1s")
	if !strings.Contains(stderr, hint) || err == nil {
		t.Errorf("stderr is %q, error %v", stderr, err)
	}
	_, stderr, err = run(t, missing, nil, "version", "--client")
	if strings.Contains(stderr, hint) || err != nil {
		t.Errorf("stderr is %q, error %v", stderr, err)
	}
}

func TestErrorsAreKubectls(t *testing.T) {
	_, stderr, err := run(t, writeConfig(t, "ours"), nil, "frobnicate")
	if !strings.Contains(stderr, `unknown command "frobnicate" for "kubectl"`) || err == nil {
		t.Errorf("stderr is %q, error %v", stderr, err)
	}
}

// TestInitIsCheap watches over package translations: what kubectl initializes in every process of the binary stays
// small. It counts bytes, which do not depend on the machine's load.
func TestInitIsCheap(t *testing.T) {
	_, stderr, err := run(t, writeConfig(t, "ours"), []string{"GODEBUG=inittrace=1"}, "config", "current-context")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^init k8s\.io/kubectl/pkg/cmd/options .* (\d+) bytes`).FindStringSubmatch(stderr)
	if line == nil {
		return // so cheap that it is not traced
	}
	if n, _ := strconv.Atoi(line[1]); n > 1<<20 {
		t.Errorf("translations are loaded while packages are initialized: %s", line[0])
	}
}
