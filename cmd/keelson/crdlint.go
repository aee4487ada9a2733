package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/keelson-project/keelson/crd/lint"
	"github.com/keelson-project/keelson/crd/source"
)

func crdLintCommand() *cobra.Command {
	var o lint.Options
	format, failOn := "text", string(lint.Error)
	cmd := &cobra.Command{
		Use:   "lint FILE...",
		Short: "Tell what the server refuses of CustomResourceDefinitions, and what authors regret later",
		Long: "Reads CustomResourceDefinitions as a reviewer does: what the server refuses, in its own words, and what is hard to\n" +
			"repair once objects are stored. Each finding is a line with its place, severity and rule, and says what to do.\n\n" +
			"Rules:\n" + ruleHelp() + "\n" +
			"Exit codes: 0 there are no errors, 1 something went wrong, 2 there are errors (or what --fail-on names, or worse).\n" + inputs,
		Example: "  keelson crd lint config/crd\n" +
			"  keelson crd lint config/crd --disable description,float --fail-on warning -o github",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			print, err := oneOf(format, map[string]func(io.Writer, []lint.Finding) error{
				"text": printFindings, "json": printJSON[lint.Finding], "github": annotateFindings,
			})
			if err != nil {
				return err
			}
			limit := lint.Severity(failOn)
			if !slices.Contains([]lint.Severity{lint.Error, lint.Warning, lint.Info}, limit) {
				return fmt.Errorf("--fail-on %q: want error, warning or info", failOn)
			}
			docs, err := source.ReadCRDs(args, cmd.InOrStdin())
			if err != nil {
				return err
			}
			findings, err := lint.Lint(cmd.Context(), docs, o)
			if err != nil {
				return err
			}
			if err := print(cmd.OutOrStdout(), findings); err != nil {
				return err
			}
			if slices.ContainsFunc(findings, func(f lint.Finding) bool { return f.Severity.AtLeast(limit) }) {
				return exitCode(2)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.Disable, "disable", nil, "rules to leave out")
	f.StringVar(&failOn, "fail-on", failOn, "exit with code 2 where there is an error, warning or info")
	f.StringVarP(&format, "output", "o", format, "text, json for a list of findings, or github for annotations")
	return cmd
}

func ruleHelp() string {
	var b strings.Builder
	for _, r := range lint.Rules() {
		fmt.Fprintf(&b, "  %-18s %-8s %s\n", r.ID, r.Severity, r.What)
	}
	return b.String()
}

func printFindings(w io.Writer, findings []lint.Finding) error {
	for _, f := range findings {
		if _, err := fmt.Fprintln(w, f); err != nil {
			return err
		}
	}
	return nil
}

func annotateFindings(w io.Writer, findings []lint.Finding) error {
	levels := map[lint.Severity]string{lint.Error: "error", lint.Warning: "warning", lint.Info: "notice"}
	for _, f := range findings {
		annotate(w, levels[f.Severity], f.File, f.Line, strings.TrimSpace(f.Rule+" "+f.Where()), f.Message)
	}
	return nil
}
