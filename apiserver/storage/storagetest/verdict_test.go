package storagetest

import (
	"context"
	"errors"
	"testing"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// TestVerdict: the judge of the random part finds what is wrong in what was recorded.
func TestVerdict(t *testing.T) {
	created := write{key: "/a", value: "1", rev: 2}
	updated := write{key: "/a", value: "2", floor: 2, expected: 2, rev: 3}
	deleted := write{key: "/a", floor: 3, expected: 3, remove: true, rev: 4}
	all := []write{created, updated, deleted}
	one, two := kv("/a", "1", 2, 2), kv("/a", "2", 2, 3)
	conflict := func(floor, expected storage.Revision, current *storage.KeyValue) write {
		return write{key: "/a", floor: floor, expected: expected, err: &storage.ConflictError{Key: "/a", Current: current}}
	}
	get := func(floor, asked, at storage.Revision, found *storage.KeyValue) read {
		return read{key: "/a", floor: floor, options: storage.ListOptions{Revision: asked}, got: storage.GetResponse{Revision: at, KV: found}}
	}
	list := func(at storage.Revision, limit int, rest int64, found ...storage.KeyValue) read {
		return read{prefix: "/", options: storage.ListOptions{Limit: limit}, listed: storage.ListResponse{Revision: at, KVs: found, Remaining: rest}}
	}
	for name, c := range map[string]struct {
		writes []write
		reads  []read
		want   error
	}{
		"all is well": {
			append(all, conflict(1, 9, nil), conflict(2, 9, one), conflict(2, 9, two), conflict(3, 2, two), conflict(4, 3, nil)),
			[]read{get(0, 0, 1, nil), get(2, 0, 3, two), get(3, 2, 2, one), get(4, 0, 4, nil), list(2, 1, 0, *one), list(4, 0, 0)}, nil,
		},
		"one revision for two writes": {append(all, write{key: "/b", rev: 3}), nil, errRevisions},
		"a revision that is not new":  {append(all, write{key: "/b", floor: 9, rev: 8}), nil, errRevisions},
		"a create of what exists":     {append(all, write{key: "/b", rev: 5}, write{key: "/b", rev: 6}), nil, errSwap},
		"an update that was stale":    {append(all, write{key: "/b", rev: 5}, write{key: "/b", expected: 4, rev: 6}), nil, errSwap},
		"a delete of nothing":         {append(all, write{key: "/b", remove: true, rev: 5}), nil, errSwap},
		"a conflict without reason":   {append(all, conflict(2, 3, two)), nil, errSwap},
		"a conflict over the past":    {append(all, conflict(3, 9, one)), nil, errCurrent},
		"a conflict over nothing":     {all[:2], nil, nil},
		"a conflict over fiction":     {append(all, conflict(2, 9, kv("/a", "x", 2, 3))), nil, errCurrent},
		"a stale read":                {all, []read{get(3, 0, 2, one)}, errLinearizable},
		"a read of another revision":  {all, []read{get(4, 2, 3, two)}, errRepeatable},
		"a wrong read":                {all, []read{get(0, 0, 3, one)}, errRepeatable},
		"a list that lacks a key":     {all, []read{list(3, 0, 0)}, errRepeatable},
		"a list with a wrong rest":    {all, []read{list(3, 1, 1, *two)}, errRepeatable},
		"a failed read":               {all, []read{{key: "/a", err: context.DeadlineExceeded}}, errUnexpected},
		"a failed write":              {append(all, write{key: "/a", err: storage.ErrUnavailable}), nil, errUnexpected},
	} {
		h, err := historyOf([][]write{c.writes}, 1)
		if err == nil {
			err = errors.Join(verdicts(h, [][]write{c.writes}, [][]read{c.reads}, nil)...)
		}
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

func TestGoroutinesLeft(t *testing.T) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() { defer close(ended); <-end }()
	if left := goroutinesLeft(1); len(left) == 0 {
		t.Error("a goroutine that is left is not found")
	}
	close(end)
	<-ended
}
