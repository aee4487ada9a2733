// Package builtin ships the kinds that Kubernetes has built in, each as a resource.Definition like any that a
// CustomResourceDefinition makes: names, schema, columns and subresources are data (the schema is generated from
// the types of k8s.io/api, see package models), rules that cannot be data are hooks.
//
// Built in now: Namespace, ConfigMap, Secret, ServiceAccount, Event (of both groups), Service and Pod of the core
// group, Lease of coordination.k8s.io, Deployment of apps, Job of batch, StorageVersionMigration of
// storagemigration.k8s.io. They are stored kinds: nothing here runs pods.
package builtin

import (
	"github.com/keelson-project/keelson/apiserver/builtin/models"
	"github.com/keelson-project/keelson/apiserver/builtin/typed"
	"github.com/keelson-project/keelson/apiserver/resource"
)

// Options are what hooks of the kinds need from the server around them.
type Options struct {
	// Models are the schemas to compile, each once for all who use the same Set; nil: the embedded ones.
	Models *models.Set
	// ServiceIPs hands out the cluster addresses of Services; nil makes an IPAllocator for 10.96.0.0/12 that
	// knows only what passes through it (enough for tests; a server gives one that reads what is stored).
	ServiceIPs ServiceIPs
}

// kinds is what the makers of the Definitions share.
type kinds struct {
	compiler *typed.Compiler
	ips      ServiceIPs
}

// compilerKey is that of what all servers' kinds are compiled by, among what is made of the models.
type compilerKey struct{}

// Definitions returns the built-in kinds, new ones on each call. Nothing is decoded or compiled before its use.
func Definitions(o Options) []*resource.Definition {
	if o.Models == nil {
		o.Models = models.Embedded()
	}
	if o.ServiceIPs == nil {
		o.ServiceIPs = NewIPAllocator(DefaultServiceCIDR, nil)
	}
	compiler := o.Models.Derive(compilerKey{}, func() any { return typed.NewCompiler(o.Models, defaulters()) })
	k := kinds{compiler: compiler.(*typed.Compiler), ips: o.ServiceIPs}
	events := k.event()
	return []*resource.Definition{
		k.namespace(), k.configMap(), k.secret(), k.serviceAccount(), k.service(), k.pod(),
		events, k.groupEvent(events), k.lease(), k.deployment(), k.job(), k.storageVersionMigration(),
	}
}
