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

// compiled is a rule, ready to be evaluated. A rule of blanks has neither program nor error.
type compiled struct {
	program     cel.Program
	err         string // what is wrong with the rule; "" where nothing is
	usesOldSelf bool
	cost        uint64 // estimated, at most

	message     cel.Program // of messageExpression; nil where there is none, or it is wrong
	messageErr  string
	messageCost uint64

	fieldPath string // as it is appended to the path of the node
}

// known says which expressions are in the store already. They are compiled with all that it may hold.
type known struct{ rules, messages func(expression string) bool }

func everything(string) bool { return true }

// compile compiles a rule of the node s in its scope. What it finds wrong is in kube-apiserver's words.
func (sc *scope) compile(rule *apiextensionsv1.ValidationRule, s *schema.Schema, stored known) (c compiled) {
	if strings.TrimSpace(rule.Rule) == "" {
		return c
	}
	v := variant{stored.rules(rule.Rule), rule.OptionalOldSelf != nil && *rule.OptionalOldSelf}
	ast, problem := sc.check(rule.Rule, v, cel.BoolType)
	if problem != "" {
		c.err = problemOf("compilation failed: ", "cel expression must evaluate to a bool", problem)
		return c
	}
	for _, ref := range ast.NativeRep().ReferenceMap() {
		c.usesOldSelf = c.usesOldSelf || ref.Name == "oldSelf"
	}
	program, err := sc.program(ast, v)
	if err != nil {
		c.err = "program instantiation failed: " + err.Error()
		return c
	}
	if c.cost, err = sc.estimate(ast, v); err != nil {
		c.err = "cost estimation failed: " + err.Error()
		return c
	}
	c.program = program
	if rule.MessageExpression != "" {
		v.stored = stored.messages(rule.MessageExpression)
		if sc.compileMessage(&c, rule.MessageExpression, v); c.messageErr != "" {
			return c
		}
	}
	if rule.FieldPath != "" {
		if path, err := resolveFieldPath(rule.FieldPath, s); err == nil {
			c.fieldPath = path.String()
		}
	}
	return c
}

func (sc *scope) compileMessage(c *compiled, expression string, v variant) {
	ast, problem := sc.check(expression, v, cel.StringType)
	if problem != "" {
		c.messageErr = problemOf("messageExpression compilation failed: ", "messageExpression must evaluate to a string", problem)
		return
	}
	program, err := sc.program(ast, v)
	if err != nil {
		c.messageErr = "messageExpression instantiation failed: " + err.Error()
		return
	}
	if c.messageCost, err = sc.estimate(ast, v); err != nil {
		c.messageErr = "cost estimation failed for messageExpression: " + err.Error()
		return
	}
	c.message = program
}

// otherType is the problem of an expression that is fine, but gives a value of another type.
const otherType = "\x00"

func problemOf(prefix, wrongType, problem string) string {
	if problem == otherType {
		return wrongType
	}
	return prefix + problem
}

func (sc *scope) check(expression string, v variant, result *cel.Type) (ast *cel.Ast, problem string) {
	env, err := sc.environment(v)
	if err != nil {
		return nil, err.Error()
	}
	ast, issues := env.Compile(expression)
	if issues != nil && issues.Err() != nil {
		return nil, issues.String()
	}
	if ast.OutputType() != result {
		return nil, otherType
	}
	return ast, ""
}

// program plans the evaluation of ast. All that it needs of types is in ast, so it takes the environment of the
// library, whose functions are indexed once and which lives anyway.
func (sc *scope) program(ast *cel.Ast, v variant) (cel.Program, error) {
	return sc.library(v).Program(ast, cel.InterruptCheckFrequency(checkFrequency))
}

func (sc *scope) estimate(ast *cel.Ast, v variant) (uint64, error) {
	estimate, err := sc.library(v).EstimateCost(ast, &library.Cost{Sizes: sc.d})
	return estimate.Max, err
}

// selfTypeName is another one for each scope, so that nobody writes rules that depend on it.
func selfTypeName() string { return fmt.Sprintf("selfType%d", time.Now().Nanosecond()) }
