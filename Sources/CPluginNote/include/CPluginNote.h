#pragma once
// What a plugin says of itself before any of its code runs: an ELF note, which stands in the plugin's own file because
// PluginAPI.answer, which calls one of the functions below, is compiled into each plugin. A plugin's author writes
// nothing for it.
#include <stdint.h>

#include "digest.h"

/// Grows with every change of FilterAPI that a plugin could notice.
#define SLUICE_API_VERSION 1u

/// A note as the ELF specification lays it out, every part a multiple of four bytes long.
struct sluice_note {
    uint32_t name_size, content_size, type;
    char name[8];
    /// SLUICE_API_VERSION
    uint32_t version;
    /// The Swift compiler: 60301 is Swift 6.3.1.
    uint32_t compiler;
    /// Of the sources of FilterAPI, in hexadecimal; see scripts/lib/api-digest.
    char digest[16];
    /// The build of the compiler, which its version does not tell.
    char toolchain[(sizeof(__clang_version__) + 3) / 4 * 4];
};

// A section whose name begins with .note is a note to every linker, and is kept where nothing refers to it.
#define SLUICE_NOTE(NUMBER)                                                                                            \
    static inline const struct sluice_note *sluice_note_##NUMBER(void) {                                               \
        static const struct sluice_note note __attribute__((section(".note.sluice"), used, aligned(4))) = {            \
            .name_size = 7,                                                                                            \
            .content_size = sizeof(struct sluice_note) - 20,                                                           \
            .type = 1,                                                                                                 \
            .name = "Sluice",                                                                                          \
            .version = SLUICE_API_VERSION,                                                                             \
            .compiler = NUMBER,                                                                                        \
            .digest = SLUICE_API_DIGEST,                                                                               \
            .toolchain = __clang_version__,                                                                            \
        };                                                                                                             \
        return &note;                                                                                                  \
    }

// Only Swift knows its version, and only C can place a note: PluginAPI picks the function of its compiler.
SLUICE_NOTE(60300)
SLUICE_NOTE(60301)
SLUICE_NOTE(60302)
SLUICE_NOTE(60303)
SLUICE_NOTE(60304)
SLUICE_NOTE(60400)
SLUICE_NOTE(60401)
SLUICE_NOTE(60402)
SLUICE_NOTE(60403)
SLUICE_NOTE(60404)
SLUICE_NOTE(60500)
