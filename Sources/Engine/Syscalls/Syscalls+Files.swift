internal import CLinux
internal import Glibc

// Log files and the process's limits. These may block on a slow disk: keep them off the workers' threads.
extension Syscalls {
    /// How to open a file.
    public enum FileMode: Sendable {
        /// Write at the end; made with mode 0640 if it does not exist.
        case append
        /// Empty it first; made with mode 0640 if it does not exist.
        case replace
        /// Read only.
        case read
    }

    /// Opens a file, closed on exec.
    ///
    /// The caller owns the descriptor.
    public static func open(_ path: String, _ mode: FileMode) throws(SystemFault) -> Int32 {
        let flags =
            switch mode {
            case .append: O_WRONLY | O_APPEND | O_CREAT
            case .replace: O_WRONLY | O_TRUNC | O_CREAT
            case .read: O_RDONLY
            }
        let result = attempt(.open) { unsafe Int(Glibc.open(path, flags | O_CLOEXEC, 0o640)) }
        if result < 0 { throw fault("open", result) }
        return Int32(result)
    }

    /// Writes to a file or a pipe; may take only a part of it.
    public static func write(_ fd: Int32, _ buffer: UnsafeRawBufferPointer) -> IOResult {
        let result = attempt(.write) { unsafe Glibc.write(fd, buffer.baseAddress, buffer.count) }
        return IOResult(writing: result)
    }

    /// Reads from a file or a pipe (for sockets there is `read`).
    public static func readFile(_ fd: Int32, into buffer: UnsafeMutableRawBufferPointer) -> IOResult {
        let result = attempt(.read) { unsafe Glibc.read(fd, buffer.baseAddress, buffer.count) }
        return IOResult(reading: result, into: buffer.count)
    }

    /// Gives a file another name, replacing what has that name.
    public static func rename(_ from: String, to: String) throws(SystemFault) {
        let result = attempt(.rename) { unsafe Int(Glibc.rename(from, to)) }
        if result < 0 { throw fault("rename", result) }
    }

    /// Removes a file's name.
    public static func unlink(_ path: String) throws(SystemFault) {
        let result = attempt(.unlink) { unsafe Int(Glibc.unlink(path)) }
        if result < 0 { throw fault("unlink", result) }
    }

    /// Whether the path itself is a socket; false if there is nothing.
    public static func isSocket(_ path: String) -> Bool {
        var status = stat()
        return unsafe lstat(path, &status) == 0 && sluice_is_socket(status.st_mode) != 0
    }

    /// Words that tell a file from one that has replaced it: device, inode and time of change; nil where the path is
    /// no ordinary file.
    public static func fileIdentity(_ path: String) throws(SystemFault) -> String? {
        var status = stat()
        if unsafe stat(path, &status) != 0 { throw SystemFault(call: "stat", errno: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { return nil }
        return "\(status.st_dev):\(status.st_ino):\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
    }

    /// How many descriptors the process may have open.
    ///
    /// - Parameter raising: first raise the limit as far as the process may by itself, to the hard limit.
    public static func fileDescriptorLimit(raising: Bool = true) -> Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        if raising, limit.rlim_cur < limit.rlim_max {
            var raised = limit
            raised.rlim_cur = limit.rlim_max
            if unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
        }
        return Int(clamping: limit.rlim_cur)
    }

    /// Opens /dev/null at 0, 1 and 2 where they are closed, so that no socket ever becomes "standard output".
    public static func reserveStandardDescriptors() {
        for fd: Int32 in 0...2 where fcntl(fd, F_GETFD) == -1 {
            // The lowest free number is taken, and all below are open: this is `fd`.
            _ = unsafe Glibc.open("/dev/null", O_RDWR)
        }
    }

    /// The whole text of a small file such as those in /proc; nil if it cannot be read.
    ///
    /// At most 64 KiB.
    static func text(of path: String) -> String? {
        guard let fd = try? open(path, .read) else { return nil }
        defer { close(fd) }
        var bytes: [UInt8] = []
        while bytes.count < 65_536 {
            let piece = unsafe [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
                if case .bytes(let got) = unsafe readFile(fd, into: UnsafeMutableRawBufferPointer(buffer)) {
                    count = got
                }
            }
            if piece.isEmpty { break }
            bytes += piece
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
