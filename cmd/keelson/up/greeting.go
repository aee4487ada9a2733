package up

import (
	"fmt"
	"io"
	"time"
)

// greet says where everything is, in lines that scripts can read, and with hints what to do with it.
func (c *Config) greet(w io.Writer, url string, d *dataDir, caFile, adminFile string, took time.Duration) {
	kubeconfig := KubeconfigFile(d.path)
	_, _ = fmt.Fprintf(w, "server      %s\n", url)
	_, _ = fmt.Fprintf(w, "data        %s\n", d.path)
	_, _ = fmt.Fprintf(w, "kubeconfig  %s\n", kubeconfig)
	if !c.Hints {
		return
	}
	kubectl := c.Program + " kubectl"
	if d.path != DefaultDataDir() {
		kubectl += " --kubeconfig " + kubeconfig
	}
	keeps := "the data stays"
	if c.Storage == Memory {
		keeps = "the objects go with it"
	}
	_, _ = fmt.Fprintf(w, `
Ready after %.2f s. In another terminal, try
  %s get namespaces
  %s apply -f YOUR-CRD.yaml
  curl --cacert %s --cert %s %s/api
Ctrl-C stops the server; %s.
`, took.Seconds(), kubectl, kubectl, caFile, adminFile, url, keeps)
}
