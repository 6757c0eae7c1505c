// The upstreams of bench/faults: HTTP/1.1 servers on one thread that can be broken while they serve.
//
//   upstreams COUNT
//
// Each listens on a port of 127.0.0.1 that the kernel picks; the ports are the first line of the
// output. Then every line of the input is obeyed and answered by a line, until the input ends. N is
// the number of an upstream, from 1, or `all`.
//
//   N ok              answers 200 with 13 bytes (as at the start)
//   N fail PERCENT    answers so many of its requests with 503, by lot
//   N delay MS        answers so much later, whatever it answers
//   N refuse          closes its connections, and refuses new ones
//   N reset           resets a connection that a request came on
//   N stall           never answers
//   N garbage         answers bytes that are not HTTP, and closes
//   N cut             closes in the middle of a body
//   count             tells what was seen since the last `count`, as JSON
#define _GNU_SOURCE
#include "message.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 1 << 16, EVENTS = 256, MOST = 16 };

enum kind { INPUT, LISTENER, CONNECTION };

enum mode { OK, REFUSE, RESET, STALL, GARBAGE, CUT, MODES };
static const char *const mode_names[MODES] = {"ok", "refuse", "reset", "stall", "garbage", "cut"};

struct connection {
    enum kind kind;
    int fd;
    struct upstream *upstream;
    bool has_request;  // read, and not answered yet: it is among the waiting ones
    bool is_check;
    uint64_t due;      // when to answer
    struct message in;
    TAILQ_ENTRY(connection) links;
};

TAILQ_HEAD(connections, connection);

struct upstream {
    enum kind kind;
    int listener;
    enum mode mode;
    unsigned fail_percent;
    uint64_t delay;               // nanoseconds
    struct connections idle;
    struct connections waiting;   // in the order in which they came, so in that in which they are due
    uint64_t requests;
};

static struct upstream upstreams[MOST];
static unsigned count;
static char buffer[BUFFER];
static int poller;
// Over all upstreams: health checks are counted apart, and are not among the requests at once.
static uint64_t failed, checks, opened, at_once, peak;

static const char good[] =
    "HTTP/1.1 200 OK\r\nServer: origin\r\nDate: Mon, 23 Nov 2026 08:00:00 GMT\r\n"
    "Content-Type: text/plain\r\nContent-Length: 13\r\n\r\nxxxxxxxxxxxxx";
static const char bad[] =
    "HTTP/1.1 503 Service Unavailable\r\nServer: origin\r\nDate: Mon, 23 Nov 2026 08:00:00 GMT\r\n"
    "Content-Type: text/plain\r\nContent-Length: 13\r\n\r\nxxxxxxxxxxxxx";
static const char half[] =
    "HTTP/1.1 200 OK\r\nServer: origin\r\nDate: Mon, 23 Nov 2026 08:00:00 GMT\r\n"
    "Content-Type: text/plain\r\nContent-Length: 26\r\n\r\nxxxxxxxxxxxxx";
static const char garbage[] = "\x16\x03\x01\x02 this is not HTTP\r\n\r\n";

static _Noreturn void die(const char *what) {
    perror(what);
    exit(1);
}

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void watch(int fd, void *source) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) < 0) die("epoll_ctl");
}

/// Whether something happens that happens to so many of a hundred; the same ones in each run.
static bool lot(unsigned percent) {
    static uint64_t state = 88172645463325252u;
    if (percent == 0) return false;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 11) % 100 < percent;
}

static void begin_waiting(struct connection *c) {
    struct upstream *u = c->upstream;
    c->has_request = true;
    c->is_check = memmem(c->in.head, c->in.head_length, " /healthz ", 10) != NULL;
    TAILQ_REMOVE(&u->idle, c, links);
    TAILQ_INSERT_TAIL(&u->waiting, c, links);
    if (c->is_check) {
        checks++;
        return;
    }
    u->requests++;
    if (++at_once > peak) peak = at_once;
}

static void end_waiting(struct connection *c) {
    TAILQ_REMOVE(&c->upstream->waiting, c, links);
    TAILQ_INSERT_TAIL(&c->upstream->idle, c, links);
    c->has_request = false;
    if (!c->is_check) at_once--;
}

static void drop(struct connection *c) {
    if (c->has_request) end_waiting(c);
    TAILQ_REMOVE(&c->upstream->idle, c, links);
    close(c->fd);
    free(c);
}

static void reset(struct connection *c) {
    struct linger at_once_with_reset = {.l_onoff = 1};
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once_with_reset, sizeof at_once_with_reset);
    drop(c);
}

/// Sends an answer, which is small enough to go out at once. Returns false when the connection is gone.
static bool answer(struct connection *c, const char *bytes, size_t length, bool close_then) {
    // Before the answer: who has it may send the next request at once.
    end_waiting(c);
    bool sent = send(c->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)length;
    if (!sent || close_then || c->in.wants_close) return drop(c), false;
    message_reset(&c->in, false);
    return true;
}

/// Does with a request what its upstream does now. Returns false when the connection is gone.
static bool respond(struct connection *c) {
    switch (c->upstream->mode) {
    case RESET: return reset(c), false;
    case GARBAGE: return answer(c, garbage, sizeof garbage - 1, true);
    case CUT: return answer(c, half, sizeof half - 1, true);
    default: break;
    }
    if (!lot(c->upstream->fail_percent)) return answer(c, good, sizeof good - 1, false);
    failed++;
    return answer(c, bad, sizeof bad - 1, false);
}

static void take(struct connection *c, const char *data, size_t length) {
    while (length > 0) {
        if (c->has_request) return drop(c);  // pipelining is not needed here
        size_t used = message_feed(&c->in, data, length);
        data += used;
        length -= used;
        if (c->in.state == IS_BAD) return drop(c);
        if (c->in.state != IS_DONE) continue;
        begin_waiting(c);
        if (c->upstream->delay > 0) c->due = now() + c->upstream->delay;
        else if (c->upstream->mode == STALL) c->due = UINT64_MAX;
        else if (!respond(c)) return;
    }
}

static void on_readable(struct connection *c) {
    ssize_t n = recv(c->fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n > 0) return take(c, buffer, (size_t)n);
    if (n < 0 && errno == EAGAIN) return;
    drop(c);
}

static void on_connection(struct upstream *u) {
    int fd = accept4(u->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) return;
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct connection *c = calloc(1, sizeof *c);
    if (c == NULL) die("calloc");
    c->kind = CONNECTION;
    c->fd = fd;
    c->upstream = u;
    TAILQ_INSERT_TAIL(&u->idle, c, links);
    opened++;
    watch(fd, c);
}

/// Answers what is due. Returns how many milliseconds there are until the next one is, or -1.
static int answer_due(void) {
    uint64_t next = UINT64_MAX;
    for (struct upstream *u = upstreams; u < upstreams + count; u++) {
        struct connection *c;
        while ((c = TAILQ_FIRST(&u->waiting)) != NULL && u->mode != STALL) {
            if (c->due > now()) {
                if (c->due < next) next = c->due;
                break;
            }
            respond(c);
        }
    }
    if (next == UINT64_MAX) return -1;
    uint64_t time = now();
    return next <= time ? 0 : (int)((next - time + 999999) / 1000000);
}

static void change_mode(struct upstream *u, enum mode mode) {
    if ((u->mode == REFUSE) != (mode == REFUSE)) {
        // A listener that is shut down keeps its port, and may listen again.
        if (mode == REFUSE) {
            epoll_ctl(poller, EPOLL_CTL_DEL, u->listener, NULL);
            shutdown(u->listener, SHUT_RDWR);
        } else {
            if (listen(u->listener, 4096) < 0) die("listen");
            watch(u->listener, u);
        }
    }
    // What it left without an answer it will not answer any more.
    if (mode == REFUSE || u->mode == STALL) while (!TAILQ_EMPTY(&u->waiting)) drop(TAILQ_FIRST(&u->waiting));
    if (mode == REFUSE) while (!TAILQ_EMPTY(&u->idle)) drop(TAILQ_FIRST(&u->idle));
    u->mode = mode;
    u->fail_percent = 0;
}

/// Obeys for one upstream. Returns false where there is no such command.
static bool obey(struct upstream *u, const char *verb, unsigned number) {
    if (strcmp(verb, "fail") == 0) return u->fail_percent = number, true;
    if (strcmp(verb, "delay") == 0) return u->delay = number * 1000000ull, true;
    for (int mode = 0; mode < MODES; mode++) {
        if (strcmp(verb, mode_names[mode]) == 0) return change_mode(u, (enum mode)mode), true;
    }
    return false;
}

static void print_counts(void) {
    uint64_t requests = 0;
    for (unsigned i = 0; i < count; i++) requests += upstreams[i].requests;
    printf("{\"requests\": %lu, \"failed\": %lu, \"checks\": %lu, \"connections\": %lu, \"peak\": %lu, \"each\": [",
           requests, failed, checks, opened, peak);
    for (unsigned i = 0; i < count; i++) {
        printf("%s%lu", i == 0 ? "" : ", ", upstreams[i].requests);
        upstreams[i].requests = 0;
    }
    printf("]}\n");
    failed = checks = opened = 0;
    peak = at_once;
}

/// Obeys a line, which comes as a whole: the next one is sent when this one has been answered. Returns
/// false at the end of the input.
static bool on_input(void) {
    ssize_t n = read(STDIN_FILENO, buffer, sizeof buffer - 1);
    if (n <= 0) return false;
    buffer[n] = 0;
    char who[8] = "", verb[16] = "";
    unsigned number = 0;
    int words = sscanf(buffer, "%7s %15s %u", who, verb, &number);
    unsigned one = (unsigned)atoi(who);
    bool all = strcmp(who, "all") == 0, done = false;
    if (words == 1 && strcmp(who, "count") == 0) {
        print_counts();
    } else {
        for (unsigned i = 0; i < count; i++) if (all || i + 1 == one) done = obey(&upstreams[i], verb, number);
        puts(done ? "done" : "what?");
    }
    fflush(stdout);
    return true;
}

static int bind_port(in_port_t port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) die("bind");
    return fd;
}

static void listen_somewhere(struct upstream *u) {
    // Only a port that was asked for by its number stays with a listener that is shut down.
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int probe = bind_port(0);
    getsockname(probe, (struct sockaddr *)&address, &length);
    u->listener = bind_port(address.sin_port);
    close(probe);
    if (listen(u->listener, 4096) < 0) die("listen");
    u->kind = LISTENER;
    TAILQ_INIT(&u->idle);
    TAILQ_INIT(&u->waiting);
    watch(u->listener, u);
    printf("%s%d", u == upstreams ? "" : " ", ntohs(address.sin_port));
}

int main(int argc, char **argv) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    count = argc == 2 ? (unsigned)atoi(argv[1]) : 0;
    if (count < 1 || count > MOST) return fprintf(stderr, "usage: upstreams COUNT (1 to %d)\n", MOST), 2;
    poller = epoll_create1(EPOLL_CLOEXEC);
    for (unsigned i = 0; i < count; i++) listen_somewhere(&upstreams[i]);
    puts("");
    fflush(stdout);
    static enum kind input = INPUT;
    watch(STDIN_FILENO, &input);
    for (;;) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(poller, events, EVENTS, answer_due());
        bool has_input = false;
        for (int i = 0; i < ready; i++) {
            // What each source begins with.
            switch (*(enum kind *)events[i].data.ptr) {
            case INPUT: has_input = true; break;
            case LISTENER: on_connection(events[i].data.ptr); break;
            case CONNECTION: on_readable(events[i].data.ptr); break;
            }
        }
        // Last: a command may end connections that events are about.
        if (has_input && !on_input()) return 0;
    }
}
