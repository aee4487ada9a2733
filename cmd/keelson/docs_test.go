package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDocs runs the commands of docs/crd-tools.md, and compares what they print and their exit codes.
func TestDocs(t *testing.T) {
	docs, err := filepath.Abs("../../docs")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(docs, "crd-tools.md"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(docs, filepath.Join(dir, "docs")); err != nil {
		t.Fatal(err)
	}
	program := "#!/bin/sh\nBE_KEELSON=1 exec '" + os.Args[0] + "' \"$@\"\n"
	if err := os.WriteFile(filepath.Join(dir, "keelson"), []byte(program), 0o700); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, block := range strings.Split(string(text), "```console\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		for _, story := range strings.Split("\n"+block, "\n$ ")[1:] {
			command, want, _ := strings.Cut(strings.TrimSuffix(story, "\n"), "\n")
			cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
			cmd.Dir = dir
			cmd.Env = []string{"HOME=" + dir, "PATH=" + dir + ":" + os.Getenv("PATH")}
			out, err := cmd.CombinedOutput()
			got := strings.TrimSuffix(string(out), "\n")
			if err != nil {
				got += "\n(" + strings.Replace(err.Error(), "exit status", "exit code", 1) + ")"
			}
			if ran++; got != want {
				t.Errorf("%s\nsays\n%s\nwant\n%s", command, got, want)
			}
		}
	}
	if ran != 7 {
		t.Errorf("%d commands were found", ran)
	}
}
