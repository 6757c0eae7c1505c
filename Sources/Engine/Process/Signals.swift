internal import CLinux
internal import Glibc

/// Which signals the process takes, and how.
public enum Signals {
    /// Keeps signals from interrupting this thread and all threads it starts later, so that a ``SignalSource`` gets them.
    ///
    /// Call it before any thread is started.
    public static func block(_ signals: [Int32]) {
        var set = set(signals)
        _ = unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Makes a write to a closed pipe an error instead of the end of the process.
    public static func ignorePipe() {
        _ = signal(SIGPIPE, SIG_IGN)
    }

    static func set(_ signals: [Int32]) -> sigset_t {
        var set = sigset_t()
        _ = unsafe sigemptyset(&set)
        for number in signals { _ = unsafe sigaddset(&set, number) }
        return set
    }
}

/// The signals that commands send and take, for those who do not import Glibc.
public enum SignalNumber {
    /// A child has ended.
    public static let child = SIGCHLD
    /// Read the config again.
    public static let hangUp = SIGHUP
    /// Ctrl-C.
    public static let interrupt = SIGINT
    /// Please end.
    public static let terminate = SIGTERM
    /// Drain.
    public static let quit = SIGQUIT
}
