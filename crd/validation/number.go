package validation

import (
	"fmt"
	"math"
	"strconv"
)

// checkNumber checks the range of the type's format and the bounds. Integers are compared as integers, with
// bounds cut to integers, as Kubernetes does.
func (c *valueCheck) checkNumber(value any) {
	if len(c.types) == 1 {
		c.checkRange(value, "Checked")
	}
	c.checkMultiple(value)
	c.checkBound(value, c.Minimum, c.ExclusiveMinimum, false)
	c.checkBound(value, c.Maximum, c.ExclusiveMaximum, true)
}

// checkRange reports whether number, the value or a keyword's (what says which), is one of the type and format.
func (c *valueCheck) checkRange(number any, what string) bool {
	if len(c.types) != 1 {
		return true
	}
	ok := true
	switch c.types[0] {
	case "integer":
		bits := 64
		if c.format == "int32" {
			bits = 32
		}
		if i, isInt := number.(int64); isInt {
			ok = bits == 64 || i == int64(int32(i))
		} else {
			_, err := strconv.ParseInt(strconv.FormatFloat(number.(float64), 'f', -1, 64), 10, bits)
			ok = err == nil
		}
	case "number":
		if c.format == "float" {
			ok = math.Abs(toFloat(number)) <= math.MaxFloat32
		}
	}
	if ok {
		return true
	}
	text := fmt.Sprintf("%s value must be of type %s with format %s in %%s", what, c.types[0], c.format)
	if c.format == "" {
		text = fmt.Sprintf("%s value must be of type %s (default format) in %%s", what, c.types[0])
	}
	c.fail(&failure{kind: ofWhole, text: text})
	return false
}

func (c *valueCheck) checkMultiple(value any) {
	if c.MultipleOf == nil {
		return
	}
	factor := *c.MultipleOf
	i, isInt := value.(int64)
	isInt = c.checkRange(factor, "MultipleOf") && isInt
	shown, nonPositive, multiple := any(factor), factor <= 0, false
	if isInt {
		whole := int64(factor)
		shown, nonPositive = whole, whole <= 0
		multiple = !nonPositive && i%whole == 0
	} else if !nonPositive {
		number := toFloat(value)
		quotient := number / factor
		if factor < 1 {
			quotient = 1 / factor * number
		}
		value, multiple = number, isWhole(quotient)
	}
	switch {
	case nonPositive:
		c.fail(&failure{kind: invalid, value: shown,
			text: fmt.Sprintf("factor MultipleOf declared for %%s must be positive: %v", shown)})
	case !multiple:
		c.fail(&failure{kind: invalid, value: value, text: fmt.Sprintf("%%s in body should be a multiple of %v", shown)})
	}
}

func (c *valueCheck) checkBound(value any, bound *float64, exclusive, upper bool) {
	if bound == nil {
		return
	}
	name, words := "Minimum boundary", "greater than"
	if upper {
		name, words = "Maximum boundary", "less than"
	}
	if !exclusive {
		words += " or equal to"
	}
	i, isInt := value.(int64)
	isInt = c.checkRange(*bound, name) && isInt
	var sign int // of value - bound
	shown := any(*bound)
	if isInt {
		whole := int64(*bound)
		shown, sign = whole, compare(i, whole)
	} else {
		value = asShown(value, c.checkedAsFloat(*bound))
		sign = compare(toFloat(value), *bound)
	}
	if upper {
		sign = -sign
	}
	if sign < 0 || sign == 0 && exclusive {
		c.fail(&failure{kind: invalid, value: value, text: fmt.Sprintf("%%s in body should be %s %v", words, shown)})
	}
}

// checkedAsFloat says whether the bound is out of the range of the type, so that Kubernetes compares and shows
// the value as a float.
func (c *valueCheck) checkedAsFloat(bound float64) bool {
	quiet := valueCheck{node: c.node}
	return !quiet.checkRange(bound, "")
}

func asShown(value any, asFloat bool) any {
	if asFloat {
		return toFloat(value)
	}
	return value
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

func toFloat(number any) float64 {
	if i, ok := number.(int64); ok {
		return float64(i)
	}
	return number.(float64)
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
