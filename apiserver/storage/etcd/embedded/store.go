package embedded

import (
	"context"
	"errors"
	"fmt"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	etcderrors "go.etcd.io/etcd/server/v3/etcdserver/errors"
	"go.etcd.io/etcd/server/v3/storage/mvcc"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// Reads go to the applied state directly. That is linearizable here: a write is acknowledged after this member, the
// only one there is, has applied it.

// Get implements storage.Store.
func (s *Store) Get(ctx context.Context, key string, o storage.GetOptions) (storage.GetResponse, error) {
	r, err := s.read(ctx, []byte(key), nil, mvcc.RangeOptions{Rev: int64(o.Revision)})
	if err != nil {
		return storage.GetResponse{}, fmt.Errorf("get %s: %w", key, err)
	}
	out := storage.GetResponse{Revision: orLatest(o.Revision, r.Rev)}
	if len(r.KVs) > 0 {
		kv := keyValue(r.KVs[0])
		out.KV = &kv
	}
	return out, nil
}

// List implements storage.Store.
func (s *Store) List(ctx context.Context, prefix string, o storage.ListOptions) (storage.ListResponse, error) {
	start, end := keyRange(prefix)
	if o.Start > prefix {
		start = []byte(o.Start)
	}
	r, err := s.read(ctx, start, end, mvcc.RangeOptions{Rev: int64(o.Revision), Limit: int64(o.Limit), WithTotalCount: o.Limit > 0})
	if err != nil {
		return storage.ListResponse{}, fmt.Errorf("list %s: %w", prefix, err)
	}
	out := storage.ListResponse{Revision: orLatest(o.Revision, r.Rev), KVs: make([]storage.KeyValue, len(r.KVs))}
	for i, kv := range r.KVs {
		out.KVs[i] = keyValue(kv)
	}
	if o.Limit > 0 {
		out.Remaining = int64(r.Count) - int64(len(r.KVs))
	}
	return out, nil
}

func (s *Store) read(ctx context.Context, key, end []byte, o mvcc.RangeOptions) (*mvcc.RangeResult, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.leave()
	r, err := s.server.KV().Range(ctx, key, end, o)
	return r, storeError(ctx, err)
}

// enter begins a call, which keeps Close waiting until it leaves: etcd's memory is unmapped by then. A call does
// not enter twice, as Close may have come in between.
func (s *Store) enter(ctx context.Context) error {
	s.mu.RLock()
	err := ctx.Err()
	if s.closed {
		err = storage.ErrClosed
	}
	if err != nil {
		s.mu.RUnlock()
	}
	return err
}

func (s *Store) leave() { s.mu.RUnlock() }

func orLatest(asked storage.Revision, latest int64) storage.Revision {
	if asked > 0 {
		return asked
	}
	return storage.Revision(latest)
}

// keyRange is the first key that may begin with prefix, and the first after all that do, in etcd's terms.
func keyRange(prefix string) (start, end []byte) {
	if prefix == "" {
		return []byte{0}, []byte{} // a watcher of the key "" would see nothing
	}
	end = []byte(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i] < 0xff {
			end[i]++
			return []byte(prefix), end[:i+1]
		}
	}
	return []byte(prefix), []byte{} // no such key: everything from the start on
}

func keyValue(kv *mvccpb.KeyValue) storage.KeyValue {
	return storage.KeyValue{
		Key: string(kv.Key), Value: kv.Value,
		CreateRevision: storage.Revision(kv.CreateRevision), ModRevision: storage.Revision(kv.ModRevision),
	}
}

// Put implements storage.Store.
func (s *Store) Put(ctx context.Context, key string, value []byte, expected storage.Revision, o storage.PutOptions) (storage.Revision, error) {
	if len(value) > s.maxSize {
		return 0, fmt.Errorf("put %s: %w: %d bytes, at most %d", key, storage.ErrTooLarge, len(value), s.maxSize)
	}
	if err := s.enter(ctx); err != nil {
		return 0, fmt.Errorf("put %s: %w", key, err)
	}
	defer s.leave()
	if used := s.server.Backend().SizeInUse(); used+int64(len(key)+len(value)) > s.quota {
		s.refused.Store(true)
		return 0, fmt.Errorf("put %s: %w: %d bytes of %d are in use", key, storage.ErrNoSpace, used, s.quota)
	}
	put := &pb.PutRequest{Key: []byte(key), Value: value}
	if o.TTL > 0 {
		id, err := s.leases.grant(ctx, o.TTL)
		if err != nil {
			return 0, fmt.Errorf("put %s: %w", key, storeError(ctx, err))
		}
		put.Lease = id
	}
	return s.write(ctx, "put", key, expected, &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: put}})
}

// Delete implements storage.Store.
func (s *Store) Delete(ctx context.Context, key string, expected storage.Revision) (storage.Revision, error) {
	if expected == 0 { // "does not exist" is no state that a delete can expect
		got, err := s.Get(ctx, key, storage.GetOptions{})
		if err != nil {
			return 0, err
		}
		return 0, &storage.ConflictError{Key: key, Current: got.KV}
	}
	if err := s.enter(ctx); err != nil {
		return 0, fmt.Errorf("delete %s: %w", key, err)
	}
	defer s.leave()
	return s.write(ctx, "delete", key, expected, &pb.RequestOp{Request: &pb.RequestOp_RequestDeleteRange{RequestDeleteRange: &pb.DeleteRangeRequest{Key: []byte(key)}}})
}

// write runs one operation if the key still is at the expected revision; otherwise the same transaction reads what
// stands there instead. Its caller has entered.
func (s *Store) write(ctx context.Context, verb, key string, expected storage.Revision, op *pb.RequestOp) (storage.Revision, error) {
	txn := &pb.TxnRequest{
		Compare: []*pb.Compare{{
			Key: []byte(key), Target: pb.Compare_MOD, Result: pb.Compare_EQUAL,
			TargetUnion: &pb.Compare_ModRevision{ModRevision: int64(expected)},
		}},
		Success: []*pb.RequestOp{op},
		Failure: []*pb.RequestOp{{Request: &pb.RequestOp_RequestRange{RequestRange: &pb.RangeRequest{Key: []byte(key)}}}},
	}
	r, err := s.server.Txn(ctx, txn)
	if err != nil {
		return 0, fmt.Errorf("%s %s: %w", verb, key, storeError(ctx, err))
	}
	if r.Succeeded {
		return storage.Revision(r.Header.Revision), nil
	}
	conflict := &storage.ConflictError{Key: key, Expected: expected}
	if kvs := r.Responses[0].GetResponseRange().GetKvs(); len(kvs) > 0 {
		kv := keyValue(kvs[0])
		conflict.Current = &kv
	}
	return 0, conflict
}

// Revision implements storage.Store.
func (s *Store) Revision(ctx context.Context) (storage.Revision, error) {
	if err := s.enter(ctx); err != nil {
		return 0, fmt.Errorf("the store's revision: %w", err)
	}
	defer s.leave()
	return storage.Revision(s.server.KV().Rev()), nil
}

// Compact implements storage.Store.
func (s *Store) Compact(ctx context.Context, rev storage.Revision) error {
	if err := s.enter(ctx); err != nil {
		return fmt.Errorf("compact to %d: %w", rev, err)
	}
	defer s.leave()
	if _, err := s.server.Compact(ctx, &pb.CompactionRequest{Revision: int64(rev)}); err != nil {
		return fmt.Errorf("compact to %d: %w", rev, storeError(ctx, err))
	}
	return nil
}

// storeError names the errors of a call in the contract's terms.
func storeError(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, mvcc.ErrCompacted):
		return storage.ErrCompacted
	case errors.Is(err, mvcc.ErrFutureRev):
		return storage.ErrFutureRevision
	case errors.Is(err, etcderrors.ErrNoSpace):
		return storage.ErrNoSpace
	case errors.Is(err, etcderrors.ErrRequestTooLarge):
		return storage.ErrTooLarge
	case errors.Is(err, storage.ErrClosed), errors.Is(err, storage.ErrCompacted), errors.Is(err, storage.ErrUnavailable):
		return err
	case ctx.Err() != nil: // etcd has errors of its own for it
		return ctx.Err()
	}
	return fmt.Errorf("%w: %w", storage.ErrUnavailable, err)
}
