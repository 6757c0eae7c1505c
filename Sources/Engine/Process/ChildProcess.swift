internal import CLinux
internal import Glibc

/// A program that this one has started. Ends with it, whatever happens: the kernel sends SIGTERM when the thread ends that
/// has started it, which therefore must live as long as the child.
public struct ChildProcess: Sendable {
    /// The number of the process; of its group too, where it has one of its own.
    public let id: Int32
    private let hasGroup: Bool

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - path: the program's file.
    ///   - arguments: without the program's own name.
    ///   - hasGroup: whether the child and what it starts are a group of their own, which ``send(_:)`` reaches as a whole,
    ///     and which a terminal's Ctrl-C does not.
    ///   - error: what becomes its standard error; nil for our own.
    public static func start(
        _ path: String, _ arguments: [String], hasGroup: Bool, error: Int32? = nil
    ) throws(SystemFault) -> ChildProcess {
        var words = unsafe ([path] + arguments).map { unsafe strdup($0) }
        unsafe words.append(nil)
        // SAFETY: the words are our own copies, end with a null, and are freed after the call, which has copied the process.
        defer { unsafe words.forEach { unsafe free($0) } }
        let id = unsafe sluice_start(path, words, hasGroup ? 1 : 0, error ?? -1)
        if id < 0 { throw SystemFault(call: "fork", errno: errno) }
        return ChildProcess(id: id, hasGroup: hasGroup)
    }

    /// Sends a signal to the child, or to its group. One that has ended does not get it.
    public func send(_ signal: Int32) { _ = kill(hasGroup ? -id : id, signal) }

    /// Waits for its end.
    ///
    /// - Returns: the exit code, or 128 and the signal that ended it.
    public func wait() -> Int32 {
        var code: Int32 = 0
        _ = unsafe sluice_reap(id, 1, &code)
        return code
    }

    /// A child that has ended since the last question; nil where none has.
    public static func ended() -> (id: Int32, code: Int32)? {
        var code: Int32 = 0
        let id = unsafe sluice_reap(-1, 0, &code)
        return id > 0 ? (id, code) : nil
    }
}
