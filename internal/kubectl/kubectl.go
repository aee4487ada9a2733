// Package kubectl is the kubectl inside the binary: Kubernetes' own, from the module k8s.io/kubectl, pointed at the
// server that this machine runs. It is the only package that imports that module.
package kubectl

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"

	_ "github.com/keelson-project/keelson/internal/kubectl/translations" // before kubectl's own packages
)

// Run runs kubectl with args (without the program's name) on the process's own standard streams. Where neither
// --kubeconfig nor the variable KUBECONFIG says which server to speak to, it is the one whose file kubeconfig
// names. kubectl may end the process itself, with an exit code of its own.
func Run(args []string, kubeconfig string) {
	if os.Getenv("KUBECONFIG") == "" && !named(args) {
		// Set even where there is no such file: kubectl must not fall back to ~/.kube/config, and to whatever
		// cluster that is.
		_ = os.Setenv("KUBECONFIG", kubeconfig)
		if _, err := os.Stat(kubeconfig); errors.Is(err, fs.ErrNotExist) && !offline(args) {
			_, _ = fmt.Fprintf(os.Stderr, "keelson: there is no %s; `keelson up` makes it\n", kubeconfig)
		}
	}
	// kubectl reads the arguments where its main function would have them, for plugins and for its own name.
	os.Args = append([]string{"kubectl"}, args...)
	if err := cli.RunNoErrOutput(cmd.NewDefaultKubectlCommand()); err != nil {
		util.CheckErr(err)
	}
}

// named says whether args name a kubeconfig. What follows -- is for others.
func named(args []string) bool {
	if i := slices.Index(args, "--"); i >= 0 {
		args = args[:i]
	}
	return slices.ContainsFunc(args, func(a string) bool {
		return a == "--kubeconfig" || strings.HasPrefix(a, "--kubeconfig=")
	})
}

// offline says that args are of those commands that need no server.
func offline(args []string) bool {
	if len(args) == 0 || slices.Contains(args, "--help") || slices.Contains(args, "-h") {
		return true
	}
	switch args[0] {
	case "help", "options", "plugin", "completion", "__complete", "__completeNoDesc", "kustomize", "config":
		return true
	}
	return args[0] == "version" && slices.Contains(args, "--client")
}
