import Glibc
import Testing

@testable import Engine

@Suite struct ChildProcessTests {
    @Test(
        "The end of a program is told by its code, or by the signal that ended it",
        arguments: [("exit 0", 0), ("exit 3", 3), ("kill -9 $$", 137)] as [(String, Int32)])
    func ends(script: String, code: Int32) throws {
        #expect(try ChildProcess.start("/bin/sh", ["-c", script], hasGroup: false).wait() == code)
    }

    @Test("A program that is not there ends with 127")
    func missing() throws {
        #expect(try ChildProcess.start("/nowhere/program", [], hasGroup: false).wait() == 127)
    }

    @Test("What it says on its standard error comes through a pipe, whatever signals we have blocked")
    func error() throws {
        let (reading, writing) = try Syscalls.pipe()
        let child = try ChildProcess.start("/bin/sh", ["-c", "echo no >&2"], hasGroup: true, error: writing)
        Syscalls.close(writing)
        defer { Syscalls.close(reading) }
        #expect(child.wait() == 0)
        let text = unsafe [UInt8](unsafeUninitializedCapacity: 100) { buffer, count in
            if case .bytes(let got) = unsafe Syscalls.readFile(reading, into: UnsafeMutableRawBufferPointer(buffer)) {
                count = got
            }
        }
        #expect(String(decoding: text, as: UTF8.self) == "no\n")
    }

    @Test("A signal to its group ends what it has started too")
    func group() throws {
        let (reading, writing) = try Syscalls.pipe()
        // The inner program keeps the pipe open for as long as it lives.
        let child = try ChildProcess.start(
            "/bin/sh", ["-c", "sleep 100 & echo up >&2; wait"], hasGroup: true, error: writing)
        Syscalls.close(writing)
        defer { Syscalls.close(reading) }
        var room: [UInt8] = Array(repeating: 0, count: 16)
        let first = unsafe room.withUnsafeMutableBytes { unsafe Syscalls.readFile(reading, into: $0) }
        #expect(first == .bytes(3))
        child.send(SIGTERM)
        #expect(child.wait() == 143)
        let last = unsafe room.withUnsafeMutableBytes { unsafe Syscalls.readFile(reading, into: $0) }
        #expect(last == .ended)
    }

    @Test("A new file is never written over an old one, and the folders on the way are made")
    func files() throws {
        let folder = "/tmp/sluice-test-\(getpid())-\(UInt32.random(in: 0...(.max)))"
        try Syscalls.makeFolders(folder + "/a/b")
        try Syscalls.makeFolders(folder + "/a/b")
        try Syscalls.writeNew(folder + "/a/b/file", "one")
        #expect(throws: SystemFault.self) { try Syscalls.writeNew(folder + "/a/b/file", "two") }
        #expect(try Syscalls.contents(of: folder + "/a/b/file", limit: 100) == Array("one".utf8))
        #expect(Syscalls.realPath(folder + "/a/../a/b") == Syscalls.realPath(folder + "/a/b"))
        #expect(!Syscalls.isProgram(folder + "/a/b/file") && Syscalls.isProgram("/bin/sh"))
        try Syscalls.unlink(folder + "/a/b/file")
        for path in ["/a/b", "/a", ""] { #expect(unsafe rmdir(folder + path) == 0) }
    }
}
