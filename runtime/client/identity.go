package client

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// identity is who asks, in headers.
type identity struct {
	agent []string
	file  string // of the token, "" where it does not change

	mu    sync.Mutex
	token string
	auth  []string  // the header with token
	read  time.Time // when file was last read into token; zero: read it again
}

// rereadToken is how old a token of a file may be: kubelets write a new one long before the old one ends.
const rereadToken = time.Minute

func newIdentity(c Config) *identity {
	if c.UserAgent == "" {
		c.UserAgent = "keelson"
	}
	i := &identity{agent: []string{c.UserAgent}, file: c.BearerTokenFile}
	i.set(c.BearerToken)
	return i
}

func (i *identity) set(token string) {
	i.token, i.auth = token, nil
	if token != "" {
		i.auth = []string{"Bearer " + token}
	}
}

// sign adds the headers, and returns the token in them.
func (i *identity) sign(h http.Header) (token string, err error) {
	h["User-Agent"] = i.agent
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.file != "" && (i.read.IsZero() || time.Since(i.read) > rereadToken) {
		data, err := os.ReadFile(i.file)
		switch {
		case err == nil:
			i.set(strings.TrimSpace(string(data)))
			i.read = time.Now()
		case i.token == "": // an old token may still be good
			return "", fmt.Errorf("client: Config.BearerTokenFile: %w", err)
		}
	}
	if i.auth != nil {
		h["Authorization"] = i.auth
	}
	return i.token, nil
}

// refused is told that the server does not take a token, and says whether there is another one by now.
func (i *identity) refused(token string) (again bool) {
	if i.file == "" {
		return false
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.token != token {
		return true
	}
	data, err := os.ReadFile(i.file)
	if err != nil || strings.TrimSpace(string(data)) == token {
		return false
	}
	i.read = time.Time{}
	return true
}
