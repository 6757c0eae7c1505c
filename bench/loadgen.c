// The benchmark's load generator: closed loop, one thread, one request in flight per connection.
//
// It checks every answer (status 200, stated length, expected body size) and drops bodies in the
// kernel (with TLS they must be opened), so that it costs less than the proxies it measures. At the
// end it lets every request in flight finish, so that the proxy's CPU time belongs to exactly the
// requests reported.
//
// With -a every answer is good and is counted by its status, and a connection that ends too early is
// counted and made anew: for proxies whose upstreams are broken on purpose.
#define _GNU_SOURCE
#include "histogram.h"
#include "message.h"
#include "tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 1 << 16, PAGE = 1 << 20, EVENTS = 256, GRACE_SECONDS = 10, WINDOW = 64 };

struct connection {
    int fd;
    bool waits_to_write;
    bool in_flight;
    uint64_t started;
    uint64_t sent;
    SSL *ssl;              // NULL without TLS
    bool is_open;          // the handshake, if there is one, is done
    SSL_SESSION *session;  // the newest ticket
    struct message in;
};

// What was asked for on the command line.
static struct {
    int port;
    unsigned connections;
    double seconds;
    uint64_t most;     // requests after which it ends before its time; 0: no limit
    bool any_answer;   // count statuses and broken connections instead of taking them for errors
    bool reconnect;    // a new connection for every request
    bool hold;         // one request per connection, then keep all of them open until input ends
    bool tls;
    bool resume;       // take up the session of the connection before
    const char *method;
    const char *target;
    uint64_t body;     // bytes of the request's body
    int64_t expect;    // bytes of each answer's body; -1: any
} plan = {.connections = 64, .seconds = 5, .method = "GET", .target = "/", .expect = -1};

static char head[8192];
static size_t head_length;
static char buffer[BUFFER];
static char page[PAGE];
static struct connection *connections;
static struct histogram latencies;
static struct sockaddr_in address;
static uint64_t requests, errors, body_bytes, deadline, begun;
// With -a: answers by the first digit of their status, those that say that there was too much to do, and
// connections that ended before their answer did.
static uint64_t statuses[10], overloaded, cut;
static struct tls_client tls;
static unsigned opened, busy;
static int poller;

static _Noreturn void die(const char *what) {
    perror(what);
    exit(1);
}

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void watch(struct connection *c, int operation) {
    // While the request is still going out, an early answer or an error must be seen too.
    struct epoll_event event = {.events = EPOLLIN | (c->waits_to_write ? EPOLLOUT : 0), .data.ptr = c};
    if (epoll_ctl(poller, operation, c->fd, &event) < 0) die("epoll_ctl");
}

static void wait_to_write(struct connection *c, bool on) {
    if (c->waits_to_write == on) return;
    c->waits_to_write = on;
    watch(c, EPOLL_CTL_MOD);
}

static void open_connection(struct connection *c) {
    // Connections that are opened while time is measured must not block the loop.
    bool waits = plan.reconnect || plan.tls;
    int flags = SOCK_STREAM | SOCK_CLOEXEC | (waits ? SOCK_NONBLOCK : 0);
    c->fd = socket(AF_INET, flags, 0);
    if (c->fd < 0) die("socket");
    int on = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) die("connect");
    c->is_open = !plan.tls;
    if (plan.tls && (c->ssl = tls_begin(&tls, c->fd, &c->session)) == NULL) die("SSL_new");
    c->waits_to_write = waits;
    watch(c, EPOLL_CTL_ADD);
}

static void close_connection(struct connection *c) {
    tls_end(c->ssl);
    c->ssl = NULL;
    close(c->fd);
    c->fd = -1;
}

static void leave(struct connection *c) {
    if (c->in_flight) busy--;
    c->in_flight = false;
}

static void fail(struct connection *c, const char *why) {
    if (errors++ == 0) {
        fprintf(stderr, "first error: %s; answer began: %.*s\n", why,
                (int)(c->in.head_length < 200 ? c->in.head_length : 200), c->in.head);
    }
    leave(c);
    close_connection(c);
}

static void start_request(struct connection *c);

/// Whether another request may be started.
static bool goes_on(uint64_t time) {
    return time < deadline && (plan.most == 0 || begun < plan.most);
}

/// Takes a new connection, as the proxy has ended the one that there was.
static void begin_anew(struct connection *c) {
    close_connection(c);
    leave(c);
    if (!goes_on(now())) return;
    open_connection(c);
    start_request(c);
}

/// The connection has ended.
static void lose(struct connection *c, const char *why) {
    if (!plan.any_answer) return fail(c, why);
    if (c->in_flight) {
        cut++;
        histogram_add(&latencies, now() - c->started);  // it has waited for as long
    }
    begin_anew(c);
}

static void fail_tls(struct connection *c) {
    char why[256] = "the connection broke";
    unsigned long error = ERR_get_error();
    if (error != 0) ERR_error_string_n(error, why, sizeof why);
    fail(c, why);
}

static void shake_hands(struct connection *c) {
    enum tls_step step = tls_shake_hands(&tls, c->ssl);
    c->is_open = step == TLS_DONE;
    if (step == TLS_WANTS_READ || step == TLS_WANTS_WRITE) wait_to_write(c, step == TLS_WANTS_WRITE);
    else if (step != TLS_DONE) fail_tls(c);
}

/// Bytes that were sent, or -1 and `errno`, as `sendmsg` has it.
static ssize_t send_sealed(struct connection *c) {
    bool in_head = c->sent < head_length;
    uint64_t body_left = head_length + plan.body - c->sent;
    uint64_t count = in_head ? head_length - c->sent : body_left < PAGE ? body_left : PAGE;
    size_t n = 0;
    enum tls_step step = tls_step_of(c->ssl, SSL_write_ex(c->ssl, in_head ? head + c->sent : page, count, &n));
    if (step == TLS_DONE) return (ssize_t)n;
    errno = step == TLS_WANTS_WRITE ? EAGAIN : EPROTO;
    return -1;
}

static ssize_t send_some(struct connection *c) {
    if (plan.tls) return send_sealed(c);
    struct iovec parts[2];
    unsigned count = 0;
    uint64_t total = head_length + plan.body;
    uint64_t body_left = total - (c->sent > head_length ? c->sent : head_length);
    if (c->sent < head_length) parts[count++] = (struct iovec){head + c->sent, head_length - c->sent};
    if (body_left > 0) parts[count++] = (struct iovec){page, body_left < PAGE ? body_left : PAGE};
    struct msghdr out = {.msg_iov = parts, .msg_iovlen = count};
    return sendmsg(c->fd, &out, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void send_request(struct connection *c) {
    if (!c->is_open) shake_hands(c);
    if (!c->is_open) return;  // goes on when the peer has answered
    while (c->sent < head_length + plan.body) {
        ssize_t n = send_some(c);
        if (n < 0 && (errno == EAGAIN || errno == ENOTCONN)) return wait_to_write(c, true);
        if (n < 0) return lose(c, strerror(errno));
        c->sent += (uint64_t)n;
    }
    wait_to_write(c, false);
}

static void start_request(struct connection *c) {
    message_reset(&c->in, true);
    c->sent = 0;
    c->started = now();
    begun++;
    if (!c->in_flight) busy++;
    c->in_flight = true;
    if (plan.reconnect) return open_connection(c);  // the request goes out when it is writable
    if (c->is_open) send_request(c);
}

static void open_next(void) {
    if (opened == plan.connections) return;
    struct connection *c = &connections[opened++];
    open_connection(c);
    start_request(c);
}

static void count_status(const struct message *answer) {
    unsigned digit = (unsigned)(answer->head[9] - '0');
    if (digit < 10) statuses[digit]++;
    if (digit == 5 && message_has_field(answer, "x-envoy-overloaded")) overloaded++;
}

static void finish_request(struct connection *c) {
    bool is_good = memcmp(c->in.head + 8, " 200", 4) == 0;
    if (plan.any_answer) count_status(&c->in);
    else if (!is_good) return fail(c, "status is not 200");
    bool has_size = plan.expect < 0 || c->in.body_bytes == (uint64_t)plan.expect;
    if (is_good && !has_size) return fail(c, "body has another size");
    if (c->sent < head_length + plan.body) return fail(c, "answered before the request was read");
    uint64_t end = now();
    histogram_add(&latencies, end - c->started);
    requests++;
    body_bytes += c->in.body_bytes;
    if (plan.hold) {
        leave(c);
        return open_next();
    }
    if (plan.reconnect) return;  // the next one starts when the proxy has closed this connection
    if (c->in.wants_close && plan.any_answer) return begin_anew(c);
    if (c->in.wants_close) return fail(c, "the proxy ended a keep-alive connection");
    if (goes_on(end)) start_request(c);
    else leave(c);
}

static void on_end(struct connection *c) {
    if (!plan.reconnect || c->in.state != IS_DONE) return lose(c, "connection closed early");
    close_connection(c);
    if (goes_on(now())) start_request(c);
    else leave(c);
}

static void take(struct connection *c, size_t n) {
    if (!c->in_flight || c->in.state == IS_DONE) return fail(c, "bytes behind the answer");
    size_t used = message_feed(&c->in, buffer, n);
    if (c->in.state == IS_BAD) return fail(c, "the answer's head cannot be read");
    if (used < n) return fail(c, "bytes behind the answer");
    if (c->in.state == IS_DONE) finish_request(c);
}

static void on_plain_readable(struct connection *c) {
    bool skip = (c->in.state == IN_BODY || c->in.state == IN_CHUNK) && c->in.left > 1;
    uint64_t most = !skip ? sizeof buffer : c->in.left - 1 < PAGE ? c->in.left - 1 : PAGE;
    ssize_t n = recv(c->fd, skip ? NULL : buffer, most, MSG_DONTWAIT | (skip ? MSG_TRUNC : 0));
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) return lose(c, strerror(errno));
    if (n == 0) return on_end(c);
    if (skip) return message_skip(&c->in, (uint64_t)n);
    take(c, (size_t)n);
}

static void on_sealed_readable(struct connection *c) {
    const SSL *ssl = c->ssl;
    do {
        size_t n = 0;
        enum tls_step step = tls_step_of(c->ssl, SSL_read_ex(c->ssl, buffer, sizeof buffer, &n));
        if (step == TLS_WANTS_READ) return;
        if (step == TLS_ENDED) return on_end(c);
        if (step != TLS_DONE) return fail_tls(c);
        take(c, n);
        // What was read ahead is not told of again; but the connection may be another one by now.
    } while (c->ssl == ssl && SSL_has_pending(c->ssl));
}

static void on_readable(struct connection *c) {
    if (!c->is_open) return send_request(c);
    if (plan.tls) return on_sealed_readable(c);
    on_plain_readable(c);
}

static void turn(int timeout) {
    struct epoll_event events[EVENTS];
    int count = epoll_wait(poller, events, EVENTS, timeout);
    for (int i = 0; i < count; i++) {
        struct connection *c = events[i].data.ptr;
        if (c->fd < 0) continue;
        if (c->waits_to_write && (events[i].events & EPOLLOUT)) send_request(c);
        else on_readable(c);
    }
}

static void build_head(int argc, char **argv, int from) {
    int n = snprintf(head, sizeof head, "%s %s HTTP/1.1\r\n", plan.method, plan.target);
    for (int i = from; i < argc; i++) n += snprintf(head + n, sizeof head - (size_t)n, "%s\r\n", argv[i]);
    if (plan.reconnect) n += snprintf(head + n, sizeof head - (size_t)n, "Connection: close\r\n");
    if (plan.body > 0) n += snprintf(head + n, sizeof head - (size_t)n, "Content-Length: %lu\r\n", plan.body);
    head_length = (size_t)n + (size_t)snprintf(head + n, sizeof head - (size_t)n, "\r\n");
}

static void read_plan(int argc, char **argv) {
    int option;
    while ((option = getopt(argc, argv, "p:c:s:n:m:t:b:e:arhSR")) != -1) {
        switch (option) {
        case 'p': plan.port = atoi(optarg); break;
        case 'c': plan.connections = (unsigned)atoi(optarg); break;
        case 's': plan.seconds = atof(optarg); break;
        case 'n': plan.most = strtoull(optarg, NULL, 10); break;
        case 'm': plan.method = optarg; break;
        case 't': plan.target = optarg; break;
        case 'b': plan.body = strtoull(optarg, NULL, 10); break;
        case 'e': plan.expect = atoll(optarg); break;
        case 'a': plan.any_answer = true; break;
        case 'r': plan.reconnect = true; break;
        case 'h': plan.hold = true; break;
        case 'S': plan.tls = true; break;
        case 'R': plan.tls = plan.resume = true; break;
        default:
            fprintf(stderr, "usage: loadgen -p PORT [-c CONNECTIONS] [-s SECONDS] [-n REQUESTS] [-m METHOD]\n"
                            "       [-t TARGET] [-b BODY_BYTES] [-e EXPECTED_BYTES] [-a (any answer)]\n"
                            "       [-r (reconnect)] [-h (hold)]\n"
                            "       [-S (TLS 1.3)] [-R (TLS 1.3, and sessions are taken up again)] [FIELD...]\n");
            exit(2);
        }
    }
    build_head(argc, argv, optind);
}

static void print_result(double elapsed) {
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    double cpu = (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec)
        + (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
    printf("{\"requests\": %lu, \"errors\": %lu, \"seconds\": %.6f, \"response_body_bytes\": %lu, "
           "\"p50_us\": %.1f, \"p90_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f, \"generator_cpu_seconds\": %.6f, "
           "\"full_handshakes\": %lu, \"resumed_handshakes\": %lu, "
           "\"answers_2xx\": %lu, \"answers_4xx\": %lu, \"answers_5xx\": %lu, \"overloaded\": %lu, \"cut\": %lu}\n",
           requests, errors, elapsed, body_bytes, histogram_quantile(&latencies, 0.5) / 1e3,
           histogram_quantile(&latencies, 0.9) / 1e3, histogram_quantile(&latencies, 0.99) / 1e3,
           histogram_quantile(&latencies, 0.999999999) / 1e3, cpu, tls.full, tls.resumed,
           statuses[2], statuses[4], statuses[5], overloaded, cut);
    fflush(stdout);
}

static void open_all(void) {
    unsigned first = plan.hold && plan.connections > WINDOW ? WINDOW : plan.connections;
    if (!plan.reconnect) {
        for (unsigned i = 0; i < first; i++) open_connection(&connections[i]);
    }
    opened = first;
}

int main(int argc, char **argv) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    read_plan(argc, argv);
    signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
    if (plan.tls && !tls_set_up(&tls, plan.resume)) die("SSL_CTX_new");
    memset(page, 'x', sizeof page);
    address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)plan.port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    poller = epoll_create1(EPOLL_CLOEXEC);
    connections = calloc(plan.connections, sizeof *connections);
    if (connections == NULL) die("calloc");
    open_all();
    uint64_t start = now();
    deadline = start + (uint64_t)(plan.seconds * 1e9);
    for (unsigned i = 0; i < opened && (i < WINDOW || !plan.hold); i++) start_request(&connections[i]);
    while (busy > 0 && now() < deadline + GRACE_SECONDS * 1000000000ull) turn(100);
    errors += busy;
    print_result((double)(now() - start) / 1e9);
    if (plan.hold) while (read(STDIN_FILENO, buffer, sizeof buffer) > 0) {}
    return 0;
}
