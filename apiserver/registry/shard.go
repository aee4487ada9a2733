package registry

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// ShardSelector picks objects by the FNV-1a hash of their UID or namespace (KEP-5866, alpha in Kubernetes 1.36): replicas of
// a controller ask for a part of a collection each.
type ShardSelector struct {
	byNamespace bool
	ranges      []hashRange
	text        string
}

// hashRange includes both ends.
type hashRange struct{ from, to uint64 }

// shardKeys are the fields that may be hashed.
const (
	uidKey       = "object.metadata.uid"
	namespaceKey = "object.metadata.namespace"
)

// ParseShardSelector reads the query parameter shardSelector:
//
//	shardRange(object.metadata.uid, '0x0000000000000000', '0x8000000000000000') || shardRange(...)
//
// The end of a range is exclusive, that of the last one '0x10000000000000000'. All ranges are of one field.
func ParseShardSelector(s string) (*ShardSelector, error) {
	p := shardParser{rest: s}
	out := &ShardSelector{}
	var text []string
	for {
		key, from, to, err := p.shardRange()
		if err != nil {
			return nil, err
		}
		if len(text) > 0 && out.byNamespace != (key == namespaceKey) {
			return nil, errors.New("all shard ranges must use the same field")
		}
		out.byNamespace = key == namespaceKey
		text = append(text, fmt.Sprintf("shardRange(%s, '%s', '%s')", key, from.text, to.text))
		if to.above {
			to.n = 0 // 2^64
		}
		if from.above || !to.above && from.n >= to.n {
			return nil, fmt.Errorf("shard range start %s must be less than end %s", from.text, to.text)
		}
		out.ranges = append(out.ranges, hashRange{from.n, to.n - 1})
		if p.space(); p.rest == "" {
			out.text = strings.Join(text, " || ")
			return out, nil
		}
		if err := p.expect("||"); err != nil {
			return nil, err
		}
	}
}

// String is the selector as lists repeat it in metadata.shardInfo.
func (s *ShardSelector) String() string { return s.text }

// Matches says whether an object is in one of the ranges.
func (s *ShardSelector) Matches(p *resource.Projection) bool {
	value := string(p.UID)
	if s.byNamespace {
		value = p.Namespace
	}
	const offset, prime = 14695981039346656037, 1099511628211 // of the 64 bit FNV-1a
	hash := uint64(offset)
	for i := range len(value) {
		hash = (hash ^ uint64(value[i])) * prime
	}
	for _, r := range s.ranges {
		if r.from <= hash && hash <= r.to {
			return true
		}
	}
	return false
}

// shardParser reads what is left of a selector.
type shardParser struct{ rest string }

func (p *shardParser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// expect goes over a token.
func (p *shardParser) expect(token string) error {
	p.space()
	rest, ok := strings.CutPrefix(p.rest, token)
	if !ok {
		return fmt.Errorf("%q is expected at %q; only shardRange() and || are allowed", token, p.rest)
	}
	p.rest = rest
	return nil
}

// until goes over everything before one of the bytes in stop, which must come.
func (p *shardParser) until(stop string) (string, error) {
	p.space()
	n := strings.IndexAny(p.rest, stop)
	if n < 0 {
		return "", fmt.Errorf("one of %q is expected after %q", stop, p.rest)
	}
	found := strings.TrimSpace(p.rest[:n])
	p.rest = p.rest[n:]
	return found, nil
}

func (p *shardParser) shardRange() (key string, from, to bound, err error) {
	steps := []func() error{
		func() error { return p.expect("shardRange") },
		func() error { return p.expect("(") },
		func() (err error) { key, err = p.until(","); return err },
		func() error { return p.expect(",") },
		func() (err error) { from, err = p.bound("hexStart"); return err },
		func() error { return p.expect(",") },
		func() (err error) { to, err = p.bound("hexEnd"); return err },
		func() error { return p.expect(")") },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return "", bound{}, bound{}, err
		}
	}
	if key != uidKey && key != namespaceKey {
		err = fmt.Errorf("shardRange() first argument: unsupported field path %q; supported: %s, %s", key, uidKey, namespaceKey)
	}
	return key, from, to, err
}

// bound is an end of a range; above is that of the last one, 2^64.
type bound struct {
	n     uint64
	above bool
	text  string
}

func (p *shardParser) bound(name string) (b bound, err error) {
	p.space()
	if p.rest == "" || p.rest[0] != '\'' && p.rest[0] != '"' {
		return b, fmt.Errorf("%s must be a string literal (e.g. '0xff'), got %q", name, p.rest)
	}
	quote := p.rest[:1]
	p.rest = p.rest[1:]
	if b.text, err = p.until(quote); err != nil {
		return b, err
	}
	p.rest = p.rest[1:]
	hex, ok := strings.CutPrefix(b.text, "0x")
	switch {
	case !ok:
		return b, fmt.Errorf("%s must have '0x' prefix, got %q", name, b.text)
	case b.text == "0x10000000000000000":
		return bound{n: math.MaxUint64, above: true, text: b.text}, nil
	case len(hex) != 16 || strings.ToLower(hex) != hex:
		return b, fmt.Errorf("%s must be a 0x-prefixed 16-digit hex value, got %q", name, b.text)
	}
	if b.n, err = strconv.ParseUint(hex, 16, 64); err != nil {
		return b, fmt.Errorf("%s: invalid hex value %q", name, b.text)
	}
	return b, nil
}
