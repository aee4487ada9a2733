package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/keelson-project/keelson/cmd/keelson/up"
	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
	"github.com/keelson-project/keelson/runtime/kubeconfig"
)

func whyCommand() *cobra.Command {
	var address, config, cluster string
	c := &cobra.Command{
		Use:   "why CONTROLLER [NAMESPACE/NAME]",
		Short: "Tell why a controller did what it did",
		Long: "Shows the latest reconciliations of an object, or of all, newest first: what caused them, what they wrote and\n" +
			"how they ended. The server that runs on this machine is asked for its own controllers; --address asks any\n" +
			"manager of package runtime, at its Options.Address.",
		Example: "  keelson why storageversionmigration\n" +
			"  keelson why website default/hello --address http://127.0.0.1:8080",
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg := client.Config{Host: address}
			if address == "" {
				if config == "" {
					config = up.KubeconfigFile(up.DefaultDataDir())
				}
				var err error
				if cfg, err = kubeconfig.Load(config); err != nil {
					return err
				}
			}
			d, err := client.New(cfg, client.Options{})
			if err != nil {
				return err
			}
			query := url.Values{}
			if len(args) > 1 {
				query.Set("object", args[1])
			}
			if cluster != "" {
				query.Set("cluster", cluster)
			}
			data, err := d.Raw(cmd.Context(), "/debug/controllers/"+url.PathEscape(args[0]), query)
			if err != nil {
				return told(err)
			}
			var runs []runtime.RunReport
			if err := json.Unmarshal(data, &runs); err != nil {
				return fmt.Errorf("the answer is not that of a manager: %w", err)
			}
			if len(runs) == 0 {
				return fmt.Errorf("%s remembers no reconciliation of %s", args[0], append(args[1:], "anything")[0])
			}
			tell(cmd.OutOrStdout(), runs)
			return nil
		},
	}
	c.Flags().StringVar(&address, "address", "", "URL of a manager's pages, instead of the server's own controllers")
	c.Flags().StringVar(&config, "kubeconfig", "", "how to reach the server (default: the one that runs on this machine)")
	c.Flags().StringVar(&cluster, "cluster", "", "name of the object's cluster, where it has joined the manager under one")
	return c
}

// told is err with what the server had to say, where that was no Status.
func told(err error) error {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || status.Status().Details == nil {
		return err
	}
	for _, c := range status.Status().Details.Causes {
		if c.Type == metav1.CauseTypeUnexpectedServerResponse {
			return errors.New(strings.TrimSpace(c.Message))
		}
	}
	return err
}

// tell writes the story of reconciliations for people.
func tell(w io.Writer, runs []runtime.RunReport) {
	for _, r := range runs {
		_, _ = fmt.Fprintf(w, "%s  %s  %s in %s, %s after it was asked for\n", r.Started.Local().Format("15:04:05.000"),
			strings.TrimPrefix(r.Request, "/"), r.Outcome, short(r.Took), short(r.Queued))
		lead := "because"
		for _, c := range r.Causes {
			text := c.Text
			if len(c.Changed) > 0 {
				text += ": " + strings.Join(c.Changed, ", ")
			}
			_, _ = fmt.Fprintf(w, "    %-8s%s\n", lead, text)
			lead = ""
		}
		if r.Omitted > 0 {
			_, _ = fmt.Fprintf(w, "    %-8s(and %d more)\n", lead, r.Omitted)
		}
		lead = "wrote"
		for _, one := range r.Writes {
			text := fmt.Sprintf("%s %s %s", one.Verb, one.Kind.Kind, strings.TrimPrefix(one.Object.String(), "/"))
			if one.ResourceVersion != "" {
				text += " -> " + one.ResourceVersion
			}
			if one.Error != "" {
				text += ": " + one.Error
			}
			_, _ = fmt.Fprintf(w, "    %-8s%s\n", lead, text)
			lead = ""
		}
		if r.Unlisted > 0 {
			_, _ = fmt.Fprintf(w, "    %-8s(and %d more)\n", lead, r.Unlisted)
		}
		if r.Error != "" {
			first, _, _ := strings.Cut(r.Error, "\n")
			_, _ = fmt.Fprintf(w, "    %-8s%s\n", "failed", first)
		}
		if r.RequeueAfter > 0 {
			_, _ = fmt.Fprintf(w, "    %-8sin %s\n", "again", short(r.RequeueAfter))
		}
	}
}

// short is a duration in three digits or so.
func short(d time.Duration) time.Duration {
	for unit := time.Second; unit > 10; unit /= 10 {
		if d >= unit {
			return d.Round(unit / 100)
		}
	}
	return d
}
