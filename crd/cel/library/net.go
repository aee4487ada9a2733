package library

import (
	"fmt"
	"net/netip"
	"reflect"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

var (
	ipType   = cel.OpaqueType("net.IP")
	cidrType = cel.OpaqueType("net.CIDR")
)

// ip is a value of type net.IP.
type ip struct{ netip.Addr }

func (a ip) ConvertToNative(t reflect.Type) (any, error) { return toNative(a.Addr, a.Addr, "IP", t) }
func (a ip) ConvertToType(t ref.Type) ref.Val {
	if t == types.StringType {
		return types.String(a.String())
	}
	return toType(a, ipType, t)
}

func (a ip) Equal(other ref.Val) ref.Val {
	o, ok := other.(ip)
	if !ok {
		return noOverload(other)
	}
	return types.Bool(a.Addr == o.Addr)
}

func (a ip) Type() ref.Type { return ipType }
func (a ip) Value() any     { return a.Addr }

// Size is the number of bytes of the address; costs are worked out from it.
func (a ip) Size() ref.Val { return types.Int((a.BitLen() + 7) / 8) }

// cidr is a value of type net.CIDR.
type cidr struct{ netip.Prefix }

func (c cidr) ConvertToNative(t reflect.Type) (any, error) {
	return toNative(c.Prefix, c.Prefix, "CIDR", t)
}

func (c cidr) ConvertToType(t ref.Type) ref.Val {
	if t == types.StringType {
		return types.String(c.String())
	}
	return toType(c, cidrType, t)
}

func (c cidr) Equal(other ref.Val) ref.Val {
	o, ok := other.(cidr)
	if !ok {
		return noOverload(other)
	}
	return types.Bool(c.Prefix == o.Prefix)
}

func (c cidr) Type() ref.Type { return cidrType }
func (c cidr) Value() any     { return c.Prefix }

// Size is the number of bytes that the prefix covers in part at least.
func (c cidr) Size() ref.Val { return types.Int((c.Bits() + 7) / 8) }

// ips are ip, isIP, ip.isCanonical, and what an address is.
func ips() []function {
	text, one := []*cel.Type{cel.StringType}, []*cel.Type{ipType}
	is := func(name, id string, f func(netip.Addr) bool) function {
		return function{name, []cel.FunctionOpt{member(id, one, cel.BoolType, unary(func(a netip.Addr) ref.Val {
			return types.Bool(f(a))
		}))}}
	}
	return []function{
		{"ip", []cel.FunctionOpt{
			global("string_to_ip", text, ipType, cel.UnaryBinding(toIP)),
			member("cidr_ip", []*cel.Type{cidrType}, ipType, unary(func(p netip.Prefix) ref.Val { return ip{p.Addr()} })),
		}},
		{"isIP", []cel.FunctionOpt{global("is_ip", text, cel.BoolType, unary(func(s string) ref.Val {
			_, err := parseIP(s)
			return types.Bool(err == nil)
		}))}},
		{"ip.isCanonical", []cel.FunctionOpt{global("ip_is_canonical", text, cel.BoolType, unary(func(s string) ref.Val {
			a, err := parseIP(s)
			if err != nil {
				return types.NewErr("%v", err)
			}
			return types.Bool(a.String() == s)
		}))}},
		{"family", []cel.FunctionOpt{member("ip_family", one, cel.IntType, unary(func(a netip.Addr) ref.Val {
			if a.Is4() {
				return types.Int(4)
			}
			return types.Int(6)
		}))}},
		{"string", []cel.FunctionOpt{
			global("ip_to_string", one, cel.StringType, unary(func(a netip.Addr) ref.Val { return types.String(a.String()) })),
			global("cidr_to_string", []*cel.Type{cidrType}, cel.StringType, unary(func(p netip.Prefix) ref.Val { return types.String(p.String()) })),
		}},
		is("isUnspecified", "ip_is_unspecified", netip.Addr.IsUnspecified),
		is("isLoopback", "ip_is_loopback", netip.Addr.IsLoopback),
		is("isLinkLocalMulticast", "ip_is_link_local_multicast", netip.Addr.IsLinkLocalMulticast),
		is("isLinkLocalUnicast", "ip_is_link_local_unicast", netip.Addr.IsLinkLocalUnicast),
		is("isGlobalUnicast", "ip_is_global_unicast", netip.Addr.IsGlobalUnicast),
	}
}

// cidrs are cidr, isCIDR, and how networks relate.
func cidrs() []function {
	text, one := []*cel.Type{cel.StringType}, []*cel.Type{cidrType}
	withText := []*cel.Type{cidrType, cel.StringType}
	return []function{
		{"cidr", []cel.FunctionOpt{global("string_to_cidr", text, cidrType, cel.UnaryBinding(toCIDR))}},
		{"isCIDR", []cel.FunctionOpt{global("is_cidr", text, cel.BoolType, unary(func(s string) ref.Val {
			_, err := parseCIDR(s)
			return types.Bool(err == nil)
		}))}},
		{"containsIP", []cel.FunctionOpt{
			member("cidr_contains_ip_string", withText, cel.BoolType, cel.BinaryBinding(func(c, s ref.Val) ref.Val { return containsIP(c, toIP(s)) })),
			member("cidr_contains_ip_ip", []*cel.Type{cidrType, ipType}, cel.BoolType, cel.BinaryBinding(containsIP)),
		}},
		{"containsCIDR", []cel.FunctionOpt{
			member("cidr_contains_cidr_string", withText, cel.BoolType, cel.BinaryBinding(func(c, s ref.Val) ref.Val { return containsCIDR(c, toCIDR(s)) })),
			member("cidr_contains_cidr", []*cel.Type{cidrType, cidrType}, cel.BoolType, cel.BinaryBinding(containsCIDR)),
		}},
		{"prefixLength", []cel.FunctionOpt{member("cidr_prefix_length", one, cel.IntType, unary(func(p netip.Prefix) ref.Val {
			return types.Int(p.Bits())
		}))}},
		{"masked", []cel.FunctionOpt{member("cidr_masked", one, cidrType, unary(func(p netip.Prefix) ref.Val {
			return cidr{p.Masked()}
		}))}},
	}
}

func toIP(arg ref.Val) ref.Val {
	s, ok := arg.Value().(string)
	if !ok {
		return noOverload(arg)
	}
	a, err := parseIP(s)
	if err != nil {
		return types.NewErr("%v", err)
	}
	return ip{a}
}

func toCIDR(arg ref.Val) ref.Val {
	s, ok := arg.Value().(string)
	if !ok {
		return noOverload(arg)
	}
	p, err := parseCIDR(s)
	if err != nil {
		return types.NewErr("network address parse error during conversion from string: %v", err)
	}
	return cidr{p}
}

// parseIP takes the addresses that Kubernetes takes in its own fields: no zones, no IPv4 in IPv6.
func parseIP(s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(s)
	switch {
	case err != nil:
		return a, fmt.Errorf("IP Address %q parse error during conversion from string: %v", s, err) //nolint:errorlint // its text only
	case a.Zone() != "":
		return a, fmt.Errorf("IP address %q with zone value is not allowed", s)
	case a.Is4In6():
		return a, fmt.Errorf("IPv4-mapped IPv6 address %q is not allowed", s)
	}
	return a, nil
}

func parseCIDR(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, fmt.Errorf("network address parse error during conversion from string: %v", err) //nolint:errorlint // its text only
	}
	if p.Addr().Is4In6() {
		return p, fmt.Errorf("IPv4-mapped IPv6 address %q is not allowed", s)
	}
	return p, nil
}

// containsIP answers for an address that could not be parsed that there is no overload, containsCIDR with the error;
// so do they in kube-apiserver.
func containsIP(arg, other ref.Val) ref.Val {
	c, ok := arg.(cidr)
	if !ok {
		return noOverload(other)
	}
	a, ok := other.(ip)
	if !ok {
		return noOverload(arg)
	}
	return types.Bool(c.Contains(a.Addr))
}

func containsCIDR(arg, other ref.Val) ref.Val {
	c, ok := arg.(cidr)
	if !ok {
		return noOverload(arg)
	}
	o, ok := other.(cidr)
	if !ok {
		return noOverload(other)
	}
	return types.Bool(c.Overlaps(o.Prefix) && c.Bits() <= o.Bits())
}
