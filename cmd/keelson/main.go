// Command keelson is a Kubernetes-compatible API server in one binary, and the kubectl to go with it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/keelson-project/keelson/cmd/keelson/up"
	"github.com/keelson-project/keelson/internal/kubectl"
)

func main() {
	if err := command().ExecuteContext(context.Background()); err != nil {
		var code exitCode
		if errors.As(err, &code) { // all has been said
			os.Exit(int(code))
		}
		_, _ = fmt.Fprintln(os.Stderr, "keelson:", err)
		os.Exit(1)
	}
}

// exitCode ends the program with a verdict that is on stdout already.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

func command() *cobra.Command {
	root := &cobra.Command{
		Use:   "keelson",
		Short: "A Kubernetes-compatible API server in one binary",
		// main prints errors, one line each; whoever wants the usage asks for it.
		SilenceErrors: true, SilenceUsage: true, DisableSuggestions: true,
	}
	root.AddCommand(upCommand(), kubectlCommand(), crdCommand(), whyCommand(), versionCommand())
	return root
}

func kubectlCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "kubectl",
		Short: "Speak to the server that runs on this machine",
		Long: "Kubernetes' own kubectl. Unless --kubeconfig or KUBECONFIG says otherwise, it speaks to the server whose\n" +
			"data directory is the default one (or KEELSON_DATA_DIR).",
		DisableFlagParsing: true, // the flags are kubectl's
		Run: func(_ *cobra.Command, args []string) {
			kubectl.Run(args, up.KubeconfigFile(up.DefaultDataDir()))
		},
	}
}
