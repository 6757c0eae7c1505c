import Glibc

/// A file with a line `name: key` for each key; empty lines and those that begin with `#` are passed over.
enum KeyFile {
    struct Problem: Error { let message: String }

    /// Reads the text of a file. What is wrong is told by its line, and never with the key.
    static func parse(_ text: String) throws(Problem) -> [(name: String, key: String)] {
        var found: [(name: String, key: String)] = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let line = trimmed(line)
            if line.isEmpty || line.hasPrefix("#") { continue }
            guard let colon = line.firstIndex(of: ":") else {
                throw Problem(message: "line \(index + 1) is no `name: key`")
            }
            let name = String(trimmed(line[..<colon]))
            let key = String(trimmed(line[line.index(after: colon)...]))
            if let problem = Key.problem(name: name, key: key) {
                throw Problem(message: "line \(index + 1): \(problem)")
            }
            if found.contains(where: { $0.key == key && $0.name != name }) {
                throw Problem(message: "line \(index + 1): two names have the same key")
            }
            found.append((name, key))
        }
        return found
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let first = text.unicodeScalars.first, first.value <= 0x20 { text = text.dropFirst() }
        while let last = text.unicodeScalars.last, last.value <= 0x20 { text = text.dropLast() }
        return text
    }

    /// Reads a file; on the control thread.
    static func read(_ path: String) throws(Problem) -> [(name: String, key: String)] {
        let fd = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard fd >= 0 else { throw Problem(message: "cannot be read: \(unsafe String(cString: strerror(errno)))") }
        defer { close(fd) }
        var status = stat()
        guard unsafe fstat(fd, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= 4 << 20 else {
            throw Problem(message: "is not a file of at most 4 MiB")
        }
        var bytes: [UInt8] = []
        var page = [UInt8](repeating: 0, count: 16 * 1024)
        while bytes.count <= 4 << 20 {
            // SAFETY: the buffer is the array's own memory.
            let count = unsafe page.withUnsafeMutableBytes { unsafe Glibc.read(fd, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else {
                throw Problem(message: "cannot be read: \(unsafe String(cString: strerror(errno)))")
            }
            if count == 0 { break }
            bytes += page[..<count]
        }
        return try parse(String(decoding: bytes, as: UTF8.self))
    }
}
