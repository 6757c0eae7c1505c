internal import Glibc

/// Other processes of this machine.
extension Syscalls {
    /// What the kernel calls a process: the first 15 bytes of its program's name; nil where there is none.
    public static func processName(_ id: Int) -> String? {
        text(of: "/proc/\(id)/comm").map { $0.hasSuffix("\n") ? String($0.dropLast()) : $0 }
    }

    /// Sends a signal to a process that is not ours to wait for.
    ///
    /// - Throws: where it is gone, or belongs to somebody else.
    public static func signal(_ id: Int, _ number: Int32) throws(SystemFault) {
        if kill(pid_t(id), number) != 0 { throw SystemFault(call: "kill", errno: errno) }
    }
}
