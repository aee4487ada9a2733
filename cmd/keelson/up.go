package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"

	"github.com/keelson-project/keelson/cmd/keelson/up"
)

func upCommand() *cobra.Command {
	c := up.Config{Program: os.Args[0], Out: os.Stdout, Hints: isTerminal(os.Stdout)}
	verbosity := 0
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Run the API server until Ctrl-C",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			c.Logger = newLogger(verbosity)
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			context.AfterFunc(ctx, stop) // the second signal ends the process at once
			return up.Run(ctx, c)
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.DataDir, "data-dir", up.DefaultDataDir(), "where keys, kubeconfig and data are (KEELSON_DATA_DIR)")
	f.StringVar(&c.Listen, "listen", "127.0.0.1:6443", "HOST:PORT to serve on; port 0 takes a free one")
	f.StringVar(&c.Storage, "storage", "", "embedded (etcd inside, the default) or memory (gone with the process)")
	f.StringSliceVar(&c.EtcdServers, "etcd-servers", nil, "URLs of an external etcd cluster")
	f.StringVar(&c.EtcdCAFile, "etcd-cafile", "", "certificates that etcd's is signed by")
	f.StringVar(&c.EtcdCertFile, "etcd-certfile", "", "client certificate for etcd")
	f.StringVar(&c.EtcdKeyFile, "etcd-keyfile", "", "key of the client certificate for etcd")
	f.StringVar(&c.TokenAuthFile, "token-auth-file", "", `bearer tokens, as CSV lines: token,user,uid,"group1,group2"`)
	f.IntVarP(&verbosity, "verbosity", "v", 0, "how much to log: 0 is little, -v alone is 1, -v=4 is a lot")
	f.Lookup("verbosity").NoOptDefVal = "1"
	return cmd
}

// newLogger logs to stderr, one line of key=value pairs for each message.
func newLogger(verbosity int) logr.Logger {
	// logr's V(n) is slog's level -n.
	return logr.FromSlogHandler(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.Level(-verbosity)}))
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
