#pragma once
// Linux interfaces that Swift's Glibc module does not offer, or offers only as macros.
//
// This header must not define _GNU_SOURCE: that changes the layout names of types which Swift's Glibc module was
// built with, and the two modules would no longer agree. What needs it stands in CLinux.c.
#include <malloc.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>
#include "CrashReport.h"

/// 1 while a fault schedule is armed. A plain C global, so that the test on each system call is one load and one
/// branch, without the lazy initialisation of a Swift global.
extern int sluice_fault_flag;

static inline int sluice_faults_armed(void) { return __atomic_load_n(&sluice_fault_flag, __ATOMIC_RELAXED); }
static inline void sluice_faults_set_armed(int armed) {
    __atomic_store_n(&sluice_fault_flag, armed, __ATOMIC_RELEASE);
}

/// accept4 with SOCK_NONBLOCK and SOCK_CLOEXEC. Returns a descriptor, or -1 with errno set.
int sluice_accept(int fd, struct sockaddr *address, socklen_t *length);

/// A new eventfd, non-blocking, closed on exec, or -1 with errno set.
int sluice_eventfd(void);
/// A new signalfd for these signals, non-blocking, closed on exec, or -1 with errno set.
int sluice_signalfd(const sigset_t *signals);

/// A new file that has no name in any folder, closed on exec, or -1 with errno set. `name` is shown in /proc only.
int sluice_memory_file(const char *name);
/// Makes such a file unchangeable for ever. Returns 0, or -1 with errno set.
int sluice_seal_memory_file(int fd);

/// A pipe whose ends are closed on exec: to read from, to write to. Returns 0, or -1 with errno set.
int sluice_pipe(int ends[2]);

/// Starts a program, in a process group of its own if wished, with `error` as its standard error unless that is -1. It is
/// sent SIGTERM when the thread that started it ends, which therefore must live as long. Returns the process, or -1
/// with errno set; a program that cannot be run ends with 127.
pid_t sluice_start(const char *path, char *const arguments[], int is_own_group, int error);
/// Asks for a child's end (of any child, for -1). Returns the process that has ended, 0 where none has, -1 where there is
/// none; the code is what it exited with, or 128 and the signal that ended it.
pid_t sluice_reap(pid_t process, int is_waiting, int *code);

/// "EMFILE" for 24; null for a number that has no name. The text lives for ever.
const char *sluice_errno_name(int number);
/// "Too many open files" for 24; null for an unknown number. The text lives for ever.
const char *sluice_errno_text(int number);

/// How many processors the calling thread may run on, or 0 if the kernel did not say.
int sluice_affinity_count(void);
/// Pins the calling thread to one processor. Returns 0 or an errno.
int sluice_pin_this_thread(int cpu);
/// Lets the calling thread run only when nothing else wants to, or nearly so. Returns 0 or an errno.
int sluice_lower_this_thread(void);
/// Names the calling thread; at most 15 bytes. Returns 0 or an errno.
int sluice_name_this_thread(const char *name);

/// The processor's own clock, which costs a third of the system's. What a tick is has to be measured.
static inline uint64_t sluice_ticks(void) {
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    uint64_t ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
#else
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
#endif
}

static inline int sluice_is_socket(uint32_t mode) { return (mode & 0170000u) == 0140000u; }
