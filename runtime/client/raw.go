package client

import (
	"context"
	"net/http"
	"net/url"
)

// Raw reads what the server has at a path, which is no object. Errors: as for objects.
func (d *Direct) Raw(ctx context.Context, path string, query url.Values) ([]byte, error) {
	data, _, err := d.do(ctx, request{method: http.MethodGet, path: path, query: query.Encode(), accept: jsonType})
	return data, err
}
