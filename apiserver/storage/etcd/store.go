package etcd

import (
	"context"
	"fmt"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// Get implements storage.Store.
func (s *Store) Get(ctx context.Context, key string, o storage.GetOptions) (storage.GetResponse, error) {
	ctx, done, err := s.enter(ctx)
	if err != nil {
		return storage.GetResponse{}, fmt.Errorf("get %s: %w", key, err)
	}
	defer done()
	r, err := s.client.Get(ctx, key, clientv3.WithRev(int64(o.Revision)))
	if err != nil {
		return storage.GetResponse{}, fmt.Errorf("get %s: %w", key, s.storeError(err))
	}
	out := storage.GetResponse{Revision: orLatest(o.Revision, r.Header.Revision)}
	if len(r.Kvs) > 0 {
		kv := keyValue(r.Kvs[0])
		out.KV = &kv
	}
	return out, nil
}

// List implements storage.Store.
func (s *Store) List(ctx context.Context, prefix string, o storage.ListOptions) (storage.ListResponse, error) {
	ctx, done, err := s.enter(ctx)
	if err != nil {
		return storage.ListResponse{}, fmt.Errorf("list %s: %w", prefix, err)
	}
	defer done()
	start := max(prefix, o.Start, "\x00") // etcd knows no empty key
	r, err := s.client.Get(ctx, start,
		clientv3.WithRange(clientv3.GetPrefixRangeEnd(prefix)), clientv3.WithRev(int64(o.Revision)), clientv3.WithLimit(int64(o.Limit)))
	if err != nil {
		return storage.ListResponse{}, fmt.Errorf("list %s: %w", prefix, s.storeError(err))
	}
	out := storage.ListResponse{Revision: orLatest(o.Revision, r.Header.Revision), KVs: make([]storage.KeyValue, len(r.Kvs))}
	for i, kv := range r.Kvs {
		out.KVs[i] = keyValue(kv)
	}
	if o.Limit > 0 {
		out.Remaining = r.Count - int64(len(r.Kvs))
	}
	return out, nil
}

func orLatest(asked storage.Revision, latest int64) storage.Revision {
	if asked > 0 {
		return asked
	}
	return storage.Revision(latest)
}

func keyValue(kv *mvccpb.KeyValue) storage.KeyValue {
	return storage.KeyValue{
		Key: string(kv.Key), Value: kv.Value,
		CreateRevision: storage.Revision(kv.CreateRevision), ModRevision: storage.Revision(kv.ModRevision),
	}
}

// Put implements storage.Store.
func (s *Store) Put(ctx context.Context, key string, value []byte, expected storage.Revision, o storage.PutOptions) (storage.Revision, error) {
	ctx, done, err := s.enter(ctx)
	if err != nil {
		return 0, fmt.Errorf("put %s: %w", key, err)
	}
	defer done()
	var options []clientv3.OpOption
	if o.TTL > 0 {
		id, err := s.leases.grant(ctx, o.TTL)
		if err != nil {
			return 0, fmt.Errorf("put %s: %w", key, s.storeError(err))
		}
		options = append(options, clientv3.WithLease(id))
	}
	return s.write(ctx, "put", key, expected, clientv3.OpPut(key, string(value), options...))
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
	return s.write(ctx, "delete", key, expected, clientv3.OpDelete(key))
}

// write runs one operation if the key still is at the expected revision; otherwise the same transaction reads what
// stands there instead.
func (s *Store) write(ctx context.Context, verb, key string, expected storage.Revision, op clientv3.Op) (storage.Revision, error) {
	ctx, done, err := s.enter(ctx)
	if err != nil {
		return 0, fmt.Errorf("%s %s: %w", verb, key, err)
	}
	defer done()
	r, err := s.client.Txn(ctx).
		If(clientv3.Compare(clientv3.ModRevision(key), "=", int64(expected))).
		Then(op).Else(clientv3.OpGet(key)).Commit()
	if err != nil {
		return 0, fmt.Errorf("%s %s: %w", verb, key, s.storeError(err))
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

// Revision implements storage.Store, by a linearizable read of a key that nobody writes.
func (s *Store) Revision(ctx context.Context) (storage.Revision, error) {
	ctx, done, err := s.enter(ctx)
	if err != nil {
		return 0, fmt.Errorf("the store's revision: %w", err)
	}
	defer done()
	r, err := s.client.Get(ctx, "/", clientv3.WithKeysOnly())
	if err != nil {
		return 0, fmt.Errorf("the store's revision: %w", s.storeError(err))
	}
	return storage.Revision(r.Header.Revision), nil
}

// Compact implements storage.Store.
func (s *Store) Compact(ctx context.Context, rev storage.Revision) error {
	ctx, done, err := s.enter(ctx)
	if err != nil {
		return fmt.Errorf("compact to %d: %w", rev, err)
	}
	defer done()
	if _, err = s.client.Compact(ctx, int64(rev)); err != nil {
		return fmt.Errorf("compact to %d: %w", rev, s.storeError(err))
	}
	return nil
}
