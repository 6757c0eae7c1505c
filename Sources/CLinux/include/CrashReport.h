#pragma once
// What a thread was doing when it crashed, written by the handler of the signal: nothing here allocates or locks.
#include <stdint.h>

/// Which filter is called. Never freed: the handler, and other threads, may look at it at any time.
struct sluice_call_label {
    /// The name in the chain.
    const char *stage;
    /// `listener inbound`, `cluster app`.
    const char *owner;
    /// The plugin's file; null for a filter that comes with Sluice.
    const char *plugin;
};

/// What one worker's thread is doing. `word` is the address of a label with the number of the phase in its lowest five
/// bits, or 0 where no filter runs.
struct sluice_call_record {
    uintptr_t word;
    uint32_t worker;
};

/// Writes a report to a descriptor when a signal says that the process has crashed; then what would have happened without
/// it happens. `phases` are the words for the numbers.
///
/// All texts must live for ever.
void sluice_crash_prepare(int fd, const char *version, const char *const *phases, int phase_count);
/// Tells that the calling thread works by this record from now on, and gives it a stack for signals of its own.
void sluice_crash_adopt(const struct sluice_call_record *record);
