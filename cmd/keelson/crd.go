package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/keelson-project/keelson/crd/gotypes"
	"github.com/keelson-project/keelson/crd/source"
)

const inputs = `
Each argument is a YAML or JSON file (with any number of documents), a folder (all such files below it), or "-" for
standard input.`

func crdCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "crd",
		Short: "Tools for authors of CustomResourceDefinitions, without a server",
		Long:  "Tools for authors of CustomResourceDefinitions. They need no server and no network.",
	}
	cmd.AddCommand(crdTypesCommand(), crdLintCommand(), crdDiffCommand(), crdValidateCommand())
	return cmd
}

func crdTypesCommand() *cobra.Command {
	var dir string
	var o gotypes.Options
	cmd := &cobra.Command{
		Use:   "types FILE... -o DIR",
		Short: "Write Go types for custom resources",
		Long: "Writes Go types for the kinds that CustomResourceDefinitions define: a package for each group and version, with\n" +
			"doc comments, kubebuilder markers, constants for enums, deep copies and AddToScheme. They need nothing but\n" +
			"k8s.io/apimachinery. Every object that the schema accepts survives being read into them and written again.\n" + inputs,
		Example: "  keelson crd types config/crd -o api              # api/GROUP/VERSION/*.go\n" +
			"  keelson crd types crd.yaml -o api --single-group # api/VERSION/*.go",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			crds, err := readCRDs(args, cmd.InOrStdin())
			if err != nil {
				return err
			}
			files, err := gotypes.Generate(crds, o)
			if err != nil {
				return err
			}
			if err := gotypes.Write(dir, files); err != nil {
				return err
			}
			for _, f := range files {
				_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%s/%s\n", dir, f.Path)
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&dir, "output", "o", "", "folder to write into; other files there stay (required)")
	cmd.Flags().BoolVar(&o.SingleGroup, "single-group", false, "leave the group out of the folders")
	_ = cmd.MarkFlagRequired("output") // there is such a flag
	return cmd
}

func readCRDs(paths []string, stdin io.Reader) ([]*apiextensionsv1.CustomResourceDefinition, error) {
	docs, err := source.ReadCRDs(paths, stdin)
	if err != nil {
		return nil, err
	}
	var crds []*apiextensionsv1.CustomResourceDefinition
	for _, d := range docs {
		c, err := d.CRD()
		if err != nil {
			return nil, err
		}
		crds = append(crds, c)
	}
	return crds, nil
}

// oneOf returns what goes by a name that the flag --output may have.
func oneOf[T any](name string, by map[string]T) (T, error) {
	v, ok := by[name]
	if !ok {
		return v, fmt.Errorf("--output %q: want %s", name, strings.Join(slices.Sorted(maps.Keys(by)), ", "))
	}
	return v, nil
}

// annotate writes a workflow command of GitHub, which shows the text at the line.
func annotate(w io.Writer, level, file string, line int, title, text string) {
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	_, _ = fmt.Fprintf(w, "::%s file=%s,line=%d,title=%s::%s\n", level, property.Replace(file), line, property.Replace(title), data.Replace(text))
}
