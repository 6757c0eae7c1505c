import Glibc

/// Reads small files whole.
enum FileReading {
    enum Failure: Error {
        /// The operating system's reason.
        case system(String)
        case tooLarge(limit: Int)
        case notAFile
    }

    /// - Parameters:
    ///   - limit: the most bytes that are accepted.
    ///   - onlyRegular: refuse pipes and devices, which may never end or block.
    static func read(_ path: String, limit: Int, onlyRegular: Bool) throws(Failure) -> [UInt8] {
        let flags = O_RDONLY | O_CLOEXEC | (onlyRegular ? O_NONBLOCK : 0)
        // SAFETY: open reads the string during the call only.
        let descriptor = unsafe open(path, flags)
        guard descriptor >= 0 else { throw lastFailure() }
        defer { close(descriptor) }
        var status = stat()
        // SAFETY: fstat fills the struct it is given.
        guard unsafe fstat(descriptor, &status) == 0 else { throw lastFailure() }
        let kind = status.st_mode & S_IFMT
        guard kind != S_IFDIR else { throw .system("is a directory") }
        guard !onlyRegular || kind == S_IFREG else { throw .notAFile }
        return try readAll(descriptor, limit: limit)
    }

    private static func readAll(_ descriptor: CInt, limit: Int) throws(Failure) -> [UInt8] {
        var result: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            // SAFETY: read fills at most the bytes of the buffer that it is given, during the call.
            let count = unsafe chunk.withUnsafeMutableBytes { buffer in
                unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw lastFailure() }
            guard count > 0 else { return result }
            result += chunk[..<count]
            guard result.count <= limit else { throw .tooLarge(limit: limit) }
        }
    }

    private static func lastFailure() -> Failure {
        let code = errno
        // SAFETY: strerror returns a string that stays until its next call; it is copied at once, and config is read
        // on one thread.
        guard let text = unsafe strerror(code) else { return .system("error \(code)") }
        let reason = unsafe String(cString: text)
        return .system(reason.prefix(1).lowercased() + reason.dropFirst())
    }
}
