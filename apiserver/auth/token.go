package auth

import (
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
)

// ErrInvalidToken is the error of a bearer token that nobody has.
var ErrInvalidToken = errors.New("invalid bearer token")

// Tokens authenticates bearer tokens out of a fixed set. Tokens are kept and compared as SHA-256 hashes: how long a
// comparison takes tells an attacker nothing about a token.
type Tokens struct {
	users map[[sha256.Size]byte]*User
}

// StaticToken returns an authenticator that knows one token.
func StaticToken(token string, user User) *Tokens {
	t := &Tokens{users: map[[sha256.Size]byte]*User{}}
	t.add(token, user)
	return t
}

func (t *Tokens) add(token string, user User) (fresh bool) {
	hash := sha256.Sum256([]byte(token))
	if t.users[hash] != nil {
		return false
	}
	t.users[hash] = authenticated(&user)
	return true
}

// AuthenticateRequest implements Authenticator with the header "Authorization: Bearer TOKEN".
func (t *Tokens) AuthenticateRequest(r *http.Request) (*User, bool, error) {
	scheme, token, _ := strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return nil, false, nil
	}
	if user := t.users[sha256.Sum256([]byte(token))]; user != nil {
		return user, true, nil
	}
	return nil, false, ErrInvalidToken
}

// ReadTokenFile reads the file of kube-apiserver's flag --token-auth-file: CSV lines of
//
//	token,user,uid,"group1,group2"
//
// of which the groups may be absent. Where kube-apiserver warns and goes on (an empty token, a token twice), it
// returns an error that names the line: who is who must not depend on the order of lines.
func ReadTokenFile(path string) (*Tokens, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	t, err := ParseTokens(f)
	if err != nil {
		return nil, fmt.Errorf("token file %s: %w", path, err)
	}
	return t, nil
}

// ParseTokens reads what ReadTokenFile describes.
func ParseTokens(in io.Reader) (*Tokens, error) {
	t := &Tokens{users: map[[sha256.Size]byte]*User{}}
	reader := csv.NewReader(in)
	reader.FieldsPerRecord = -1
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if err != nil {
			return nil, err // names the line
		}
		line, _ := reader.FieldPos(0)
		switch {
		case len(record) < 3:
			return nil, fmt.Errorf("line %d: want at least 3 columns (token, user, uid), found %d", line, len(record))
		case record[0] == "":
			return nil, fmt.Errorf("line %d: the token is empty", line)
		case record[1] == "":
			return nil, fmt.Errorf("line %d: the user is empty", line)
		}
		user := User{Name: record[1], UID: record[2]}
		if len(record) > 3 && record[3] != "" {
			user.Groups = slices.Collect(strings.SplitSeq(record[3], ","))
		}
		if !t.add(record[0], user) {
			return nil, fmt.Errorf("line %d: the token stands in an earlier line, too", line)
		}
	}
}
