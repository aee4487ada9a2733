package client

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// WriteOptions are what the options of a write come to. It is a WriteOption itself, which sets all of them.
type WriteOptions struct {
	FieldOwner      string // "": the server makes one of the User-Agent
	FieldValidation string // Ignore, Warn or Strict; "" is the server's default, Warn
	Force           bool   // take fields that others own; of Apply only
	DryRun          bool   // store nothing
}

func (o WriteOptions) applyToWrite(to *WriteOptions) { *to = o }

// WriteOptionsOf is what opts say; of two that contradict each other, the later one counts.
func WriteOptionsOf(opts ...WriteOption) WriteOptions {
	var o WriteOptions
	for _, opt := range opts {
		opt.applyToWrite(&o)
	}
	return o
}

// FieldOwner names who is written into managedFields.
type FieldOwner string

func (f FieldOwner) applyToWrite(o *WriteOptions) { o.FieldOwner = string(f) }

// FieldValidation says what the server does with fields that the kind does not have, or that are there twice: Ignore
// drops them, Warn drops them and says so in a Warning header, Strict refuses the request.
type FieldValidation string

func (f FieldValidation) applyToWrite(o *WriteOptions) { o.FieldValidation = string(f) }

// Strict refuses fields that the kind does not have.
const Strict = FieldValidation(metav1.FieldValidationStrict)

type forceOwnership struct{}

func (forceOwnership) applyToWrite(o *WriteOptions) { o.Force = true }

// ForceOwnership has Apply take fields that others own.
var ForceOwnership WriteOption = forceOwnership{}

type dryRunAll struct{ forBoth }

func (dryRunAll) applyToWrite(o *WriteOptions)          { o.DryRun = true }
func (dryRunAll) applyToDelete(o *metav1.DeleteOptions) { o.DryRun = []string{metav1.DryRunAll} }

// DryRunAll does everything but store the result.
var DryRunAll = dryRunAll{}
