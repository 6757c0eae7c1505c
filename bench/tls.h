// The client's side of TLS for the load generator: version 1.3 only, and the server's certificate is not verified.
//
// One cipher suite and one group are offered, so that every proxy has to compute the same.
#ifndef BENCH_TLS_H
#define BENCH_TLS_H

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

enum tls_step { TLS_DONE, TLS_WANTS_READ, TLS_WANTS_WRITE, TLS_ENDED, TLS_FAILED };

struct tls_client {
    SSL_CTX *context;
    bool resumes;
    uint64_t full, resumed;  // handshakes
};

/// Keeps the newest ticket in the connection's own place.
static inline int tls_keep(SSL *ssl, SSL_SESSION *session) {
    SSL_SESSION **place = SSL_get_app_data(ssl);
    SSL_SESSION_free(*place);
    *place = session;
    return 1;
}

static inline bool tls_set_up(struct tls_client *t, bool resumes) {
    static const unsigned char protocols[] = "\x08http/1.1";
    t->context = SSL_CTX_new(TLS_client_method());
    t->resumes = resumes;
    if (t->context == NULL) return false;
    SSL_CTX_set_verify(t->context, SSL_VERIFY_NONE, NULL);
    // Reads whole bursts of records at once, not a header and a body of each.
    SSL_CTX_set_read_ahead(t->context, 1);
    SSL_CTX_set_default_read_buffer_len(t->context, 1 << 16);
    SSL_CTX_set_mode(t->context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                                     | SSL_MODE_ENABLE_PARTIAL_WRITE);
    // Some proxies close the socket without a word of TLS.
    SSL_CTX_set_options(t->context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_session_cache_mode(t->context, resumes ? SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE
                                                       : SSL_SESS_CACHE_OFF);
    if (resumes) SSL_CTX_sess_set_new_cb(t->context, tls_keep);
    return SSL_CTX_set_min_proto_version(t->context, TLS1_3_VERSION)
        && SSL_CTX_set_ciphersuites(t->context, "TLS_AES_128_GCM_SHA256")
        && SSL_CTX_set1_groups_list(t->context, "X25519")
        && SSL_CTX_set_alpn_protos(t->context, protocols, sizeof protocols - 1) == 0;
}

/// Begins on a connected socket, with the session in `place` where there is one; NULL when out of memory.
static inline SSL *tls_begin(struct tls_client *t, int fd, SSL_SESSION **place) {
    SSL *ssl = SSL_new(t->context);
    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) return NULL;
    SSL_set_app_data(ssl, place);
    SSL_set_connect_state(ssl);
    if (t->resumes && *place != NULL) SSL_set_session(ssl, *place);
    return ssl;
}

static inline enum tls_step tls_step_of(SSL *ssl, int result) {
    switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_NONE: return TLS_DONE;
    case SSL_ERROR_WANT_READ: return TLS_WANTS_READ;
    case SSL_ERROR_WANT_WRITE: return TLS_WANTS_WRITE;
    case SSL_ERROR_ZERO_RETURN: return TLS_ENDED;
    default: return TLS_FAILED;
    }
}

/// Goes on with the handshake, and counts it when it is done.
static inline enum tls_step tls_shake_hands(struct tls_client *t, SSL *ssl) {
    enum tls_step step = tls_step_of(ssl, SSL_do_handshake(ssl));
    if (step == TLS_DONE) {
        if (SSL_session_reused(ssl)) t->resumed++;
        else t->full++;
    }
    return step;
}

/// Says goodbye, if the peer still listens, and frees.
static inline void tls_end(SSL *ssl) {
    if (ssl == NULL) return;
    if (SSL_is_init_finished(ssl)) SSL_shutdown(ssl);
    SSL_free(ssl);
    ERR_clear_error();
}

#endif
