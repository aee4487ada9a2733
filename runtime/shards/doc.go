// Package shards divides the requests of controllers among the replicas of a process: each belongs to one of them at a
// time, and all are worked on while any replica lives.
//
//	member, err := shards.New(shards.Config{Client: direct, Namespace: "default", Name: "website", Identity: podName, Shards: 16})
//	mgr, err := runtime.New(cfg, runtime.Options{Shards: member})
//
// Requests fall into shards by a hash, of their namespace unless Config.By says otherwise. Each replica keeps a Lease
// alive (coordination.k8s.io/v1), and each shard has one that names its owner. Who should own what follows from who is
// alive, in the same way for everyone (rendezvous hashing with equal shares, so that few shards move when a replica comes
// or goes); whoever owns too much finishes what is under way in a shard and lets go of it.
//
// # Guarantees
//
//   - A request is never worked on by two replicas at once. A replica that cannot keep its Lease alive ends the contexts
//     of what it works on before anyone else may take over. Clocks need not agree, only run at about one speed.
//   - A shard has an epoch, which grows each time that it changes hands: Epoch(ctx) is a fencing token for systems that
//     check one.
//   - What a replica gains is worked on as if it had just been seen. It is handed over in about two of Config.RetryPeriod
//     where a replica joins or leaves, and LeaseDuration after one has died.
//   - A server that is away ends nothing but the work, and that only when it is away for longer than a Lease lasts.
//
// One shard is leader election.
//
// Each replica lists these Leases and writes one, every RetryPeriod.
package shards
