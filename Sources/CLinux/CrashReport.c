#define _GNU_SOURCE
#include "CrashReport.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGABRT};
static const char *const names[] = {"SIGSEGV", "SIGBUS", "SIGILL", "SIGTRAP", "SIGFPE", "SIGABRT"};
enum { SIGNALS = sizeof signals / sizeof *signals, STACK = 64 << 10, FRAMES = 24 };

static struct sigaction before[SIGNALS];
static int output = -1;
static const char *version_text = "";
static const char *const *phase_texts;
static int phase_texts_count;
static _Thread_local const struct sluice_call_record *own_record;
static _Thread_local uintptr_t stack_low, stack_high;

// A line is put together and written at once, so that no other thread's output comes between.
struct line {
    char text[1024];
    size_t used;
};

static void add(struct line *line, const char *text) {
    while (*text && line->used < sizeof line->text - 1) line->text[line->used++] = *text++;
}

static void add_number(struct line *line, uint64_t number, unsigned base) {
    char digits[24];
    int at = sizeof digits;
    digits[--at] = 0;
    do digits[--at] = "0123456789abcdef"[number % base];
    while (number /= base);
    if (base == 16) add(line, "0x");
    add(line, digits + at);
}

static void end(struct line *line) {
    line->text[line->used++] = '\n';
    ssize_t written = write(output, line->text, line->used);
    (void)written;
    line->used = 0;
}

static uint64_t hex(const char **text) {
    uint64_t number = 0;
    for (;; (*text)++) {
        char digit = **text;
        if (digit >= '0' && digit <= '9') number = number << 4 | (uint64_t)(digit - '0');
        else if (digit >= 'a' && digit <= 'f') number = number << 4 | (uint64_t)(digit - 'a' + 10);
        else return number;
    }
}

// One line of /proc/self/maps. Returns whether `address` lies in it; then the line has got its file and offset.
static int add_mapping(struct line *line, const char *text, uintptr_t address) {
    uint64_t low = hex(&text);
    if (*text != '-') return 0;
    text++;
    uint64_t high = hex(&text);
    if (address < low || address >= high) return 0;
    while (*text && *text != ' ') text++;
    if (*text) text++;
    while (*text && *text != ' ') text++;
    if (*text) text++;
    uint64_t offset = hex(&text);
    const char *file = strchr(text, '/');
    if (!file) return 0;
    add(line, file);
    add(line, "+");
    add_number(line, address - low + offset, 16);
    return 1;
}

// Adds `file+offset` of some code, as tools want it that know the file's symbols.
static void add_place(struct line *line, uintptr_t address) {
    int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    char buffer[2048];
    size_t used = 0;
    int is_found = 0;
    while (maps >= 0 && !is_found) {
        ssize_t count = read(maps, buffer + used, sizeof buffer - 1 - used);
        if (count <= 0) break;
        used += (size_t)count;
        buffer[used] = 0;
        char *start = buffer, *stop;
        while (!is_found && (stop = strchr(start, '\n'))) {
            *stop = 0;
            is_found = add_mapping(line, start, address);
            start = stop + 1;
        }
        used -= (size_t)(start - buffer);
        // A line that does not fit is no mapping of ours.
        if (used == sizeof buffer - 1) used = 0;
        memmove(buffer, start, used);
    }
    if (maps >= 0) close(maps);
    if (!is_found) add_number(line, address, 16);
}

static void describe(struct line *line, const struct sluice_call_record *record) {
    uintptr_t word = __atomic_load_n(&record->word, __ATOMIC_RELAXED);
    const struct sluice_call_label *label = (const void *)(word & ~(uintptr_t)31);
    int phase = (int)(word & 31);
    add(line, " on worker ");
    add_number(line, record->worker, 10);
    if (!label) {
        add(line, ", outside of any filter");
        return;
    }
    add(line, ", in the filter `");
    add(line, label->stage);
    add(line, "` of the ");
    add(line, label->owner);
    if (phase < phase_texts_count) {
        add(line, ", at: ");
        add(line, phase_texts[phase]);
    }
    if (label->plugin) {
        add(line, ", plugin ");
        add(line, label->plugin);
    }
}

static void add_frames(struct line *line, const ucontext_t *context) {
#if defined(__x86_64__)
    uintptr_t code = (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
    uintptr_t frame = (uintptr_t)context->uc_mcontext.gregs[REG_RBP];
#elif defined(__aarch64__)
    uintptr_t code = context->uc_mcontext.pc, frame = context->uc_mcontext.regs[29];
#else
    uintptr_t code = 0, frame = 0;
#endif
    for (int index = 0; index < FRAMES && code; index++) {
        add(line, "sluice:   ");
        add_place(line, code);
        end(line);
        // Frames lie one above the other in this thread's stack; what does not is no frame.
        if (frame < stack_low || frame + 2 * sizeof frame > stack_high || frame % sizeof frame) break;
        uintptr_t above = ((const uintptr_t *)frame)[0];
        code = ((const uintptr_t *)frame)[1];
        if (above <= frame) break;
        frame = above;
    }
}

static void handle(int number, siginfo_t *info, void *context) {
    static _Atomic int is_reporting;
    int index = 0;
    while (index < SIGNALS && signals[index] != number) index++;
    if (index < SIGNALS && !is_reporting++) {
        struct line line = {.used = 0};
        add(&line, "sluice: crashed by ");
        add(&line, names[index]);
        if (own_record) describe(&line, own_record);
        add(&line, "; version ");
        add(&line, version_text);
        end(&line);
        add_frames(&line, context);
    }
    if (index < SIGNALS) sigaction(number, &before[index], NULL);
    // A fault of the processor happens again on return; what was sent must be sent again.
    if (info->si_code <= 0 || number == SIGABRT) raise(number);
}

void sluice_crash_prepare(int fd, const char *version, const char *const *phases, int phase_count) {
    output = fd;
    version_text = version;
    phase_texts = phases;
    phase_texts_count = phase_count;
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    for (int index = 0; index < SIGNALS; index++) sigaction(signals[index], &action, &before[index]);
}

void sluice_crash_adopt(const struct sluice_call_record *record) {
    own_record = record;
    pthread_attr_t attributes;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        void *low;
        size_t size;
        if (pthread_attr_getstack(&attributes, &low, &size) == 0) {
            stack_low = (uintptr_t)low;
            stack_high = stack_low + size;
        }
        pthread_attr_destroy(&attributes);
    }
    // Where a stack has overflowed there is no room on it for the handler. Touched only then.
    void *memory = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return;
    stack_t stack = {.ss_sp = memory, .ss_size = STACK};
    sigaltstack(&stack, NULL);
}
