//go:build !linux

// Package resident keeps the memory that a program occupies down to what it uses.
package resident

// ReleaseCode does nothing on this system.
func ReleaseCode() {}
