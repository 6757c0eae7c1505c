// A log-linear histogram of latencies: 128 steps per power of two, so within 1 % of the truth.
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

enum { STEP_BITS = 7, STEPS = 1 << STEP_BITS, POWERS = 40 };

struct histogram {
    uint64_t total;
    uint64_t counts[POWERS * STEPS];
};

static inline void histogram_add(struct histogram *h, uint64_t nanoseconds) {
    uint64_t value = nanoseconds | STEPS;
    unsigned power = 63 - (unsigned)__builtin_clzll(value) - STEP_BITS;
    unsigned index = power * STEPS + (unsigned)(value >> power) - STEPS;
    h->counts[index < POWERS * STEPS ? index : POWERS * STEPS - 1]++;
    h->total++;
}

/// The latency, in nanoseconds, that `share` (0 to 1) of the samples did not exceed.
static inline double histogram_quantile(const struct histogram *h, double share) {
    uint64_t wanted = (uint64_t)(share * (double)h->total), seen = 0;
    for (unsigned i = 0; i < POWERS * STEPS; i++) {
        seen += h->counts[i];
        if (seen > wanted) return (double)((uint64_t)(i % STEPS + STEPS) << (i / STEPS));
    }
    return 0;
}

#endif
