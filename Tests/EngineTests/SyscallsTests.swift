import Glibc
import Testing

@testable import Engine

@Suite struct SyscallsTests {
    @Test("Only the nth call fails, and the ones after it work again")
    func nthCall() throws {
        let pair = try SocketPair()
        defer { withExtendedLifetime(pair) {} }
        let rules = [FaultRule(.send, nth: 2, errno: EPIPE, count: 2)]
        let results = Syscalls.faults.during(rules) { (0..<5).map { _ in send("x", to: pair.left) } }
        #expect(results == [.bytes(1), .failed(EPIPE), .failed(EPIPE), .bytes(1), .bytes(1)])
        #expect(send("x", to: pair.left) == .bytes(1))
        #expect(receive(from: pair.right) == "xxxx")
    }

    @Test("Rules for different calls are counted apart")
    func separateCounts() throws {
        let pair = try SocketPair()
        defer { withExtendedLifetime(pair) {} }
        let rules = [FaultRule(.send, nth: 1, errno: EAGAIN), FaultRule(.recv, nth: 2, errno: ECONNRESET)]
        Syscalls.faults.during(rules) {
            #expect(send("x", to: pair.left) == .wouldBlock)
            #expect(send("x", to: pair.left) == .bytes(1))
            #expect(receive(from: pair.right) == "x")
            var byte: [UInt8] = [0]
            let result = unsafe byte.withUnsafeMutableBytes { unsafe Syscalls.read(pair.right, into: $0) }
            #expect(result == .failed(ECONNRESET))
        }
    }

    @Test("There is no route where the kernel says so, and one where it cannot be asked")
    func routes() {
        let here = SocketAddress(v4: 0x7F00_0001, port: 0)
        #expect(Syscalls.hasRoute(to: here))
        func hasRoute(_ call: Syscalls.Call, _ errno: Int32) -> Bool {
            Syscalls.faults.during([FaultRule(call, nth: 1, errno: errno)]) { Syscalls.hasRoute(to: here) }
        }
        #expect(!hasRoute(.connect, ENETUNREACH))
        #expect(!hasRoute(.connect, EADDRNOTAVAIL))
        #expect(hasRoute(.connect, EACCES))
        #expect(!hasRoute(.socket, EAFNOSUPPORT))
        #expect(hasRoute(.socket, EMFILE))
    }

    @Test("An interrupted call is made again")
    func interrupted() throws {
        let pair = try SocketPair()
        defer { withExtendedLifetime(pair) {} }
        let before = Syscalls.faults.injectedCount
        let result = Syscalls.faults.during([FaultRule(.send, nth: 1, errno: EINTR, count: 3)]) {
            send("x", to: pair.left)
        }
        #expect(result == .bytes(1))
        #expect(Syscalls.faults.injectedCount >= before + 3)
    }

    @Test("A failed connect says so, an interrupted one is still on its way")
    func connectFaults() throws {
        let address = try SocketAddress.parse("127.0.0.1:1")
        let fd = try Syscalls.socket(.v4)
        defer { Syscalls.close(fd) }
        let rules = [
            FaultRule(.connect, nth: 1, errno: ENETUNREACH), FaultRule(.connect, nth: 2, errno: EINTR),
        ]
        let results = Syscalls.faults.during(rules) { (0..<2).map { _ in Syscalls.connect(fd, to: address) } }
        #expect(results == [.failed(ENETUNREACH), .inProgress])
    }

    @Test("A schedule is read from text")
    func parseSchedule() throws {
        let rules = try FaultRule.parse("accept4:3:EMFILE,recv:2:ECONNRESET:5,rename:1:EIO:*")
        #expect(
            rules == [
                FaultRule(.accept4, nth: 3, errno: EMFILE), FaultRule(.recv, nth: 2, errno: ECONNRESET, count: 5),
                FaultRule(.rename, nth: 1, errno: EIO, count: .max),
            ])
        #expect(try FaultRule.parse("").isEmpty)
    }

    @Test(
        "A schedule that is wrong is refused with the reason",
        arguments: [
            ("accept4:3", "expected call:nth:ERRNO"), ("axept:1:EIO", "no call is named 'axept'"),
            ("send:0:EIO", "'0' is not a number from 1"), ("send:1:EOOPS", "no error is named 'EOOPS'"),
            ("send:1:EIO:no", "count 'no'"),
        ])
    func wrongSchedule(text: String, reason: String) {
        let error = #expect(throws: FaultRuleError.self) { try FaultRule.parse(text) }
        #expect(error?.message.contains(reason) == true)
        #expect(throws: FaultRuleError.self) { try Syscalls.armFaults(from: text) }
    }

    @Test("A gone peer is an error, never a signal; an ended one is told apart from a quiet one")
    func endedPeer() throws {
        let pair = try SocketPair()
        defer { withExtendedLifetime(pair) {} }
        #expect(Syscalls.peek(pair.left) == .quiet)
        _ = send("x", to: pair.right)
        #expect(Syscalls.peek(pair.left) == .bytes)
        #expect(receive(from: pair.left) == "x")
        pair.closeRight()
        #expect(Syscalls.peek(pair.left) == .ended)
        #expect(send("x", to: pair.left) == .failed(EPIPE))
    }

    @Test("Several pieces go out and come in with one call each")
    func vectors() throws {
        let pair = try SocketPair()
        defer { withExtendedLifetime(pair) {} }
        var text = Array("hello world".utf8)
        var room = [UInt8](repeating: 0, count: 16)
        unsafe text.withUnsafeMutableBytes { text in
            var pieces = unsafe [
                iovec(iov_base: text.baseAddress, iov_len: 5),
                iovec(iov_base: text.baseAddress?.advanced(by: 5), iov_len: 6),
            ]
            #expect(unsafe Syscalls.sendv(pair.left, &pieces, count: 2) == .bytes(11))
        }
        unsafe room.withUnsafeMutableBytes { room in
            let pieces = unsafe [
                iovec(iov_base: room.baseAddress, iov_len: 3),
                iovec(iov_base: room.baseAddress?.advanced(by: 3), iov_len: 13),
            ]
            #expect(unsafe Syscalls.readv(pair.right, pieces, count: 2) == .bytes(11))
            #expect(unsafe Syscalls.readv(pair.right, pieces, count: 2) == .wouldBlock)
        }
        #expect(String(decoding: room.prefix(11), as: UTF8.self) == "hello world")
    }

    @Test("A fault reads like a sentence with the error's name")
    func faultText() {
        #expect(SystemFault(call: "accept4", errno: EMFILE).description == "accept4: Too many open files (EMFILE)")
        #expect(SystemFault(call: "open", errno: 99_999).description == "open: Unknown error (errno 99999)")
        #expect(SystemFault(call: "open", errno: 1) != SystemFault(call: "close", errno: 1))
    }

    @Test("The descriptor limit is at least what POSIX grants")
    func descriptorLimit() {
        #expect(Syscalls.fileDescriptorLimit(raising: false) >= 20)
        #expect(Syscalls.fileDescriptorLimit() >= Syscalls.fileDescriptorLimit(raising: false))
    }
}

/// The tests that rename files: one at a time, as one of them makes that fail in all threads.
@Suite(.serialized) struct RenameTests {
    @Test("Faults armed for the process reach every thread until they are disarmed")
    func processWide() throws {
        try Syscalls.armFaults(from: "rename:1:ENOSPC:*")
        let thread = try WorkerThread.start(name: "a name longer than fifteen bytes") {
            #expect(throws: SystemFault(call: "rename", errno: ENOSPC)) { try Syscalls.rename("/no", to: "/way") }
        }
        thread.join()
        Syscalls.faults.disarm()
        #expect(throws: SystemFault(call: "rename", errno: ENOENT)) { try Syscalls.rename("/no/such", to: "/no/way") }
    }

    @Test("A log file is appended to, and a rotated one is opened anew")
    func logFile() throws {
        let directory = try ScratchDirectory()
        defer { withExtendedLifetime(directory) {} }
        let (log, old) = (directory.path + "/a.log", directory.path + "/b.log")
        for line in ["one\n", "two\n"] {
            let fd = try Syscalls.open(log, .append)
            #expect(unsafe Array(line.utf8).withUnsafeBytes { unsafe Syscalls.write(fd, $0) } == .bytes(4))
            Syscalls.close(fd)
        }
        try Syscalls.rename(log, to: old)
        #expect(Syscalls.text(of: old) == "one\ntwo\n")
        #expect(Syscalls.text(of: log) == nil)
        try Syscalls.unlink(old)
    }
}
