// Package apikey lets in who shows the key: `api_key KEY` in a Caddyfile, in the routes that need one.
package apikey

import (
	"crypto/subtle"
	"errors"
	"io"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/prometheus/client_golang/prometheus"
)

func init() {
	caddy.RegisterModule(Handler{})
	httpcaddyfile.RegisterHandlerDirective("api_key", parse)
}

// Handler is the module; its fields are the keys of the config in JSON.
type Handler struct {
	Key string `json:"key"`

	refused prometheus.Counter
}

// CaddyModule says what it is called.
func (Handler) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.handlers.api_key",
		New: func() caddy.Module { return new(Handler) },
	}
}

// Provision finds the counter, which all handlers of a config share.
func (h *Handler) Provision(ctx caddy.Context) error {
	h.refused = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "caddy_api_key_refused_total",
		Help: "Requests without the key.",
	})
	err := ctx.GetMetricsRegistry().Register(h.refused)
	var there prometheus.AlreadyRegisteredError
	if errors.As(err, &there) {
		h.refused = there.ExistingCollector.(prometheus.Counter)
		return nil
	}
	return err
}

// Validate refuses the config where the key might be guessed.
func (h *Handler) Validate() error {
	if len(h.Key) < 16 {
		return errors.New("key is shorter than 16 characters")
	}
	return nil
}

// ServeHTTP is called for each request, on a goroutine of its connection.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	shown := r.Header.Get("X-Api-Key")
	r.Header.Del("X-Api-Key")
	if subtle.ConstantTimeCompare([]byte(shown), []byte(h.Key)) == 1 {
		return next.ServeHTTP(w, r)
	}
	h.refused.Inc()
	w.Header().Set("Content-Type", "text/plain")
	w.WriteHeader(http.StatusUnauthorized)
	_, err := io.WriteString(w, "a key is needed\n")
	return err
}

func parse(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	handler := new(Handler)
	h.Next()
	if !h.Args(&handler.Key) {
		return nil, h.ArgErr()
	}
	return handler, nil
}

var (
	_ caddy.Provisioner           = (*Handler)(nil)
	_ caddy.Validator             = (*Handler)(nil)
	_ caddyhttp.MiddlewareHandler = (*Handler)(nil)
)
