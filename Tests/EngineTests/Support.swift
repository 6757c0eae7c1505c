import Glibc
import Testing

@testable import Engine

/// A connected pair of unix stream sockets, non-blocking.
///
/// Closes what is still its own at the end.
final class SocketPair {
    var left: Int32 = -1
    var right: Int32 = -1

    init() throws {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        try #require(unsafe socketpair(AF_UNIX, type, 0, &ends) == 0)
        left = ends[0]
        right = ends[1]
    }

    deinit {
        if left >= 0 { Syscalls.close(left) }
        if right >= 0 { Syscalls.close(right) }
    }

    func closeRight() {
        Syscalls.close(right)
        right = -1
    }
}

func send(_ text: String, to fd: Int32) -> IOResult {
    unsafe Array(text.utf8).withUnsafeBytes { unsafe Syscalls.send(fd, $0) }
}

/// Reads at most `limit` bytes; nil when there is nothing now.
func receive(from fd: Int32, limit: Int = 1024) -> String? {
    var buffer = [UInt8](repeating: 0, count: limit)
    let result = unsafe buffer.withUnsafeMutableBytes { unsafe Syscalls.read(fd, into: $0) }
    guard case .bytes(let count) = result else { return nil }
    return String(decoding: buffer[..<count], as: UTF8.self)
}

/// A source that records what happens to it.
final class Recorder: EventSource {
    var seen: [Readiness] = []
    var ends = 0
    var onReady: (Recorder, Readiness) -> Void = { _, _ in }
    var onEnd: (Recorder) -> Void = { _ in }

    override func ready(_ readiness: Readiness) {
        seen.append(readiness)
        onReady(self, readiness)
    }

    override func turnEnded() {
        ends += 1
        onEnd(self)
    }
}

/// A directory of its own for each test that makes files.
final class ScratchDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/sluice-engine-XXXXXX".utf8CString)
        let made: String? = unsafe template.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress, let name = unsafe mkdtemp(start) else { return nil }
            return unsafe String(cString: name)
        }
        path = try #require(made)
    }

    deinit {
        for name in names { _ = unsafe Glibc.unlink(path + "/" + name) }
        _ = unsafe rmdir(path)
    }

    private var names: [String] { ["a.sock", "a.log", "b.log", "plain"] }
}
