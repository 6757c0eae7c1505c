public import Glibc

// Moving bytes over sockets. All of these never block, whatever the descriptor's own flags say, except `readv`.
extension Syscalls {
    /// Reads from a socket (recv; scheduled as `recv`).
    public static func read(_ fd: Int32, into buffer: UnsafeMutableRawBufferPointer) -> IOResult {
        let result = attempt(.recv) {
            unsafe Glibc.recv(fd, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
        }
        return IOResult(reading: result, into: buffer.count)
    }

    /// Reads from a socket into several pieces; the descriptor has to be non-blocking.
    ///
    /// At least one piece has room.
    public static func readv(_ fd: Int32, _ pieces: UnsafePointer<iovec>, count: Int) -> IOResult {
        let result = attempt(.readv) { unsafe Glibc.readv(fd, pieces, Int32(count)) }
        return IOResult(reading: result, into: 1)
    }

    /// Sends over a socket.
    ///
    /// A peer that has gone is `.failed(EPIPE)`, never a signal.
    public static func send(_ fd: Int32, _ buffer: UnsafeRawBufferPointer) -> IOResult {
        let flags = Int32(MSG_NOSIGNAL | MSG_DONTWAIT)
        let result = attempt(.send) { unsafe Glibc.send(fd, buffer.baseAddress, buffer.count, flags) }
        return IOResult(writing: result)
    }

    /// Sends several pieces (at most IOV_MAX, 1024) with one call.
    ///
    /// The kernel may take only a part of them.
    ///
    /// - Parameter more: more follows at once, so a last packet that is not full should wait for it.
    public static func sendv(
        _ fd: Int32, _ pieces: UnsafeMutablePointer<iovec>, count: Int, more: Bool = false
    ) -> IOResult {
        var message = unsafe msghdr()
        unsafe message.msg_iov = pieces
        unsafe message.msg_iovlen = count
        var flags = Int32(MSG_NOSIGNAL | MSG_DONTWAIT)
        if more { flags |= Int32(MSG_MORE) }
        let result = attempt(.sendmsg) { unsafe Glibc.sendmsg(fd, &message, flags) }
        return IOResult(writing: result)
    }

    /// Looks whether an idle connection is still good, without taking anything from it.
    public static func peek(_ fd: Int32) -> PeekResult {
        var byte: UInt8 = 0
        let flags = Int32(MSG_PEEK | MSG_DONTWAIT)
        let result = attempt(.peek) { unsafe Glibc.recv(fd, &byte, 1, flags) }
        if result > 0 { return .bytes }
        if result == 0 { return .ended }
        let errno = Int32(truncatingIfNeeded: -result)
        return errno == EAGAIN ? .quiet : .failed(errno)
    }

    /// Reads from a socket and leaves the bytes there: they are read again, from the first one on (scheduled as `peek`).
    public static func peek(_ fd: Int32, into buffer: UnsafeMutableRawBufferPointer) -> IOResult {
        let flags = Int32(MSG_PEEK | MSG_DONTWAIT)
        let result = attempt(.peek) { unsafe Glibc.recv(fd, buffer.baseAddress, buffer.count, flags) }
        return IOResult(reading: result, into: buffer.count)
    }
}
