package builtin

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// column is one whose cell is computed.
func column(name, kind, description string, value func(obj resource.Object) any) resource.Column {
	return resource.Column{Name: name, Type: kind, Description: description, Value: value}
}

// wide marks a column that is shown with -o wide only.
func wide(c resource.Column) resource.Column {
	c.Priority = 1
	return c
}

// atPath is a column of text that stands in the object.
func atPath(name, description string, path ...string) resource.Column {
	return resource.Column{Name: name, Type: "string", Description: description, Path: path}
}

func ageColumn() resource.Column {
	return column("Age", "string", metav1.ObjectMeta{}.SwaggerDoc()["creationTimestamp"], func(obj resource.Object) any {
		return since(text(obj, "metadata", "creationTimestamp"))
	})
}

// since is how long ago a timestamp was, as kubectl prints it.
func since(timestamp string) string {
	at, err := time.Parse(time.RFC3339, timestamp) // takes fractions too
	if err != nil {
		return "<unknown>"
	}
	return duration.HumanDuration(time.Since(at))
}

// orNone is the text of a cell that has none.
func orNone(s string) string {
	if s == "" {
		return "<none>"
	}
	return s
}

// selectorText prints a map of labels as kubectl does.
func selectorText(labels map[string]any) string {
	if len(labels) == 0 {
		return "<none>"
	}
	parts := make([]string, 0, len(labels))
	for k, v := range labels {
		parts = append(parts, fmt.Sprintf("%s=%v", k, v))
	}
	slices.Sort(parts)
	return strings.Join(parts, ",")
}

// labelSelectorText prints a LabelSelector object.
func labelSelectorText(selector map[string]any) string {
	s, err := labelSelector(selector)
	if err != nil {
		return "<error>"
	}
	return orNone(s.String())
}

// containerCells are the names and the images of a pod's containers.
func containerCells(podSpec map[string]any) (names, images string) {
	var n, i []string
	for _, c := range items(podSpec, "containers") {
		n = append(n, text(asFields(c), "name"))
		i = append(i, text(asFields(c), "image"))
	}
	return strings.Join(n, ","), strings.Join(i, ",")
}
