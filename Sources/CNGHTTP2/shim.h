// libnghttp2 as Swift can call it.
#ifndef SLUICE_CNGHTTP2_H
#define SLUICE_CNGHTTP2_H

#include <nghttp2/nghttp2.h>

// A union's members are of no use to Swift where a struct in it is incomplete; these are the ones that we look at.
static inline nghttp2_headers_category sluice_h2_category(const nghttp2_frame *frame) {
    return frame->headers.cat;
}

static inline uint32_t sluice_h2_goaway_error(const nghttp2_frame *frame) { return frame->goaway.error_code; }

static inline int32_t sluice_h2_goaway_last(const nghttp2_frame *frame) { return frame->goaway.last_stream_id; }

static inline uint32_t sluice_h2_reset_error(const nghttp2_frame *frame) { return frame->rst_stream.error_code; }

#endif
