package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/keelson-project/keelson/bench/library"
	"github.com/keelson-project/keelson/bench/report"
)

// runLibraries puts the chosen library scenarios on Keelson's libraries and on their peers, in turns, and prints them.
// It returns nothing where none is chosen.
func runLibraries(ctx context.Context, c config) ([]report.Results, error) {
	chosen := slices.DeleteFunc(library.Scenarios(library.Options{Keelson: c.keelson, Objects: c.cached}), func(s library.Scenario) bool {
		return c.scenarios != "" && !slices.Contains(strings.Split(c.scenarios, ","), s.Name())
	})
	if len(chosen) == 0 {
		return nil, nil
	}
	if err := library.Prepare(); err != nil {
		return nil, err
	}
	ours, peer := report.New("keelson"), report.New("client-go, controller-runtime")
	for range c.rounds {
		for _, s := range chosen {
			fmt.Fprintln(os.Stderr, s.Name())
			if err := runLoads(ctx, s, ours, peer); err != nil {
				return nil, err
			}
		}
	}
	results := []report.Results{ours, peer}
	return results, report.Print(os.Stdout, report.LibraryMeasures(), results)
}

func runLoads(ctx context.Context, s library.Scenario, ours, peer report.Results) (err error) {
	if c, ok := s.(io.Closer); ok {
		defer func() { err = errors.Join(err, c.Close()) }()
	}
	for _, load := range s.Loads() {
		if err := errors.Join(runLoad(ctx, ours, load.Keelson), runLoad(ctx, peer, load.Peer)); err != nil {
			return err
		}
	}
	return nil
}

func runLoad(ctx context.Context, into report.Results, load func(context.Context) (map[string]float64, error)) error {
	if load == nil {
		return nil
	}
	values, err := load(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", into.Target, err)
	}
	into.Add(values)
	return nil
}
