// zlib as Swift can call it: its header, and what is a macro there.
#ifndef SLUICE_CZLIB_H
#define SLUICE_CZLIB_H

// Input is only read.
#define ZLIB_CONST
#include <zlib.h>

// In the format of gzip; `window_bits` from 9 to 15, as for deflate alone.
static inline int zlib_begin_gzip(z_stream *stream, int level, int window_bits, int memory_level) {
    return deflateInit2(stream, level, Z_DEFLATED, window_bits + 16, memory_level, Z_DEFAULT_STRATEGY);
}

// `window_bits` tells the format: above 15 gzip, up to 15 zlib, below 0 deflate alone.
static inline int zlib_begin_inflating(z_stream *stream, int window_bits) {
    return inflateInit2(stream, window_bits);
}

#endif
