// An incremental reader for one HTTP/1 message, shared by the origin and the load generator.
//
// It understands only what the benchmark sends and expects: a head, then no body, a body of a
// stated length, or a chunked one. Anything else is reported as bad, never guessed.
#ifndef BENCH_MESSAGE_H
#define BENCH_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum message_state { IN_HEAD, IN_BODY, IN_CHUNK_LINE, IN_CHUNK, IN_CHUNK_END, IN_TRAILER, IS_DONE, IS_BAD };

struct message {
    enum message_state state;
    bool is_response;
    bool wants_close;
    bool chunked;
    bool has_length;
    uint64_t left;        // bytes left of the body, or of the current chunk
    uint64_t body_bytes;  // bytes of the body seen so far
    unsigned line_length;
    char line[64];
    unsigned head_length;
    char head[8192];
};

static inline void message_reset(struct message *m, bool is_response) {
    m->state = IN_HEAD;
    m->is_response = is_response;
    m->wants_close = m->chunked = m->has_length = false;
    m->left = m->body_bytes = 0;
    m->line_length = m->head_length = 0;
}

static inline bool message_has_name(const char *line, const char *end, const char *name) {
    size_t length = strlen(name);
    return (size_t)(end - line) > length && line[length] == ':' && strncasecmp(line, name, length) == 0;
}

static inline void message_read_field(struct message *m, const char *line, const char *end) {
    switch (line[0] | 0x20) {  // most fields are told apart by their first letter
    case 'c':
        if (message_has_name(line, end, "content-length")) {
            m->left = strtoull(line + 15, NULL, 10);
            m->has_length = true;
        } else if (message_has_name(line, end, "connection")) {
            m->wants_close = memmem(line, (size_t)(end - line), "close", 5) != NULL;
        }
        break;
    case 't':
        if (message_has_name(line, end, "transfer-encoding")) m->chunked = true;
        break;
    }
}

static inline void message_read_head(struct message *m) {
    const char *at = memchr(m->head, '\n', m->head_length);
    const char *stop = m->head + m->head_length - 2;
    for (at++; at < stop;) {
        const char *end = memchr(at, '\r', (size_t)(stop - at) + 1);
        message_read_field(m, at, end);
        at = end + 2;
    }
    if (m->chunked) {
        m->state = IN_CHUNK_LINE;
    } else if (m->has_length) {
        m->state = m->left > 0 ? IN_BODY : IS_DONE;
    } else {
        m->state = m->is_response ? IS_BAD : IS_DONE;
    }
}

/// Whether the head, which must be complete, has a field of this name.
static inline bool message_has_field(const struct message *m, const char *name) {
    const char *end = m->head + m->head_length, *at = memchr(m->head, '\n', m->head_length);
    while (at != NULL && ++at < end) {
        if (message_has_name(at, end, name)) return true;
        at = memchr(at, '\n', (size_t)(end - at));
    }
    return false;
}

static inline size_t message_feed_head(struct message *m, const char *data, size_t length) {
    size_t room = sizeof m->head - m->head_length;
    size_t take = length < room ? length : room;
    size_t from = m->head_length > 3 ? m->head_length - 3 : 0;
    size_t before = m->head_length;
    memcpy(m->head + before, data, take);
    m->head_length += (unsigned)take;
    char *end = memmem(m->head + from, m->head_length - from, "\r\n\r\n", 4);
    if (end == NULL) {
        if (m->head_length == sizeof m->head) m->state = IS_BAD;
        return take;
    }
    m->head_length = (unsigned)(end + 4 - m->head);
    message_read_head(m);
    return m->head_length - before;
}

/// Notes that `count` bytes of the body, or of the current chunk, went by.
static inline void message_skip(struct message *m, uint64_t count) {
    m->left -= count;
    m->body_bytes += count;
    if (m->left == 0) m->state = m->state == IN_BODY ? IS_DONE : IN_CHUNK_END;
}

static inline void message_end_line(struct message *m) {
    m->line[m->line_length] = 0;
    bool empty = m->line_length == 0;
    m->line_length = 0;
    if (m->state == IN_CHUNK_END) {
        m->state = IN_CHUNK_LINE;
    } else if (m->state == IN_TRAILER) {
        if (empty) m->state = IS_DONE;
    } else {
        m->left = strtoull(m->line, NULL, 16);
        m->state = m->left > 0 ? IN_CHUNK : IN_TRAILER;
    }
}

static inline void message_feed_line(struct message *m, char byte) {
    if (byte == '\n') {
        message_end_line(m);
    } else if (byte != '\r' && m->line_length < sizeof m->line - 1) {
        m->line[m->line_length++] = byte;
    }
}

/// Reads from `data` up to the end of the message at most; returns how many bytes it used.
static inline size_t message_feed(struct message *m, const char *data, size_t length) {
    size_t used = 0;
    while (used < length && m->state < IS_DONE) {
        if (m->state == IN_HEAD) {
            used += message_feed_head(m, data + used, length - used);
        } else if (m->state == IN_BODY || m->state == IN_CHUNK) {
            uint64_t take = length - used < m->left ? length - used : m->left;
            message_skip(m, take);
            used += take;
        } else {
            message_feed_line(m, data[used++]);
        }
    }
    return used;
}

#endif
