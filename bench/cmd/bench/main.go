// Command bench puts the same load on Keelson and on kube-apiserver with etcd, one after the other, and prints both
// beside the goals. See the README of this module.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/keelson-project/keelson/bench/load"
	"github.com/keelson-project/keelson/bench/report"
	"github.com/keelson-project/keelson/bench/scenario"
	"github.com/keelson-project/keelson/bench/target"
)

type config struct {
	keelson, scenarios, json string
	rounds, cached           int
	client                   load.Options
	sizes                    scenario.Sizes
}

func main() {
	var c config
	flag.StringVar(&c.keelson, "keelson", "../bin/keelson", "the binary; empty leaves it out")
	flag.StringVar(&c.scenarios, "scenarios", "", "names with commas between, of start idle crd-first crd-cost crd-many create list get apply watch; lib-start lib-workqueue lib-informer lib-reconcile lib-client lib-packages; all if empty")
	flag.StringVar(&c.json, "json", "", "file to write the results to as JSON")
	flag.IntVar(&c.rounds, "rounds", 1, "how often everything is done; medians are printed")
	flag.IntVar(&c.client.Connections, "connections", 4, "HTTP/2 connections of the load")
	flag.BoolVar(&c.client.Gzip, "gzip", false, "ask for compressed answers")
	flag.IntVar(&c.sizes.Objects, "objects", 10_000, "objects to store and list")
	flag.IntVar(&c.cached, "cached", 100_000, "objects that informers hold")
	flag.IntVar(&c.sizes.CRDs, "crds", 200, "CRDs to create for the cost of one")
	flag.IntVar(&c.sizes.ManyCRDs, "many-crds", 10_000, "CRDs to hold at once (kube-apiserver: at most 500)")
	flag.IntVar(&c.sizes.Workers, "workers", 32, "concurrent writers or readers")
	flag.IntVar(&c.sizes.Watchers, "watchers", 100, "concurrent watches")
	flag.IntVar(&c.sizes.Lead, "lead", 8, "writes that not all watchers have been told of (kube-apiserver ends watchers at more than 10)")
	flag.DurationVar(&c.sizes.Settle, "settle", 4*time.Second, "wait before memory is read")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, c); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, c config) error {
	results, err := runLibraries(ctx, c)
	failed := []error{err} // what was measured all the same is printed
	if anyServers(c.scenarios) {
		servers, err := runServers(ctx, c)
		results, failed = append(results, servers...), append(failed, err)
	}
	return errors.Join(append(failed, writeJSON(c.json, results))...)
}

func anyServers(names string) bool {
	return slices.ContainsFunc(scenario.Stages(), func(stage []scenario.Scenario) bool { return len(selected(stage, names)) > 0 })
}

func runServers(ctx context.Context, c config) (results []report.Results, err error) {
	var failed []error
	targets := chosen(c)
	if len(targets) == 0 {
		return nil, errors.New("nothing to measure: -keelson is empty, and KUBE_APISERVER and ETCD are not both set")
	}
	for _, t := range targets {
		results = append(results, report.New(t.Name()))
	}
	for range c.rounds {
		for _, stage := range scenario.Stages() {
			if stage = selected(stage, c.scenarios); len(stage) == 0 {
				continue
			}
			for i, t := range targets {
				if err := runStage(ctx, c, t, stage, results[i]); err != nil {
					failed = append(failed, fmt.Errorf("%s: %w", t.Name(), err))
				}
			}
		}
	}
	if err := report.Print(os.Stdout, report.Measures(), results); err != nil {
		return results, err
	}
	fmt.Printf("\nCPU is the servers' own, user and system. Compressed answers: %v. %d objects, %d workers, %d round(s).\n",
		c.client.Gzip, c.sizes.Objects, c.sizes.Workers, c.rounds)
	return results, errors.Join(failed...)
}

func writeJSON(file string, results []report.Results) error {
	if file == "" {
		return nil
	}
	b, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o644)
}

func chosen(c config) (all []target.Target) {
	if c.keelson != "" {
		all = append(all, target.Keelson{Binary: c.keelson})
	}
	if apiserver, etcd := os.Getenv("KUBE_APISERVER"), os.Getenv("ETCD"); apiserver != "" && etcd != "" {
		all = append(all, target.Kubernetes{Apiserver: apiserver, Etcd: etcd})
	}
	return all
}

func selected(stage []scenario.Scenario, names string) []scenario.Scenario {
	if names == "" {
		return stage
	}
	return slices.DeleteFunc(stage, func(s scenario.Scenario) bool {
		return !slices.Contains(strings.Split(names, ","), s.Name())
	})
}

// runStage starts a server, runs the scenarios one after the other and stops it.
func runStage(ctx context.Context, c config, t target.Target, stage []scenario.Scenario, into report.Results) (err error) {
	dir, err := os.MkdirTemp("", "keelson-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	server, err := t.Start(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	env := &scenario.Env{Server: server, Client: load.NewClient(server.URL, server.TLS, c.client), Sizes: c.sizes}
	_, env.Ours = t.(target.Keelson)
	defer env.Client.Close()
	for _, s := range stage {
		fmt.Fprintf(os.Stderr, "%s: %s\n", t.Name(), s.Name())
		values, err := s.Run(ctx, env)
		if errors.Is(err, scenario.ErrNotServed) {
			into.Notes[s.Name()+"-rate"] = "not served yet"
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.Name(), err)
		}
		into.Add(values)
	}
	return nil
}
