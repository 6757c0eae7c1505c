internal import FilterAPI
internal import Glibc

/// Files that are read as a whole, on the control thread.
enum FileBytes {
    /// More than any certificate, key or list of revocations that somebody means to use.
    private static let limit = 64 << 20

    /// Reads a file.
    ///
    /// - Throws: why not, in words for whoever may have to change its owner.
    static func read(_ path: String) throws(FileProblem) -> [UInt8] {
        let fd = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard fd >= 0 else { throw FileProblem(path, errno) }
        defer { close(fd) }
        var status = stat()
        guard unsafe fstat(fd, &status) == 0 else { throw FileProblem(path, errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw FileProblem(path, "is not a file") }
        guard status.st_size <= limit else { throw FileProblem(path, "is larger than 64 MiB") }
        var bytes: [UInt8] = []
        var page = [UInt8](repeating: 0, count: 16 * 1024)
        while bytes.count <= limit {
            let count = unsafe page.withUnsafeMutableBytes { unsafe Glibc.read(fd, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw FileProblem(path, errno) }
            if count == 0 { break }
            bytes += page[..<count]
        }
        guard !bytes.isEmpty else { throw FileProblem(path, "is empty") }
        return bytes
    }
}

/// Why a file cannot be used.
struct FileProblem: Error {
    let message: String
    let hint: String?

    init(_ path: String, _ message: String, hint: String? = nil) {
        self.message = "`\(path)` \(message)"
        self.hint = hint
    }

    init(_ path: String, _ errno: Int32) {
        let text = unsafe strerror(errno).map { unsafe String(cString: $0) } ?? "error \(errno)"
        message = "`\(path)` cannot be read: \(text)"
        hint = errno == EACCES ? Self.owner(path) : nil
    }

    private static func owner(_ path: String) -> String? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return "a folder on the way may not be entered" }
        let mode = String(status.st_mode & 0o7777, radix: 8)
        return "it belongs to user \(status.st_uid) with mode \(mode); Sluice runs as user \(geteuid())"
    }
}
