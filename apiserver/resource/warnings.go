package resource

import (
	"context"
	"slices"
	"sync"
)

// Warnings collects the texts of a request's Warning headers, without repeats.
type Warnings struct {
	mu    sync.Mutex
	texts []string
}

type warningsKey struct{}

// WithWarnings returns a context whose warnings go to w.
func WithWarnings(ctx context.Context, w *Warnings) context.Context {
	return context.WithValue(ctx, warningsKey{}, w)
}

// AddWarning adds a warning to the answer of the request that ctx belongs to; without one it is dropped.
func AddWarning(ctx context.Context, text string) {
	w, _ := ctx.Value(warningsKey{}).(*Warnings)
	if w == nil || text == "" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Contains(w.texts, text) {
		w.texts = append(w.texts, text)
	}
}

// Texts returns what has been collected so far.
func (w *Warnings) Texts() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.texts)
}
