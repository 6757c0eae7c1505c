#pragma once
// Regular expressions in linear time (RE2), behind a C interface.
//
// Patterns and texts are bytes: `.` is any byte. An object may be used from several threads, but these then share a
// lock; make one per worker.
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sluice_pattern sluice_pattern;

/// Compiles `length` bytes of a pattern. Returns null if it cannot be used: then up to `error_capacity - 1` bytes of a
/// message with a null byte behind them are in `error`, and `offset` is where in the pattern the cause stands.
sluice_pattern *_Nullable sluice_pattern_compile(
    const char *_Nonnull pattern, size_t length, char *_Nonnull error, size_t error_capacity, size_t *_Nonnull offset);

void sluice_pattern_free(sluice_pattern *_Nullable pattern);

/// How many groups the pattern has, the whole not counted.
int sluice_pattern_groups(const sluice_pattern *_Nonnull pattern);

/// 1 if the pattern matches all of the text.
int sluice_pattern_matches_whole(
    const sluice_pattern *_Nonnull pattern, const char *_Nonnull text, size_t length);

/// 1 if the pattern matches some part of the text.
int sluice_pattern_matches_part(
    const sluice_pattern *_Nonnull pattern, const char *_Nonnull text, size_t length);

/// Null if a replacement can be used with the pattern: `\0` to `\9` are groups, `\\` is a backslash. Else why not.
const char *_Nullable sluice_pattern_check_replacement(
    const sluice_pattern *_Nonnull pattern, const char *_Nonnull with, size_t with_length);

/// Writes the text with the first match replaced.
///
/// Returns -1 if nothing matches, else the size of the result; where that is more than `capacity`, nothing useful is
/// in `buffer`.
ptrdiff_t sluice_pattern_replace(
    const sluice_pattern *_Nonnull pattern, const char *_Nonnull text, size_t length, const char *_Nonnull with,
    size_t with_length, char *_Nonnull buffer, size_t capacity);

#ifdef __cplusplus
}
#endif
