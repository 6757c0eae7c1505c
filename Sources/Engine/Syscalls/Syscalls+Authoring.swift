internal import CLinux
internal import Glibc

// What commands for authors need. They block: no worker calls them.
extension Syscalls {
    /// A pipe whose ends are closed on exec; the caller owns both.
    public static func pipe() throws(SystemFault) -> (reading: Int32, writing: Int32) {
        var ends: [2 of Int32] = [-1, -1]
        let result = unsafe withUnsafeMutablePointer(to: &ends) { pointer in
            unsafe pointer.withMemoryRebound(to: Int32.self, capacity: 2) { unsafe sluice_pipe($0) }
        }
        if result < 0 { throw SystemFault(call: "pipe2", errno: errno) }
        return (ends[0], ends[1])
    }

    /// Makes further reads and writes return at once where there is nothing to do.
    public static func setNonBlocking(_ fd: Int32) { _ = fcntl(fd, F_SETFL, O_NONBLOCK) }

    /// Makes a folder, and those above it that are not there.
    public static func makeFolders(_ path: String) throws(SystemFault) {
        var made = path.hasPrefix("/") ? "" : "."
        for name in path.split(separator: "/") {
            made += "/" + name
            if unsafe mkdir(made, 0o777) != 0, errno != EEXIST { throw SystemFault(call: "mkdir", errno: errno) }
        }
    }

    /// Writes a new file, as users' own files are: readable by all that the umask lets.
    ///
    /// - Throws: also where there is a file of this name.
    public static func writeNew(_ path: String, _ text: String) throws(SystemFault) {
        let fd = unsafe Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        if fd < 0 { throw SystemFault(call: "open", errno: errno) }
        defer { close(fd) }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let result = unsafe rest.withUnsafeBytes { unsafe write(fd, $0) }
            guard case .bytes(let count) = result else { throw SystemFault(call: "write", errno: EIO) }
            rest = rest.dropFirst(count)
        }
    }

    /// The path without links and dots; nil where there is nothing.
    public static func realPath(_ path: String) -> String? {
        guard let memory = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(memory) }
        return unsafe String(cString: memory)
    }

    /// Whether the file may be run.
    public static func isProgram(_ path: String) -> Bool {
        guard let identity = try? fileIdentity(path), !identity.isEmpty else { return false }
        return unsafe access(path, X_OK) == 0
    }

    /// A word of the environment.
    ///
    /// Only while there is one thread.
    public static func environment(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }

    /// Sets a word of the environment, for programs that are started later.
    ///
    /// Only while there is one thread.
    public static func setEnvironment(_ name: String, _ value: String) { _ = unsafe setenv(name, value, 1) }
}
