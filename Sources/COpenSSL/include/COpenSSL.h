// OpenSSL as Swift can call it: its headers, its macros as functions, and a BIO over memory that the caller owns.
#ifndef SLUICE_COPENSSL_H
#define SLUICE_COPENSSL_H

#include <stddef.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

// What a connection's BIO reads from and writes to. The memory is lent for the length of one call of OpenSSL; when
// `output` is full, the BIO says that it wants to write, and the caller gives it more room.
typedef struct {
    const unsigned char *input;
    size_t input_count;
    unsigned char *output;
    size_t output_room;
    size_t output_count;
    // No more input will come.
    int input_ended;
} TLSBuffers;

// A BIO over `buffers`, which must live as long as it; NULL where there is no memory.
BIO *tls_bio_new(TLSBuffers *buffers);

// Macros of OpenSSL.
static inline uint64_t tls_options(void) {
    // Our order of suites counts, but for those who put ChaCha20 first because their processor has no AES.
    return SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA;
}
static inline uint64_t tls_no_tickets(void) { return SSL_OP_NO_TICKET; }
static inline void tls_set_mode(SSL_CTX *ctx, long mode) { SSL_CTX_set_mode(ctx, mode); }
static inline int tls_set_min_version(SSL_CTX *ctx, int version) { return SSL_CTX_set_min_proto_version(ctx, version); }
static inline int tls_set_max_version(SSL_CTX *ctx, int version) { return SSL_CTX_set_max_proto_version(ctx, version); }
static inline int tls_set_groups(SSL_CTX *ctx, const char *list) { return SSL_CTX_set1_groups_list(ctx, list) == 1; }
static inline int tls_set_signatures(SSL_CTX *ctx, const char *l) { return SSL_CTX_set1_sigalgs_list(ctx, l) == 1; }
static inline void tls_set_cache_mode(SSL_CTX *ctx, long mode) { SSL_CTX_set_session_cache_mode(ctx, mode); }
static inline int tls_add_chain_certificate(SSL_CTX *ctx, X509 *c) { return SSL_CTX_add1_chain_cert(ctx, c) == 1; }
static inline int tls_add_connection_chain_certificate(SSL *ssl, X509 *c) { return SSL_add1_chain_cert(ssl, c) == 1; }
static inline int tls_clear_chain(SSL_CTX *ctx) { return SSL_CTX_clear_chain_certs(ctx) == 1; }
static inline int tls_set_host_name(SSL *ssl, const char *name) { return SSL_set_tlsext_host_name(ssl, name) == 1; }
static inline long tls_set_fragment(SSL_CTX *ctx, long size) { return SSL_CTX_set_max_send_fragment(ctx, size); }
static inline void tls_set_status_callback(SSL_CTX *ctx, int (*body)(SSL *, void *), void *argument) {
    SSL_CTX_set_tlsext_status_cb(ctx, body);
    SSL_CTX_set_tlsext_status_arg(ctx, argument);
}
// Takes over `bytes`, which OPENSSL_malloc made.
static inline void tls_set_staple(SSL *ssl, unsigned char *bytes, long count) {
    SSL_set_tlsext_status_ocsp_resp(ssl, bytes, count);
}
static inline void *tls_allocate(size_t count) { return OPENSSL_malloc(count); }
static inline void tls_free(void *memory) { OPENSSL_free(memory); }
static inline int tls_error_library(unsigned long code) { return ERR_GET_LIB(code); }
static inline int tls_error_reason(unsigned long code) { return ERR_GET_REASON(code); }
static inline int tls_alert_of_reason(int reason) { return reason > SSL_AD_REASON_OFFSET ? reason - SSL_AD_REASON_OFFSET : -1; }
static inline long tls_buffered(BIO *bio, const unsigned char **bytes) { return BIO_get_mem_data(bio, (char **)bytes); }

// A distinguished name as RFC 2253 writes it, in UTF-8.
static inline int tls_print_name(BIO *bio, const X509_NAME *name) {
    return X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
}

// What authenticates a session ticket: an HMAC with SHA-256.
static inline int tls_set_ticket_mac(EVP_MAC_CTX *mac, unsigned char *key, size_t count) {
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key, count),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, "SHA256", 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(mac, parameters);
}

// Stacks, which OpenSSL types by macros.
static inline int tls_certificate_count(const STACK_OF(X509) *stack) { return stack ? sk_X509_num(stack) : 0; }
static inline X509 *tls_certificate_at(const STACK_OF(X509) *stack, int index) { return sk_X509_value(stack, index); }
static inline int tls_name_count(const GENERAL_NAMES *names) { return names ? sk_GENERAL_NAME_num(names) : 0; }
static inline GENERAL_NAME *tls_name_at(const GENERAL_NAMES *names, int index) { return sk_GENERAL_NAME_value(names, index); }

#endif
