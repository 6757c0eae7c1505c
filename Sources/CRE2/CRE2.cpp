#include "CRE2.h"

#include <re2/re2.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <string>

struct sluice_pattern {
    re2::RE2 re;
};

namespace {

constexpr int kGroups = 10;

/// Bytes rather than UTF-8, so that a text which is not valid UTF-8 cannot slip past `.*`.
re2::RE2::Options options() {
    re2::RE2::Options options;
    options.set_encoding(re2::RE2::Options::EncodingLatin1);
    options.set_log_errors(false);
    options.set_dot_nl(true);
    // Per direction of the automaton; what grows beyond it is thrown away and built anew.
    options.set_max_mem(2 << 20);
    return options;
}

/// Appends to a buffer, and goes on counting when it is full.
struct Sink {
    char *buffer;
    size_t capacity;
    size_t count = 0;

    void append(const char *bytes, size_t length) {
        if (length == 0) return;
        if (count + length <= capacity) memcpy(buffer + count, bytes, length);
        count += length;
    }
};

}  // namespace

extern "C" sluice_pattern *sluice_pattern_compile(
    const char *pattern, size_t length, char *error, size_t error_capacity, size_t *offset) {
    *offset = 0;
    if (error_capacity > 0) error[0] = 0;
    const re2::StringPiece text(pattern, length);
    auto *made = new (std::nothrow) sluice_pattern{{text, options()}};
    if (made == nullptr) return nullptr;
    if (made->re.ok()) return made;
    std::string message = made->re.error();
    const std::string &cause = made->re.error_arg();
    // The message ends in the cause, of which the caller learns by the offset.
    const std::string ending = ": " + cause;
    if (message.size() > ending.size() && message.compare(message.size() - ending.size(), ending.size(), ending) == 0) {
        message.resize(message.size() - ending.size());
    }
    const size_t count = error_capacity > 0 ? std::min(message.size(), error_capacity - 1) : 0;
    memcpy(error, message.data(), count);
    if (error_capacity > 0) error[count] = 0;
    const size_t found = std::string(pattern, length).find(cause);
    if (found != std::string::npos) *offset = found;
    delete made;
    return nullptr;
}

extern "C" void sluice_pattern_free(sluice_pattern *pattern) { delete pattern; }

extern "C" int sluice_pattern_groups(const sluice_pattern *pattern) { return pattern->re.NumberOfCapturingGroups(); }

extern "C" int sluice_pattern_matches_whole(const sluice_pattern *pattern, const char *text, size_t length) {
    return pattern->re.Match({text, length}, 0, length, re2::RE2::ANCHOR_BOTH, nullptr, 0) ? 1 : 0;
}

extern "C" int sluice_pattern_matches_part(const sluice_pattern *pattern, const char *text, size_t length) {
    return pattern->re.Match({text, length}, 0, length, re2::RE2::UNANCHORED, nullptr, 0) ? 1 : 0;
}

extern "C" const char *sluice_pattern_check_replacement(
    const sluice_pattern *pattern, const char *with, size_t with_length) {
    const int groups = pattern->re.NumberOfCapturingGroups();
    for (size_t index = 0; index < with_length; index++) {
        if (with[index] != '\\') continue;
        if (++index == with_length) return "it ends in a backslash";
        if (with[index] == '\\') continue;
        if (with[index] < '0' || with[index] > '9') return "a backslash must be followed by a digit or a backslash";
        if (with[index] - '0' > groups) return "it names a group that the pattern does not have";
    }
    return nullptr;
}

extern "C" ptrdiff_t sluice_pattern_replace(
    const sluice_pattern *pattern, const char *text, size_t length, const char *with, size_t with_length,
    char *buffer, size_t capacity) {
    re2::StringPiece groups[kGroups];
    const int count = std::min(kGroups, pattern->re.NumberOfCapturingGroups() + 1);
    if (!pattern->re.Match({text, length}, 0, length, re2::RE2::UNANCHORED, groups, count)) return -1;
    Sink sink{buffer, capacity};
    sink.append(text, static_cast<size_t>(groups[0].data() - text));
    for (size_t index = 0; index < with_length; index++) {
        if (with[index] != '\\' || index + 1 == with_length) {
            sink.append(with + index, 1);
            continue;
        }
        const char next = with[++index];
        if (next >= '0' && next <= '9') {
            const int group = next - '0';
            if (group < count) sink.append(groups[group].data(), groups[group].size());
        } else {
            sink.append(&next, 1);
        }
    }
    const char *rest = groups[0].data() + groups[0].size();
    sink.append(rest, static_cast<size_t>(text + length - rest));
    return static_cast<ptrdiff_t>(sink.count);
}
