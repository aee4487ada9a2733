// Package simtest finds out whether reconcilers get where they should whatever goes wrong on the way. A test says how to
// start a server, how to set up the controllers, and what the user does:
//
//	func TestFaults(t *testing.T) {
//		simtest.Run(t, simtest.Config{
//			New: func(t testing.TB) client.Config {
//				srv := apiservertest.Start(t, apiservertest.Options{CRDs: []string{"crd.yaml"}, NoListener: true})
//				return client.Config{Host: "http://server", Transport: srv.Transport()}
//			},
//			Options: runtime.Options{Scheme: scheme, FieldOwner: "website"},
//			Setup:   setup,
//			Steps:   []simtest.Step{simtest.Create(site), simtest.Change(site, edit), simtest.Delete(site)},
//		})
//	}
//
// Run does this once undisturbed, and then again and again, each time with something that goes wrong: the process
// crashes after a write and another one starts, with caches that may begin in the past; an answer is lost although the
// write was carried out; somebody else writes first; events come late, or only the last of several; watches break. See
// Kind. It fails the test with the first plan of such faults after which the cluster is not in the state in which the
// undisturbed run leaves it: what differs, what happened, and the plan as a word that repeats it.
//
// # What makes a run repeatable
//
// A run lives in a testing/synctest bubble, the server included. Requests and watch events wait at the wire, and one is
// let through when nothing else can move: runs of the same plan are alike, and each takes a fraction of a second,
// whatever the controllers wait for. Faults are numbered by writes and by events of a resource.
//
// # What is compared
//
// Every object of each resource that the controllers read or write, but events and leases, by namespace and name, when
// nobody has written anything for two minutes of the run's time (Config.Quiet). Left out are objects whose owners are all
// gone, which a garbage collector would remove, whether there is one or not. Not compared are resourceVersions,
// generations, managedFields and times; UIDs stand for the object that they are of, names made of a generateName for
// that, and an observedGeneration for whether it is the current one. How often an object of a name was created is
// compared, too: more often than undisturbed means that something was deleted that should not have been.
//
// # What it does not see
//
// Only what passes through the manager's configuration can be disturbed: a controller that calls other systems needs
// fakes of them, made anew by Config.New or Setup. After a crash the code that runs on gets errors for all its requests,
// while in a real one it does not run at all.
//
// The faults are those of Sieve (Sun et al., Automatic Reliability Testing For Cluster Management Controllers, OSDI
// 2022): crashes between writes, stale caches, unobserved states; and of etcd's robustness tests: lost answers, errors
// whose write did happen, conflicts.
package simtest
