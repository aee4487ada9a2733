package cel

import (
	"context"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/crd/schema"
)

// ValidateDefault evaluates the rules of s, and of what is below it, on the default of s, which stands at path: as a
// value that stays, and where that is fine as one that is new. root says that s is the schema of a resource.
func ValidateDefault(ctx context.Context, path *field.Path, s *schema.Schema, root bool, left *Budget) field.ErrorList {
	if !s.HasRules() || s.Default == nil {
		return nil
	}
	n := newNode(s, root, nil)
	stays := evaluation{ctx: ctx, remaining: int64(*left)}
	stays.node(n, path, s.Default, s.Default, nil, nil)
	remaining := stays.remaining
	errs := stays.errs
	if len(errs) == 0 {
		comes := evaluation{ctx: ctx, remaining: int64(*left)}
		comes.node(n, path, s.Default, nil, nil, nil)
		errs, remaining = comes.errs, min(remaining, comes.remaining)
	}
	*left = Budget(remaining)
	return errs
}
