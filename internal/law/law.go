// Package law has no code: its test states which packages may import which, and why. `go test ./internal/law`
// reads like a page of ARCHITECTURE.md, and fails with the import that broke a law.
package law
