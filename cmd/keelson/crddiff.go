package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/keelson-project/keelson/crd/diff"
)

func crdDiffCommand() *cobra.Command {
	format := "text"
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Tell which changes of CustomResourceDefinitions are breaking",
		Long: "Compares CustomResourceDefinitions of the same name, and prints each change on a line: compatible or BREAKING, where\n" +
			"it is, what it is, and why it breaks those who use the kind. What refuses, loses or reads differently anything that\n" +
			"was accepted is breaking; what accepts more is not.\n\n" +
			"Exit codes: 0 there are no breaking changes, 1 something went wrong, 2 there are breaking changes.\n" + inputs,
		Example: "  keelson crd diff old/crd.yaml config/crd\n" +
			"  git show main:config/crd.yaml | keelson crd diff - config/crd.yaml -o json",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			print, err := oneOf(format, map[string]func(io.Writer, []diff.Change) error{"text": printChanges, "json": printJSON[diff.Change]})
			if err != nil {
				return err
			}
			before, err := readCRDs(args[:1], cmd.InOrStdin())
			if err != nil {
				return err
			}
			after, err := readCRDs(args[1:], cmd.InOrStdin())
			if err != nil {
				return err
			}
			changes := diff.Compare(before, after)
			if err := print(cmd.OutOrStdout(), changes); err != nil {
				return err
			}
			if diff.Breaking(changes) {
				return exitCode(2)
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", format, "text, or json for a list of changes")
	return cmd
}

func printChanges(w io.Writer, changes []diff.Change) error {
	for _, c := range changes {
		if _, err := fmt.Fprintln(w, c); err != nil {
			return err
		}
	}
	return nil
}

// printJSON writes a list, never null.
func printJSON[T any](w io.Writer, list []T) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(append([]T{}, list...))
}
