package validation

import (
	"fmt"
	"math"
	"strconv"
)

// number is an integer or a float, as a value's Go type says.
type number struct {
	isInt bool
	i     int64
	f     float64 // where isInt, i as a float
}

func integer(i int64) number { return number{true, i, float64(i)} }
func float(f float64) number { return number{f: f} }

// shown is the number as an error shows it.
func (x number) shown() any {
	if x.isInt {
		return x.i
	}
	return x.f
}

// checkNumber checks the range of the type's format and the bounds. Integers are compared as integers, with
// bounds cut to integers, as Kubernetes does.
func (c *valueCheck) checkNumber(x number) {
	if !c.inRange(x) {
		c.failRange("Checked")
	}
	if c.MultipleOf != nil {
		c.checkMultiple(x, *c.MultipleOf)
	}
	if c.Minimum != nil {
		c.checkBound(x, *c.Minimum, c.ExclusiveMinimum, false)
	}
	if c.Maximum != nil {
		c.checkBound(x, *c.Maximum, c.ExclusiveMaximum, true)
	}
}

// inRange reports whether x, the value or a keyword's, is one of the type and format.
func (n *node) inRange(x number) bool {
	if len(n.types) != 1 {
		return true
	}
	switch n.types[0] {
	case "integer":
		bits := 64
		if n.format == "int32" {
			bits = 32
		}
		if x.isInt {
			return bits == 64 || x.i == int64(int32(x.i))
		}
		return isInteger(x.f, bits)
	case "number":
		return n.format != "float" || math.Abs(x.f) <= math.MaxFloat32
	}
	return true
}

// isInteger says whether f in decimal digits, as few as tell it from its neighbours, is an integer of so many bits.
func isInteger(f float64, bits int) bool {
	const exact = 1 << 53
	if f != math.Trunc(f) {
		return false
	}
	if math.Abs(f) <= exact {
		return bits == 64 || f == float64(int32(f))
	}
	_, err := strconv.ParseInt(strconv.FormatFloat(f, 'f', -1, 64), 10, bits)
	return err == nil
}

// failRange tells that the value, or a keyword's, is out of the range of the type and format.
func (c *valueCheck) failRange(what string) {
	if !c.fails() {
		return
	}
	text := fmt.Sprintf("%s value must be of type %s with format %s in %%s", what, c.types[0], c.format)
	if supportedFormat(c.types, c.format) == "" { // no other says anything of a range
		text = fmt.Sprintf("%s value must be of type %s (default format) in %%s", what, c.types[0])
	}
	c.report(&failure{kind: ofWhole, text: text})
}

func (c *valueCheck) checkMultiple(x number, factor float64) {
	native := c.inRange(float(factor))
	if !native {
		c.failRange("MultipleOf")
	}
	of, multiple := float(factor), false
	if x.isInt && native {
		of = integer(int64(factor))
		multiple = of.i > 0 && x.i%of.i == 0
	} else if factor > 0 {
		x = float(x.f)
		quotient := x.f / factor
		if factor < 1 {
			quotient = 1 / factor * x.f
		}
		multiple = isWhole(quotient)
	}
	switch {
	case multiple || !c.fails():
	case of.f <= 0:
		c.report(&failure{kind: invalid, value: of.shown(),
			text: fmt.Sprintf("factor MultipleOf declared for %%s must be positive: %v", of.shown())})
	default:
		c.report(&failure{kind: invalid, value: x.shown(), text: fmt.Sprintf("%%s in body should be a multiple of %v", of.shown())})
	}
}

func (c *valueCheck) checkBound(x number, bound float64, exclusive, upper bool) {
	native := c.inRange(float(bound))
	if !native {
		what := "Minimum boundary"
		if upper {
			what = "Maximum boundary"
		}
		c.failRange(what)
	}
	limit := float(bound)
	var sign int // of x - bound
	if x.isInt && native {
		limit = integer(int64(bound))
		sign = compare(x.i, limit.i)
	} else {
		x = float(x.f)
		sign = compare(x.f, bound)
	}
	if upper {
		sign = -sign
	}
	if sign > 0 || sign == 0 && !exclusive || !c.fails() {
		return
	}
	words := "greater than"
	if upper {
		words = "less than"
	}
	if !exclusive {
		words += " or equal to"
	}
	c.report(&failure{kind: invalid, value: x.shown(), text: fmt.Sprintf("%%s in body should be %s %v", words, limit.shown())})
}

func compare[T int64 | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// isWhole says whether f is an integer that JSON can carry exactly, give or take an error of representation.
func isWhole(f float64) bool {
	const largest, epsilon = 1<<53 - 1, 1e-9
	if math.IsNaN(f) || math.Abs(f) > largest {
		return false
	}
	rounded := math.Round(f)
	return f == rounded || rounded != 0 && math.Abs(f-rounded) < epsilon*math.Abs(rounded)
}
