package certs

import (
	"crypto/x509"
	"maps"
	"slices"
	"time"

	"github.com/keelson-project/keelson/internal/certify"
)

// What the Secret holds, by key.
const (
	bundleKey     = "ca.crt"
	signerCertKey = "signer.crt"
	signerKeyKey  = "signer.key"
	nextCertKey   = "next.crt"
	nextKeyKey    = "next.key"
)

// state is what replicas agree on: the content of the Secret. It is a value; what it points to does not change.
type state struct {
	signer *certify.Authority  // nil where there is none that can be used
	next   *certify.Authority  // its successor, which is trusted and does not sign yet; nil for most of the time
	bundle []*x509.Certificate // to trust, newest first
}

// decodeState reads a Secret's data. What is damaged counts as missing.
func decodeState(data map[string][]byte) state {
	s := state{bundle: certify.DecodeCertificates(data[bundleKey])}
	s.signer, _ = decodeAuthority(data[signerCertKey], data[signerKeyKey])
	s.next, _ = decodeAuthority(data[nextCertKey], data[nextKeyKey])
	return s
}

func (s state) encode() (map[string][]byte, error) {
	data := map[string][]byte{bundleKey: certify.EncodeCertificates(s.bundle...)}
	for _, part := range []struct {
		a         *certify.Authority
		cert, key string
	}{{s.signer, signerCertKey, signerKeyKey}, {s.next, nextCertKey, nextKeyKey}} {
		if part.a == nil {
			continue
		}
		key, err := certify.EncodeKey(part.a.Key)
		if err != nil {
			return nil, err
		}
		data[part.cert], data[part.key] = certify.EncodeCertificates(part.a.Cert), key
	}
	return data, nil
}

// equal says whether two states are written alike.
func (s state) equal(o state) bool {
	a, _ := s.encode()
	b, _ := o.encode()
	return maps.EqualFunc(a, b, slices.Equal[[]byte])
}

// policy is how long things last.
type policy struct {
	life    time.Duration // of an authority
	leaf    time.Duration // of a serving certificate
	overlap time.Duration // how long a successor is trusted before it signs, at least
}

// renewal is when an authority needs a successor: when a third of its life is left.
func renewal(c *x509.Certificate, life time.Duration) time.Time { return c.NotAfter.Add(-life / 3) }

// step is the state that is to follow s at a time, and when there may be another. trusted is since when all Targets trust
// s.next; zero: they do not.
func (s state) step(now, trusted time.Time, p policy) (state, time.Time, error) {
	good := func(a *certify.Authority) bool { return a != nil && now.Before(a.Cert.NotAfter) }
	if !good(s.next) {
		s.next = nil
	}
	if !good(s.signer) { // there is nothing to be gentle with
		s.signer, s.next = s.next, nil
	}
	var err error
	if s.signer == nil {
		if s.signer, err = newAuthority(now, p.life); err != nil {
			return s, now, err
		}
	}
	if s.next == nil && !now.Before(renewal(s.signer.Cert, p.life)) {
		if s.next, err = newAuthority(now, p.life); err != nil {
			return s, now, err
		}
		trusted = time.Time{}
	}
	var wake time.Time
	switch {
	case s.next == nil:
		wake = renewal(s.signer.Cert, p.life)
	case trusted.IsZero(): // until a Target changes; or never, and then the old one expires
		wake = s.signer.Cert.NotAfter
	case now.Sub(trusted) < p.overlap:
		wake = trusted.Add(p.overlap)
	default:
		s.signer, s.next = s.next, nil
		wake = renewal(s.signer.Cert, p.life)
	}
	s.bundle = s.trusted(now)
	return s, wake, nil
}

// trusted is the bundle: the authorities, and those before them that have not expired.
func (s state) trusted(now time.Time) []*x509.Certificate {
	var out []*x509.Certificate
	add := func(c *x509.Certificate) {
		if now.Before(c.NotAfter) && !slices.ContainsFunc(out, c.Equal) {
			out = append(out, c)
		}
	}
	if s.next != nil {
		add(s.next.Cert)
	}
	add(s.signer.Cert)
	for _, c := range s.bundle {
		add(c)
	}
	return out
}
