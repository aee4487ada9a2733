package load

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Watchers are open watches on one path. Each line of an answer is an event.
type Watchers struct {
	cancel context.CancelFunc
	all    sync.WaitGroup
	mu     sync.Mutex
	errs   []error // guarded by mu
}

// Watch opens n watches and returns when each has been answered 200. event is called for each event, from the
// goroutine of its watch, with bytes that are gone when it returns.
func (c *Client) Watch(ctx context.Context, n int, path string, event func(watcher int, line []byte)) (*Watchers, error) {
	ctx, cancel := context.WithCancel(ctx)
	w := &Watchers{cancel: cancel}
	for i := range n {
		resp, err := c.send(ctx, Request{Path: path})
		if err != nil {
			return nil, errors.Join(fmt.Errorf("watch %d: %w", i, err), w.Close())
		}
		w.all.Go(func() {
			defer func() { _ = resp.Body.Close() }()
			if err := lines(resp.Body, func(b []byte) { event(i, b) }); err != nil && ctx.Err() == nil {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.errs = append(w.errs, fmt.Errorf("watch %d: %w", i, err))
			}
		})
	}
	return w, nil
}

// Close ends the watches, waits for them, and returns why some ended before.
func (w *Watchers) Close() error {
	w.cancel()
	w.all.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return errors.Join(w.errs...)
}

// lines calls each with the lines of r, which ends with an error: io.ErrUnexpectedEOF if the server closed it.
func lines(r io.Reader, each func([]byte)) error {
	buf := bufio.NewReaderSize(r, 64<<10)
	for {
		line, err := buf.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		each(line)
	}
}
