package embedded

import (
	"github.com/go-logr/logr"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// etcdVerbosity is the level at which what etcd calls information is logged here.
const etcdVerbosity = 4

// zapLogger lets etcd log to a logr.Logger.
func zapLogger(log logr.Logger) *zap.Logger { return zap.New(&core{log: log.WithName("etcd")}) }

// core is a zapcore.Core over a logr.Logger.
type core struct {
	log    logr.Logger
	fields []zapcore.Field
}

func (c *core) Enabled(l zapcore.Level) bool {
	return l >= zapcore.WarnLevel || c.log.V(etcdVerbosity).Enabled()
}

func (c *core) With(fields []zapcore.Field) zapcore.Core {
	return &core{log: c.log, fields: append(append([]zapcore.Field{}, c.fields...), fields...)}
}

func (c *core) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return ce.AddCore(e, c)
	}
	return ce
}

func (c *core) Write(e zapcore.Entry, fields []zapcore.Field) error {
	enc := zapcore.NewMapObjectEncoder()
	for _, f := range append(append([]zapcore.Field{}, c.fields...), fields...) {
		f.AddTo(enc)
	}
	kv := make([]any, 0, 2*len(enc.Fields))
	for k, v := range enc.Fields {
		kv = append(kv, k, v)
	}
	switch {
	case e.Level >= zapcore.ErrorLevel:
		c.log.Error(nil, e.Message, kv...)
	case e.Level == zapcore.WarnLevel:
		c.log.V(1).Info(e.Message, kv...)
	default:
		c.log.V(etcdVerbosity).Info(e.Message, kv...)
	}
	return nil
}

func (c *core) Sync() error { return nil }
