package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/keelson-project/keelson/apiserver/offline"
	"github.com/keelson-project/keelson/crd/source"
)

func crdValidateCommand() *cobra.Command {
	var crds []string
	var o offline.Options
	format := "text"
	cmd := &cobra.Command{
		Use:   "validate --crds DIR OBJECT...",
		Short: "Tell what the server would say of objects",
		Long: "Sends each object to an API server that lives in this process, as a create request with dryRun=All, and prints the\n" +
			"verdict in the server's words, with the line of each field that it is about. Schema, defaults, rules (CEL) and field\n" +
			"validation are the real ones. CustomResourceDefinitions are installed first: those of --crds, and those among the\n" +
			"objects. Conversion webhooks are not asked, unless --webhooks says so.\n\n" +
			"Exit codes: 0 all are accepted, 1 some are refused, or something went wrong.\n" + inputs,
		Example: "  keelson crd validate --crds config/crd config/samples\n" +
			"  kustomize build . | keelson crd validate --crds config/crd -",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			print, err := oneOf(format, map[string]func(io.Writer, []offline.Verdict) error{
				"text": printVerdicts, "json": printJSON[offline.Verdict], "github": annotateVerdicts,
			})
			if err != nil {
				return err
			}
			kinds, err := source.Read(crds, cmd.InOrStdin())
			if err != nil {
				return err
			}
			kinds = slices.DeleteFunc(kinds, func(d *source.Document) bool { return !d.IsCRD() })
			objects, err := source.Read(args, cmd.InOrStdin())
			if err != nil {
				return err
			}
			verdicts, err := offline.Validate(cmd.Context(), kinds, objects, o)
			if err != nil {
				return err
			}
			if err := print(cmd.OutOrStdout(), verdicts); err != nil {
				return err
			}
			if slices.ContainsFunc(verdicts, func(v offline.Verdict) bool { return !v.Accepted }) {
				return exitCode(1)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&crds, "crds", nil, "CustomResourceDefinitions to install first; other objects there are left alone")
	f.StringVar(&o.FieldValidation, "field-validation", "Strict", "what is said of unknown and duplicate fields: Strict, Warn or Ignore")
	f.StringVarP(&o.Namespace, "namespace", "n", "default", "namespace of objects that name none")
	f.BoolVar(&o.Webhooks, "webhooks", false, "ask the conversion webhooks of CustomResourceDefinitions, over the network")
	f.StringVarP(&format, "output", "o", format, "text, json for a list of verdicts, or github for annotations")
	return cmd
}

func printVerdicts(w io.Writer, verdicts []offline.Verdict) error {
	for _, v := range verdicts {
		if _, err := fmt.Fprintln(w, v); err != nil {
			return err
		}
	}
	return nil
}

// annotateVerdicts writes what is refused and warned of as GitHub's workflow commands.
func annotateVerdicts(w io.Writer, verdicts []offline.Verdict) error {
	for _, v := range verdicts {
		if !v.Accepted && len(v.Causes) == 0 {
			annotate(w, "error", v.File, v.Line, v.Kind+" "+v.Name, v.Message)
		}
		for _, c := range v.Causes {
			annotate(w, "error", v.File, c.Line, v.Kind+" "+v.Name, c.Message)
		}
		for _, text := range v.Warnings {
			annotate(w, "warning", v.File, v.Line, v.Kind+" "+v.Name, text)
		}
	}
	return nil
}
