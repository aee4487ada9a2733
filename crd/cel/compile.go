package cel

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/cel-go/cel"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/keelson-project/keelson/crd/cel/library"
	"github.com/keelson-project/keelson/crd/schema"
)

// checkFrequency is the number of steps of a loop after which its evaluation looks whether it has been cancelled.
const checkFrequency = 100

// expression is one that has been compiled. It is immutable, and shared.
type expression struct {
	program cel.Program // nil where verdict has an error
	verdict
}

// verdict is what can be said of an expression without evaluating it.
type verdict struct {
	err         string // what is wrong with it, in kube-apiserver's words; "" where nothing is
	usesOldSelf bool
	cost        uint64 // estimated, at most
}

// kind says what an expression is there for.
type kind int

const (
	ruleKind kind = iota
	messageKind
)

// compiled is a rule that can be evaluated. A rule of blanks has no expression.
type compiled struct {
	rule      *expression
	message   *expression // of messageExpression; nil where there is none, or the rule is wrong
	fieldPath string      // what is appended to the path of the node
}

// compile compiles a rule of the store, of the node s.
func (sc *scope) compile(rule *apiextensionsv1.ValidationRule, s *schema.Schema) (c compiled) {
	if strings.TrimSpace(rule.Rule) == "" {
		return c
	}
	v := variant{true, isOptional(rule)}
	if c.rule = sc.expression(rule.Rule, v, ruleKind); c.rule.err != "" {
		return c
	}
	if rule.MessageExpression != "" {
		if c.message = sc.expression(rule.MessageExpression, v, messageKind); c.message.err != "" {
			c.message = nil
			return c
		}
	}
	if rule.FieldPath != "" {
		if path, _, err := schema.FieldPath(rule.FieldPath, s, true); err == nil {
			c.fieldPath = path.String()
		}
	}
	return c
}

func isOptional(rule *apiextensionsv1.ValidationRule) bool {
	return rule.OptionalOldSelf != nil && *rule.OptionalOldSelf
}

// judge tells of an expression without keeping it.
func (sc *scope) judge(text string, v variant, k kind) verdict {
	f := sc.memory.of(sc.d, text, v, k)
	if known, ok := sc.memory.verdict(f); ok {
		return known
	}
	return sc.compileNew(f, text, v, k).verdict
}

func (sc *scope) expression(text string, v variant, k kind) *expression {
	f := sc.memory.of(sc.d, text, v, k)
	if e := sc.memory.find(f); e != nil {
		return e
	}
	return sc.compileNew(f, text, v, k)
}

func (sc *scope) compileNew(f fingerprint, text string, v variant, k kind) *expression {
	e := &expression{}
	var err error
	if e.program, e.cost, err = sc.translate(text, v, k, &e.usesOldSelf); err != nil {
		*e = expression{verdict: verdict{err: err.Error(), usesOldSelf: e.usesOldSelf}}
	}
	sc.memory.add(f, e)
	return e
}

// translate does the work. Its errors are complete.
func (sc *scope) translate(text string, v variant, k kind, usesOldSelf *bool) (cel.Program, uint64, error) {
	result, name, of, wrongType := cel.BoolType, "", "", "cel expression must evaluate to a bool"
	if k == messageKind {
		result, name, of, wrongType = cel.StringType, "messageExpression ", " for messageExpression", "messageExpression must evaluate to a string"
	}
	env, err := sc.environment(v)
	if err != nil {
		return nil, 0, err
	}
	ast, issues := env.Compile(text)
	if issues != nil && issues.Err() != nil {
		return nil, 0, fmt.Errorf("%scompilation failed: %s", name, issues)
	}
	if ast.OutputType() != result {
		return nil, 0, fmt.Errorf("%s", wrongType)
	}
	for _, ref := range ast.NativeRep().ReferenceMap() {
		*usesOldSelf = *usesOldSelf || ref.Name == "oldSelf"
	}
	// All that evaluation needs of types is in ast, so the program takes the environment of the library, whose
	// functions are indexed once and which lives anyway.
	program, err := sc.library(v).Program(ast, cel.InterruptCheckFrequency(checkFrequency))
	if err != nil {
		return nil, 0, fmt.Errorf("%sinstantiation failed: %w", programOf(name), err)
	}
	cost, err := sc.library(v).EstimateCost(ast, &library.Cost{Sizes: sc.d})
	if err != nil {
		return nil, 0, fmt.Errorf("cost estimation failed%s: %w", of, err)
	}
	return program, cost.Max, nil
}

func programOf(name string) string {
	if name == "" {
		return "program "
	}
	return name
}

// selfTypeName is another one for each scope, so that nobody writes rules that depend on it.
func selfTypeName() string { return fmt.Sprintf("selfType%d", time.Now().Nanosecond()) }
