package watchcache

import "errors"

// Errors of the cache; compare with errors.Is. Errors of the store (storage.ErrUnavailable, ...) are wrapped
// and returned as well.
var (
	ErrExpired  = errors.New("too old resource version")       // 410 Gone, reason Expired
	ErrReplaced = errors.New("the resource was redefined")     // the watch ends; the client starts again
	ErrClosed   = errors.New("the watch cache is closed")      // the server shuts down, or the watcher was stopped
	ErrTimeout  = errors.New("the cache did not catch up yet") // 504 with retry, see Freshness.AtLeast
	// ErrUndecodable: what is stored at the key is no object of the resource; see Config.Decode.
	ErrUndecodable = errors.New("the stored object cannot be decoded")
)
