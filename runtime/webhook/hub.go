package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// Hub is the version of a kind that all others are converted to and from.
type Hub interface {
	kruntime.Object
	Hub()
}

// Convertible is a version that converts itself to and from the Hub, metadata included.
type Convertible interface {
	kruntime.Object
	ConvertTo(dst Hub) error
	ConvertFrom(src Hub) error
}

// Hubs is the Converter for a kind of which the scheme knows one version that is the Hub, and others that are
// Convertible. Nil where the scheme knows but one version, or none that is either. Errors: there are several hubs or
// none, or versions that are neither.
func Hubs(scheme *kruntime.Scheme, kind schema.GroupKind) (Converter, error) {
	c := hubs{scheme: scheme}
	var rest []string
	spokes := 0
	for gvk := range scheme.AllKnownTypes() {
		if gvk.GroupKind() != kind || gvk.Version == kruntime.APIVersionInternal {
			continue
		}
		obj, err := scheme.New(gvk)
		if err != nil {
			return nil, fmt.Errorf("webhook: %w", err)
		}
		switch obj.(type) {
		case Hub:
			if !c.hub.Empty() {
				return nil, fmt.Errorf("webhook: %s has two hubs, %s and %s", kind, c.hub.Version, gvk.Version)
			}
			c.hub = gvk
		case Convertible:
			spokes++
		default:
			rest = append(rest, gvk.Version)
		}
	}
	slices.Sort(rest)
	switch {
	case c.hub.Empty() && spokes == 0, spokes+len(rest) == 0:
		return nil, nil
	case c.hub.Empty():
		return nil, fmt.Errorf("webhook: no version of %s is the Hub", kind)
	case len(rest) > 0:
		return nil, fmt.Errorf("webhook: versions of %s that are neither Hub nor Convertible: %s", kind, strings.Join(rest, ", "))
	}
	return c, nil
}

type hubs struct {
	scheme *kruntime.Scheme
	hub    schema.GroupVersionKind
}

// Convert implements Converter.
func (c hubs) Convert(_ context.Context, obj []byte, from, to schema.GroupVersionKind) ([]byte, error) {
	in, err := c.scheme.New(from)
	if err != nil {
		return nil, err
	}
	out, err := c.scheme.New(to)
	if err != nil {
		return nil, err
	}
	if err := utiljson.Unmarshal(obj, in); err != nil {
		return nil, err
	}
	if err := c.through(in, out); err != nil {
		return nil, err
	}
	out.GetObjectKind().SetGroupVersionKind(to)
	return json.Marshal(out)
}

func (c hubs) through(in, out kruntime.Object) error {
	hub, isHub := in.(Hub)
	if !isHub {
		if hub, isHub = out.(Hub); !isHub {
			middle, err := c.scheme.New(c.hub)
			if err != nil {
				return err
			}
			hub = middle.(Hub)
		}
		if err := in.(Convertible).ConvertTo(hub); err != nil {
			return fmt.Errorf("to the hub %s: %w", c.hub.Version, err)
		}
	}
	if out == kruntime.Object(hub) {
		return nil
	}
	spoke, ok := out.(Convertible)
	if !ok {
		return errors.New("it is converted between the same versions")
	}
	if err := spoke.ConvertFrom(hub); err != nil {
		return fmt.Errorf("from the hub %s: %w", c.hub.Version, err)
	}
	return nil
}
