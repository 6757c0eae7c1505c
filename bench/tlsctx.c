// What a TLS handshake costs a server when threads share OpenSSL's objects, and when they do not.
//
// Full handshakes (TLS 1.3, ECDSA P-256, X25519) between a client and a server in memory, on one thread
// and on more. Only the server's calls are timed, by the thread's own CPU clock; clients share nothing.
// Processes, which cannot get into each other's way in OpenSSL, show what the machine itself takes from
// those that run at once. See bench/tlscontexts and docs/decisions/0018.
#define _GNU_SOURCE
#include <malloc.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 64, ROUNDS = 64, SAMPLES = 16 };

// What each thread has for itself; the rest is shared.
static const struct mode {
    const char *name;
    bool context, library, key;
    bool fetches;  // the tickets' cipher is looked up for each ticket, not once
    bool process;
} modes[] = {
    {"one SSL_CTX for all", false, false, false, false, false},
    {"one each, with the same key", true, false, false, false, false},
    {"one each, with a copy of the key", true, false, true, false, false},
    {"the same, ticket cipher fetched anew", true, false, true, true, false},
    {"one each, with an OSSL_LIB_CTX", true, true, true, false, false},
    {"one process each", false, false, false, false, true},
};
enum { MODES = sizeof modes / sizeof modes[0] };

struct server {
    OSSL_LIB_CTX *library;  // NULL: the default one
    SSL_CTX *context;
    EVP_CIPHER *cipher;
};

struct thread {
    pthread_t id;
    int core;
    SSL_CTX *client, *server;
    uint64_t handshakes, nanoseconds;
};

static unsigned char *certificate_bytes, *key_bytes;
static int certificate_count, key_count;
static EVP_PKEY *shared_key;
static X509 *shared_certificate;
static const unsigned char secret[32] = "a secret of this program's tests";
static double seconds = 0.5;
static int many = 2;
static pthread_barrier_t *start;  // both in memory that processes share
static struct thread *threads;

static _Noreturn void die(const char *what) {
    fprintf(stderr, "tlsctx: %s failed\n", what);
    exit(1);
}

#define CHECK(call) do { if (!(call)) die(#call); } while (0)

static uint64_t now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void make_identity(void) {
    CHECK(shared_key = EVP_EC_gen("P-256"));
    CHECK(shared_certificate = X509_new());
    X509_set_version(shared_certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(shared_certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(shared_certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(shared_certificate), 86400);
    X509_set_pubkey(shared_certificate, shared_key);
    X509_NAME *name = X509_get_subject_name(shared_certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_issuer_name(shared_certificate, name);
    CHECK(X509_sign(shared_certificate, shared_key, EVP_sha256()));
    CHECK((certificate_count = i2d_X509(shared_certificate, &certificate_bytes)) > 0);
    CHECK((key_count = i2d_PrivateKey(shared_key, &key_bytes)) > 0);
}

/// Seals tickets with one key that is always there, as a proxy's callback does.
static int seal(SSL *ssl, unsigned char *name, unsigned char *vector, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
                int seals) {
    const struct server *s = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    EVP_CIPHER *used = s->cipher ? s->cipher : EVP_CIPHER_fetch(s->library, "AES-256-CBC", NULL);
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)secret, sizeof secret),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0), OSSL_PARAM_construct_end()};
    memset(name, 's', 16);
    if (!seals || RAND_bytes_ex(s->library, vector, 16, 0) != 1) return -1;
    int done = EVP_EncryptInit_ex(cipher, used, NULL, secret, vector) && EVP_MAC_CTX_set_params(mac, parameters);
    if (s->cipher == NULL) EVP_CIPHER_free(used);
    return done ? 1 : -1;
}

static void make_server(struct server *s, const struct mode *m) {
    const unsigned char *at = key_bytes;
    EVP_PKEY *key = shared_key;
    X509 *certificate = shared_certificate;
    s->library = NULL;
    if (m->library) {
        CHECK(s->library = OSSL_LIB_CTX_new());
        CHECK(key = d2i_AutoPrivateKey_ex(NULL, &at, key_count, s->library, NULL));
        CHECK(certificate = X509_new_ex(s->library, NULL));
        at = certificate_bytes;
        CHECK(d2i_X509(&certificate, &at, certificate_count));
    } else if (m->key) {
        CHECK(key = EVP_PKEY_dup(shared_key));
    }
    CHECK(s->context = SSL_CTX_new_ex(s->library, NULL, TLS_server_method()));
    CHECK(SSL_CTX_use_certificate(s->context, certificate) && SSL_CTX_use_PrivateKey(s->context, key));
    if (key != shared_key) EVP_PKEY_free(key);
    if (certificate != shared_certificate) X509_free(certificate);
    s->cipher = m->fetches ? NULL : EVP_CIPHER_fetch(s->library, "AES-256-CBC", NULL);
    SSL_CTX_set_app_data(s->context, s);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(s->context, seal);
    SSL_CTX_set_session_cache_mode(s->context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(s->context, 1);
    SSL_CTX_set_mode(s->context, SSL_MODE_RELEASE_BUFFERS);
}

static void free_server(struct server *s) {
    SSL_CTX_free(s->context);
    EVP_CIPHER_free(s->cipher);
    OSSL_LIB_CTX_free(s->library);
}

static SSL_CTX *make_client(void) {
    SSL_CTX *client;
    CHECK(client = SSL_CTX_new_ex(OSSL_LIB_CTX_new(), NULL, TLS_client_method()));
    CHECK(SSL_CTX_set_min_proto_version(client, TLS1_3_VERSION) && SSL_CTX_set1_groups_list(client, "X25519"));
    CHECK(SSL_CTX_set_ciphersuites(client, "TLS_AES_128_GCM_SHA256"));
    SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_OFF);
    return client;
}

/// One full handshake; returns the CPU time of the server's part, in nanoseconds.
static uint64_t shake_hands(SSL_CTX *client_context, SSL_CTX *server_context) {
    SSL *client = SSL_new(client_context);
    BIO *to_server = BIO_new(BIO_s_mem()), *to_client = BIO_new(BIO_s_mem());
    BIO_up_ref(to_server);
    BIO_up_ref(to_client);
    SSL_set_bio(client, to_client, to_server);
    SSL_set_connect_state(client);
    SSL_do_handshake(client);  // says hello

    uint64_t from = now(CLOCK_THREAD_CPUTIME_ID);
    SSL *server = SSL_new(server_context);
    SSL_set_bio(server, to_server, to_client);
    SSL_set_accept_state(server);
    SSL_do_handshake(server);
    uint64_t spent = now(CLOCK_THREAD_CPUTIME_ID) - from;

    CHECK(SSL_do_handshake(client) == 1);
    from = now(CLOCK_THREAD_CPUTIME_ID);
    CHECK(SSL_do_handshake(server) == 1 && !SSL_session_reused(server));
    SSL_free(server);
    spent += now(CLOCK_THREAD_CPUTIME_ID) - from;
    SSL_free(client);
    return spent;
}

static void *run(void *argument) {
    struct thread *t = argument;
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(t->core, &cores);
    sched_setaffinity(0, sizeof cores, &cores);
    for (int i = 0; i < 20; i++) shake_hands(t->client, t->server);
    pthread_barrier_wait(start);
    uint64_t end = now(CLOCK_MONOTONIC) + (uint64_t)(seconds * 1e9);
    t->handshakes = t->nanoseconds = 0;
    while (now(CLOCK_MONOTONIC) < end) {
        t->nanoseconds += shake_hands(t->client, t->server);
        t->handshakes++;
    }
    OPENSSL_thread_stop();
    return NULL;
}

static void begin(struct thread *t, bool process) {
    if (!process) {
        CHECK(pthread_create(&t->id, NULL, run, t) == 0);
    } else if (fork() == 0) {
        run(t);
        _exit(0);
    }
}

/// Microseconds of a server's CPU time for each handshake, on so many threads at once.
static double measure(const struct mode *m, int count, SSL_CTX **clients) {
    struct server servers[THREADS];
    uint64_t handshakes = 0, nanoseconds = 0;
    int made = m->context ? count : 1, last_core = (int)sysconf(_SC_NPROCESSORS_ONLN) - 1;
    for (int i = 0; i < made; i++) make_server(&servers[i], m);
    pthread_barrierattr_t shared;
    pthread_barrierattr_init(&shared);
    pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(start, &shared, (unsigned)count);
    for (int i = 0; i < count; i++) {
        threads[i] = (struct thread){.core = last_core - i, .client = clients[i], .server = servers[i % made].context};
        begin(&threads[i], m->process);
    }
    for (int i = 0; i < count; i++) {
        if (m->process) CHECK(wait(NULL) > 0);
        else pthread_join(threads[i].id, NULL);
    }
    for (int i = 0; i < count; i++) {
        handshakes += threads[i].handshakes;
        nanoseconds += threads[i].nanoseconds;
    }
    for (int i = 0; i < made; i++) free_server(&servers[i]);
    return (double)nanoseconds / 1e3 / (double)handshakes;
}

/// Bytes of the heap for each server of this kind that has served one handshake.
static double memory(const struct mode *m, SSL_CTX *client) {
    struct server servers[SAMPLES];
    size_t before = 0;
    for (int i = 0; i < SAMPLES; i++) {
        if (i == 1) before = mallinfo2().uordblks;  // the first one also loads what all share
        make_server(&servers[i], m);
        shake_hands(client, servers[i].context);
    }
    double each = (double)(mallinfo2().uordblks - before) / (SAMPLES - 1);
    for (int i = 0; i < SAMPLES; i++) free_server(&servers[i]);
    return each;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, compare);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

int main(int argc, char **argv) {
    static double cpu[MODES][2][ROUNDS], ratio[MODES][ROUNDS];  // on one thread, and on many
    int rounds = argc > 1 ? atoi(argv[1]) : 5;
    if (argc > 2) seconds = atof(argv[2]);
    if (argc > 3) many = atoi(argv[3]);
    if (rounds < 1 || rounds > ROUNDS || seconds <= 0 || many < 2 || many > sysconf(_SC_NPROCESSORS_ONLN)
        || many > THREADS) die("reading the arguments");
    SSL_CTX *clients[THREADS];
    for (int i = 0; i < many; i++) clients[i] = make_client();
    int shared = MAP_SHARED | MAP_ANONYMOUS;
    CHECK((threads = mmap(NULL, sizeof *threads * THREADS, PROT_READ | PROT_WRITE, shared, -1, 0)) != MAP_FAILED);
    CHECK((start = mmap(NULL, sizeof *start, PROT_READ | PROT_WRITE, shared, -1, 0)) != MAP_FAILED);
    make_identity();
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < MODES; i++) {
            int m = (i + round) % MODES;  // each round begins with another one
            cpu[m][0][round] = measure(&modes[m], 1, clients);
            cpu[m][1][round] = measure(&modes[m], many, clients);
            ratio[m][round] = cpu[m][1][round] / cpu[m][0][round];
        }
    }
    printf("%s; on 1 and %d threads; medians of %d rounds of %g s, and the best round\n\n",
           OpenSSL_version(OPENSSL_VERSION), many, rounds, seconds);
    printf("%-37s%19s%19s%11s%11s%12s%10s\n", "", "CPU us", "best", "per CPU s", "ratio", "of best", "KiB each");
    for (int m = 0; m < MODES; m++) {
        double one = median(cpu[m][0], rounds), two = median(cpu[m][1], rounds);  // which also sorts
        double best_one = cpu[m][0][0], best_two = cpu[m][1][0];
        printf("%-37s%9.1f %9.1f%9.1f %9.1f%11.0f%11.2f%12.2f%10.1f\n", modes[m].name, one, two, best_one, best_two,
               1e6 / two, median(ratio[m], rounds), best_two / best_one, memory(&modes[m], clients[0]) / 1024);
    }
    return 0;
}
