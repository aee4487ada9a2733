// Package up puts a whole Keelson server into a process: data directory, certificates, store, API server and
// listener, from a plain Config. cmd/keelson makes the Config out of flags.
package up

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/go-logr/logr"
)

// Where objects are kept.
const (
	Embedded = "embedded" // etcd inside the process, on the data directory
	Memory   = "memory"   // nowhere: they go with the process
)

// Config of a server. It is plain data, checked once, by Run.
type Config struct {
	// DataDir holds everything that outlives the process: keys, kubeconfig, and etcd's data.
	DataDir string
	// Listen is HOST:PORT; port 0 takes any that is free.
	Listen string
	// Storage is Embedded or Memory; "" is Embedded, or that of EtcdServers.
	Storage string
	// EtcdServers are the URLs of an external cluster, which is used instead of Storage.
	EtcdServers                           []string
	EtcdCAFile, EtcdCertFile, EtcdKeyFile string
	// TokenAuthFile is a file of bearer tokens as kube-apiserver reads it, or "".
	TokenAuthFile string

	Logger logr.Logger
	// Program is how the user calls this program, for the hints that Run prints.
	Program string
	// Out is told where to find the server, once it is ready.
	Out io.Writer
	// Hints adds what to try next. It is for people, not for pipes.
	Hints bool
}

func (c *Config) validate() error {
	if c.DataDir == "" {
		return errors.New("no data directory: set --data-dir (there is no home directory to put it in)")
	}
	_, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("--listen %q: want HOST:PORT", c.Listen)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("--listen %q: the port must be a number up to 65535", c.Listen)
	}
	external := len(c.EtcdServers) > 0
	switch {
	case external && c.Storage != "":
		return errors.New("--storage and --etcd-servers exclude each other")
	case !external && (c.EtcdCAFile != "" || c.EtcdCertFile != "" || c.EtcdKeyFile != ""):
		return errors.New("--etcd-cafile, --etcd-certfile and --etcd-keyfile need --etcd-servers")
	case (c.EtcdCertFile == "") != (c.EtcdKeyFile == ""):
		return errors.New("--etcd-certfile and --etcd-keyfile need each other")
	case c.Storage != "" && c.Storage != Embedded && c.Storage != Memory:
		return fmt.Errorf("--storage %q: want %s or %s", c.Storage, Embedded, Memory)
	}
	return nil
}

// DefaultDataDir is $KEELSON_DATA_DIR, else keelson in the user's data home by the XDG rules; "" where there is no
// home directory.
func DefaultDataDir() string {
	if dir := os.Getenv("KEELSON_DATA_DIR"); dir != "" {
		return dir
	}
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) { // the rules: relative paths are to be ignored
		return filepath.Join(dir, "keelson")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".local", "share", "keelson")
}

// KubeconfigFile is the path of the kubeconfig in a data directory.
func KubeconfigFile(dataDir string) string { return filepath.Join(dataDir, "kubeconfig") }
