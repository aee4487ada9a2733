package up

import (
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/sync/errgroup"

	"github.com/keelson-project/keelson/apiserver"
	"github.com/keelson-project/keelson/apiserver/auth"
	"github.com/keelson-project/keelson/apiserver/auth/pki"
	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/internal/resident"
)

// grace is how long running requests may take to finish when the server stops. Watches end at once.
const grace = 10 * time.Second

// Run serves until ctx ends, and returns when everything has stopped and all data is safe. Errors before the server
// is ready are one line for the user, and name the flag that helps.
func Run(ctx context.Context, c Config) (err error) {
	start := time.Now()
	defer collectGarbage(ctx)()
	if err := c.validate(); err != nil {
		return err
	}
	tokens, err := c.tokens()
	if err != nil {
		return err
	}
	l, err := listen(ctx, c.Listen)
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	d, err := openDataDir(c.DataDir)
	if err != nil {
		return err
	}
	defer d.close()
	p, err := c.prepare(ctx, d, clientAddress(c.Listen, l))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.store.Close()) }()
	in := newInside()
	known := append([]auth.Authenticator{auth.NewClientCertificates(p.pki.Pool(), nil), in.authenticator()}, tokens...)
	pages := &pages{}
	server, err := apiserver.New(apiserver.Config{
		Store: p.store, Authenticator: auth.Union(known...), Authorizer: auth.MastersOnly{},
		Logger: c.Logger, Address: clientAddress(c.Listen, l), Handlers: pages.handlers(),
	})
	if err != nil {
		return err
	}
	return serve(ctx, server, p.httpServer(server, c.Logger), l, func(ctx context.Context) error {
		c.greet(c.Out, p.url, d, p.pki.CAFile(), p.pki.AdminFile(), time.Since(start))
		resident.ReleaseCode()
		return c.runControllers(ctx, server, in, pages)
	})
}

// collectGarbage has package resident decide when that is done, until the function that it returns is called.
func collectGarbage(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { resident.Collect(ctx) })
	return func() {
		cancel()
		wg.Wait()
	}
}

// parts are what a server is made of.
type parts struct {
	url   string
	store storage.Store
	pki   *pki.Authority
}

// prepare opens the store and makes keys at the same time: each waits for the disk.
func (c *Config) prepare(ctx context.Context, d *dataDir, address string) (*parts, error) {
	p := &parts{url: "https://" + address}
	var g errgroup.Group
	g.Go(func() (err error) {
		p.store, err = c.openStore(ctx, d)
		return err
	})
	g.Go(func() error { return p.makeCredentials(c, d) })
	if err := g.Wait(); err != nil {
		if p.store != nil {
			err = errors.Join(err, p.store.Close())
		}
		return nil, err
	}
	return p, nil
}

func (p *parts) makeCredentials(c *Config, d *dataDir) (err error) {
	if p.pki, err = pki.Open(d.file("pki"), pki.Options{Hosts: certificateHosts(c.Listen)}); err != nil {
		return err
	}
	cert, key, err := p.pki.Admin()
	if err != nil {
		return err
	}
	kubeconfig := pki.Kubeconfig{Name: "keelson", Server: p.url, CA: p.pki.CA(), Cert: cert, Key: key}
	raw, err := kubeconfig.YAML()
	if err != nil {
		return err
	}
	return pki.WriteFile(KubeconfigFile(d.path), raw)
}

// tokens reads the token file, where there is one.
func (c *Config) tokens() ([]auth.Authenticator, error) {
	if c.TokenAuthFile == "" {
		return nil, nil
	}
	t, err := auth.ReadTokenFile(c.TokenAuthFile)
	if err != nil {
		return nil, err
	}
	return []auth.Authenticator{t}, nil
}

func (p *parts) httpServer(h http.Handler, logger logr.Logger) *http.Server {
	return &http.Server{
		Handler: h, TLSConfig: p.pki.TLSConfig(),
		ReadHeaderTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: log.New(connectionLog{logger}, "", 0),
	}
}

// connectionLog takes net/http's complaints about clients (broken handshakes and the like), which are nobody's
// concern unless somebody looks for them.
type connectionLog struct{ log logr.Logger }

func (c connectionLog) Write(line []byte) (int, error) {
	c.log.V(1).Info("connection", "message", string(line[:max(0, len(line)-1)]))
	return len(line), nil
}

// serve runs the server and its listener, and beside when the server is ready. When ctx ends, first the requests and
// beside end, and then what they need.
func serve(ctx context.Context, server *apiserver.Server, hs *http.Server, l net.Listener, beside func(context.Context) error) error {
	serving, stopServing := context.WithCancel(ctx)
	defer stopServing()
	running, stopRunning := context.WithCancel(context.WithoutCancel(ctx))
	defer stopRunning()
	ran, besideEnded := make(chan error, 1), make(chan error, 1)
	go func() {
		ran <- server.Run(running)
		stopServing()
	}()
	go func() {
		select {
		case <-server.Ready():
			err := beside(serving)
			if err != nil {
				stopServing()
			}
			besideEnded <- err
		case <-serving.Done():
			besideEnded <- nil
		}
	}()
	err := server.Serve(serving, hs, func() error { return hs.ServeTLS(l, "", "") }, grace)
	stopServing()
	err = errors.Join(err, <-besideEnded)
	stopRunning()
	return errors.Join(err, <-ran)
}
