// The benchmark's origin: the cheapest correct HTTP/1.1 server we could write, on one thread.
//
//   GET /            200 with four header fields and a 13-byte body
//   GET /headers/N   200 with N header fields and a 13-byte body
//   GET /bytes/N     200 with a body of N bytes
//   GET /text/N      the same of JSON that compresses about as well as such texts do
//   any other method, or a request with a body: the body is read and dropped, then answered as above
//   any other path is answered as / is
//
// Listens on a port of 127.0.0.1 that the kernel picks, prints it, and runs until its input ends.
#define _GNU_SOURCE
#include "message.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { BUFFER = 1 << 16, PAGE = 1 << 20, ANSWERS = 64, EVENTS = 256 };

struct answer {
    char target[64];
    char head[4096];
    size_t head_length;
    uint64_t total;  // head and body
    const char *page;
};

struct connection {
    int fd;
    bool waits_to_write;
    const struct answer *answer;  // NULL: reading
    uint64_t sent;
    uint64_t start;  // where in the page its body begins
    struct message in;
};

static char buffer[BUFFER];
static char page[PAGE];
static char text[PAGE];
static struct answer answers[ANSWERS];
static unsigned answer_count;
static int poller;

static _Noreturn void die(const char *what) {
    perror(what);
    exit(1);
}

static unsigned draw(unsigned most) {
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 32) % most;
}

/// A list of records, the same in each run.
static void fill_text(void) {
    static const char *const names[] = {"anna", "boris", "chen", "dalia", "emeka", "fatima", "georg", "hiroko"};
    static const char *const states[] = {"open", "waiting for an answer", "closed", "moved to another team"};
    char record[512];
    for (size_t at = 0, id = 1; at < PAGE; id++) {
        int n = snprintf(record, sizeof record,
                         "{\"id\":%zu,\"name\":\"%s\",\"email\":\"%s.%u@example.org\",\"score\":%u.%03u,"
                         "\"state\":\"%s\",\"seen\":\"2026-%02u-%02uT%02u:%02u:%02uZ\",\"key\":\"%08x%08x\"},\n",
                         id, names[draw(8)], names[draw(8)], draw(10000), draw(1000), draw(1000), states[draw(4)],
                         draw(12) + 1, draw(28) + 1, draw(24), draw(60), draw(60), draw(-1u), draw(-1u));
        size_t part = (size_t)n < PAGE - at ? (size_t)n : PAGE - at;
        memcpy(text + at, record, part);
        at += part;
    }
}

static void build_answer(struct answer *a) {
    unsigned fields = 4;
    uint64_t body = 13;
    sscanf(a->target, "/headers/%u", &fields);
    a->page = page;
    sscanf(a->target, "/bytes/%lu", &body);
    if (sscanf(a->target, "/text/%lu", &body) == 1) a->page = text;
    int n = snprintf(a->head, sizeof a->head,
                     "HTTP/1.1 200 OK\r\nServer: origin\r\nDate: Mon, 23 Nov 2026 08:00:00 GMT\r\n"
                     "Content-Type: text/plain\r\nContent-Length: %lu\r\n", body);
    for (unsigned i = 4; i < fields && n < 3900; i++) {
        n += snprintf(a->head + n, sizeof a->head - (size_t)n, "X-Origin-Field-%u: value-of-field-%u\r\n", i, i);
    }
    n += snprintf(a->head + n, sizeof a->head - (size_t)n, "\r\n");
    a->head_length = (size_t)n;
    a->total = a->head_length + body;
}

/// The answer for a request target; each is built once and kept.
static const struct answer *find_answer(const struct message *request) {
    const char *target = memchr(request->head, ' ', request->head_length);
    if (target == NULL) return NULL;
    target++;
    const char *end = memchr(target, ' ', request->head_length - (size_t)(target - request->head));
    size_t length = end == NULL ? 0 : (size_t)(end - target);
    if (length == 0 || length >= sizeof answers[0].target) return NULL;
    for (unsigned i = 0; i < answer_count; i++) {
        if (memcmp(answers[i].target, target, length) == 0 && answers[i].target[length] == 0) return &answers[i];
    }
    if (answer_count == ANSWERS) return NULL;
    struct answer *a = &answers[answer_count++];
    memcpy(a->target, target, length);
    build_answer(a);
    return a;
}

/// Each body of text begins elsewhere: of a text that many connections compress step by step at the same time, the
/// processor knows the branches by heart.
static uint64_t next_start(void) {
    static uint64_t start;
    return start = (start + 617861) % PAGE;
}

static void drop(struct connection *c) {
    close(c->fd);
    free(c);
}

static void wait_to_write(struct connection *c, bool on) {
    if (c->waits_to_write == on) return;
    c->waits_to_write = on;
    struct epoll_event event = {.events = on ? EPOLLOUT : EPOLLIN, .data.ptr = c};
    if (epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event) < 0) die("epoll_ctl");
}

static ssize_t send_some(struct connection *c) {
    const struct answer *a = c->answer;
    struct iovec parts[2];
    unsigned count = 0;
    uint64_t body_left = a->total - (c->sent > a->head_length ? c->sent : a->head_length);
    if (c->sent < a->head_length) {
        parts[count++] = (struct iovec){(char *)a->head + c->sent, a->head_length - c->sent};
    }
    // A body longer than the page is the page again and again.
    uint64_t at = (c->start + a->total - a->head_length - body_left) % PAGE;
    uint64_t here = PAGE - at < body_left ? PAGE - at : body_left;
    if (body_left > 0) parts[count++] = (struct iovec){(char *)a->page + at, here};
    struct msghdr out = {.msg_iov = parts, .msg_iovlen = count};
    return sendmsg(c->fd, &out, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/// Sends what is left of the answer. Returns false when the connection is gone.
static bool flush(struct connection *c) {
    while (c->sent < c->answer->total) {
        ssize_t n = send_some(c);
        if (n < 0 && errno == EAGAIN) {
            wait_to_write(c, true);
            return true;
        }
        if (n < 0) return drop(c), false;
        c->sent += (uint64_t)n;
    }
    bool close_now = c->in.wants_close;
    c->answer = NULL;
    c->sent = 0;
    message_reset(&c->in, false);
    if (close_now) return drop(c), false;
    wait_to_write(c, false);
    return true;
}

static void take(struct connection *c, const char *data, size_t length) {
    while (length > 0) {
        if (c->answer != NULL) return drop(c);  // pipelined behind an answer that is stuck: not needed here
        size_t used = message_feed(&c->in, data, length);
        data += used;
        length -= used;
        if (c->in.state == IS_BAD) return drop(c);
        if (c->in.state != IS_DONE) continue;
        c->answer = find_answer(&c->in);
        if (c->answer == NULL) return drop(c);
        c->start = c->answer->page == text ? next_start() : 0;
        if (!flush(c)) return;
    }
}

static void on_readable(struct connection *c) {
    // In a body of known length nothing has to be looked at: let the kernel drop it without a copy,
    // all but the last byte, which goes the ordinary way and ends the message.
    if (c->in.state == IN_BODY && c->in.left > 1) {
        uint64_t most = c->in.left - 1 < PAGE ? c->in.left - 1 : PAGE;
        ssize_t n = recv(c->fd, NULL, most, MSG_TRUNC | MSG_DONTWAIT);
        if (n > 0) return message_skip(&c->in, (uint64_t)n);
        if (n < 0 && errno == EAGAIN) return;
        return drop(c);
    }
    ssize_t n = recv(c->fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n > 0) return take(c, buffer, (size_t)n);
    if (n < 0 && errno == EAGAIN) return;
    drop(c);
}

static void on_connection(int listener) {
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) return;
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct connection *c = calloc(1, sizeof *c);
    if (c == NULL) die("calloc");
    c->fd = fd;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) < 0) die("epoll_ctl");
}

static int listen_somewhere(void) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, length) < 0 || listen(listener, 4096) < 0) die("listen");
    getsockname(listener, (struct sockaddr *)&address, &length);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

int main(void) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    memset(page, 'x', sizeof page);
    fill_text();
    poller = epoll_create1(EPOLL_CLOEXEC);
    int listener = listen_somewhere();
    static char listener_tag, input_tag;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &listener_tag};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event) < 0) die("epoll_ctl");
    event.data.ptr = &input_tag;
    if (epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &event) < 0) die("epoll_ctl");
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(poller, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == &input_tag) return 0;
            if (events[i].data.ptr == &listener_tag) {
                on_connection(listener);
                continue;
            }
            struct connection *c = events[i].data.ptr;
            if (c->answer != NULL) flush(c);
            else on_readable(c);
        }
    }
}
