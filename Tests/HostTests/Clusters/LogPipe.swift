import Engine
import Glibc
import Testing

/// Where a test's log goes.
final class LogPipe {
    let writeEnd: Int32
    private let readEnd: Int32
    private var text = ""

    init() throws {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        try #require(unsafe socketpair(AF_UNIX, type, 0, &ends) == 0)
        readEnd = ends[0]
        writeEnd = ends[1]
    }

    deinit {
        Syscalls.close(readEnd)
        Syscalls.close(writeEnd)
    }

    /// All lines so far.
    var lines: [String] {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe Glibc.read(readEnd, &buffer, buffer.count)
            guard count > 0 else { break }
            text += String(decoding: buffer[..<count], as: UTF8.self)
        }
        return text.split(separator: "\n").map(String.init)
    }
}
