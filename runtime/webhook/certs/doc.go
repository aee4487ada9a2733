// Package certs has the certificates that a webhook.Server shows to API servers: made, rotated and injected by the program
// itself (Managed), or read from files that something else keeps up to date (Files).
//
// # Managed
//
// A Secret holds an authority's certificate and key, and the bundle of all certificates to trust. Replicas share it:
// whoever comes first makes it. Each process has a serving certificate of its own, signed by that authority, whose key
// never leaves it. The bundle is written into the caBundle of every Target, again whenever somebody overwrites it.
//
// Before an authority expires, its successor is put into the bundle. It signs once every Target that there is has that
// bundle and Options.Overlap has passed, so that API servers trust what they are shown; the old one stays in the bundle
// until it expires.
//
// The program needs leave to get, create, update, list and watch the Secret, and to get, patch, list and watch the
// Targets; all by name, but for create.
package certs
