package main

import (
	"fmt"
	goruntime "runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) {
			_, _ = fmt.Fprintln(cmd.OutOrStdout(), version())
		},
	}
}

// version is read from what the Go toolchain wrote into the binary.
func version() string {
	own, kubernetes := "(unknown)", "(unknown)"
	if info, ok := debug.ReadBuildInfo(); ok {
		own = info.Main.Version
		for _, m := range info.Deps {
			if m.Path == "k8s.io/api" {
				kubernetes = m.Version
			}
		}
	}
	return fmt.Sprintf("keelson %s, k8s.io/api %s, %s, %s/%s", own, kubernetes, goruntime.Version(), goruntime.GOOS, goruntime.GOARCH)
}
