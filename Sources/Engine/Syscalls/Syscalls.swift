internal import CLinux
internal import Glibc

/// Every system call of the project, each a thin wrapper that allocates nothing, repeats after EINTR, and asks the fault
/// schedule first.
///
/// SAFETY (of all extensions): pointers are only passed on to the kernel for the length of the call, with the length
/// that the caller's buffer states.
public enum Syscalls {
    /// The calls that a fault can be scheduled for.
    ///
    /// The raw value is the name to use in a schedule.
    public enum Call: String, CaseIterable, Sendable {
        case accept4, bind, connect, eventfd, getsockname, getsockopt, inotify, listen, open, peek, read, readv, recv,
            rename,
            send
        case sendmsg, setsockopt, shutdown, signalfd, socket, unlink, write
        case epollControl = "epoll_ctl"
        case epollCreate = "epoll_create1"
        case epollWait = "epoll_wait"
        case pthreadCreate = "pthread_create"
    }

    /// The faults to inject, for the whole process.
    public static let faults = FaultSchedule()

    /// Arms the faults that a text names, for example `accept4:3:EMFILE,recv:2:ECONNRESET`.
    ///
    /// See ``FaultRule/parse(_:)`` for the form. Meant to be called once at start with SLUICE_FAULTS.
    ///
    /// - Throws: ``FaultRuleError`` if the text is not understood; nothing is armed then.
    public static func armFaults(from text: String) throws(FaultRuleError) {
        faults.arm(try FaultRule.parse(text))
    }

    /// Makes a call until it ends with something other than EINTR.
    ///
    /// - Returns: the call's result if it is not negative, else the negated errno.
    @inline(__always)
    static func attempt(_ call: Call, _ body: () -> Int) -> Int {
        while true {
            var failure = injected(call)
            if failure == 0 {
                let result = body()
                if result >= 0 { return result }
                failure = errno
            }
            if failure != EINTR { return -Int(failure) }
        }
    }

    /// The errno to fail this call with, or 0.
    ///
    /// One load and one branch while nothing is armed.
    @inline(__always)
    static func injected(_ call: Call) -> Int32 {
        sluice_faults_armed() == 0 ? 0 : faults.next(call)
    }

    @inline(__always)
    static func fault(_ call: StaticString, _ result: Int) -> SystemFault {
        SystemFault(call: call, errno: Int32(truncatingIfNeeded: -result))
    }
}
