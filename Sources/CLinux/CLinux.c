#define _GNU_SOURCE
#include "CLinux.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int sluice_fault_flag = 0;

int sluice_accept(int fd, struct sockaddr *address, socklen_t *length) {
    return accept4(fd, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int sluice_lower_this_thread(void) {
    // The kernel lets a thread run to the end of its slice, of some milliseconds, before one that has just become ready: a
    // short slice gives way at once. Kernels before 6.12 know no slices, and pay no regard to the number.
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    } attributes = {.size = 48, .policy = SCHED_OTHER, .nice = 19, .runtime = 100000};
    if (syscall(SYS_sched_setattr, 0, &attributes, 0) == 0) return 0;
    // On Linux a nice value belongs to a thread, and 0 is the calling one.
    return setpriority(PRIO_PROCESS, 0, 19) == 0 ? 0 : errno;
}

int sluice_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }
int sluice_signalfd(const sigset_t *signals) { return signalfd(-1, signals, SFD_NONBLOCK | SFD_CLOEXEC); }

int sluice_memory_file(const char *name) { return memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING); }
int sluice_seal_memory_file(int fd) {
    return fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
}

const char *sluice_errno_name(int number) { return strerrorname_np(number); }
const char *sluice_errno_text(int number) { return strerrordesc_np(number); }

int sluice_affinity_count(void) {
    // Machines with more processors than a cpu_set_t holds make the call fail with EINVAL: ask with more room.
    for (int processors = CPU_SETSIZE; processors <= CPU_SETSIZE * 64; processors *= 4) {
        cpu_set_t *set = CPU_ALLOC(processors);
        if (set == NULL) return 0;
        size_t size = CPU_ALLOC_SIZE(processors);
        int failed = sched_getaffinity(0, size, set);
        int error = errno;
        int count = failed ? 0 : CPU_COUNT_S(size, set);
        CPU_FREE(set);
        if (!failed) return count;
        if (error != EINVAL) return 0;
    }
    return 0;
}

int sluice_pin_this_thread(int cpu) {
    if (cpu < 0 || cpu >= CPU_SETSIZE) return EINVAL;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

int sluice_name_this_thread(const char *name) { return pthread_setname_np(pthread_self(), name); }

int sluice_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

pid_t sluice_start(const char *path, char *const arguments[], int is_own_group, int error) {
    pid_t parent = getpid();
    pid_t child = fork();
    if (child != 0) return child;
    if (is_own_group) setpgid(0, 0);
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent) _exit(127);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    if (error >= 0 && dup2(error, 2) < 0) _exit(127);
    execv(path, arguments);
    _exit(127);
}

pid_t sluice_reap(pid_t process, int is_waiting, int *code) {
    int status = 0;
    pid_t ended;
    do ended = waitpid(process, &status, is_waiting ? 0 : WNOHANG);
    while (ended < 0 && errno == EINTR);
    if (ended > 0) *code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return ended;
}
