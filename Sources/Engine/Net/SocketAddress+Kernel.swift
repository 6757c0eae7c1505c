public import Glibc

// To and from the kernel's form. SAFETY: `sockaddr_storage` is at least as large and as aligned as every form of address;
// all offsets stay below its size, a path because it has at most 107 bytes.
extension SocketAddress {
    /// Reads an address that the kernel wrote; nil for a kind that is not IPv4, IPv6 or unix.
    ///
    /// - Parameter length: how many bytes the kernel wrote.
    public init?(_ storage: sockaddr_storage, length: Int) {
        var storage = storage
        let family = Int32(storage.ss_family)
        let read: SocketAddress? = unsafe withUnsafeBytes(of: &storage) { bytes in
            switch family {
            case AF_INET:
                let form = unsafe bytes.load(as: sockaddr_in.self)
                let address = UInt32(bigEndian: form.sin_addr.s_addr)
                return SocketAddress(v4: address, port: UInt16(bigEndian: form.sin_port))
            case AF_INET6:
                let form = unsafe bytes.load(as: sockaddr_in6.self)
                return unsafe SocketAddress(
                    v6High: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
                    low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)),
                    scope: form.sin6_scope_id, port: UInt16(bigEndian: form.sin6_port))
            case AF_UNIX:
                let path = unsafe bytes[min(2, length)..<min(length, 110)]
                return unsafe SocketAddress(.unix(path: SocketAddress.path(path)))
            default:
                return nil
            }
        }
        guard let read else { return nil }
        self = read
    }

    private static func path(_ bytes: Slice<UnsafeRawBufferPointer>) -> String {
        guard unsafe bytes.first == 0 else {
            return unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        let name = unsafe String(decoding: bytes.dropFirst(), as: UTF8.self)
        return name.isEmpty ? "" : "@" + name
    }

    /// Lends the address in the kernel's form, with its length.
    public func withSockaddr<Result, Failure: Error>(
        _ body: (UnsafePointer<sockaddr>, socklen_t) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var form = sockaddr_storage()
        let length = fill(&form)
        return try unsafe withUnsafePointer(to: &form) { pointer throws(Failure) in
            let general = unsafe UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self)
            return try unsafe body(general, socklen_t(length))
        }
    }

    private func fill(_ form: inout sockaddr_storage) -> Int {
        unsafe withUnsafeMutableBytes(of: &form) { bytes in
            switch storage {
            case .v4(let address, let port):
                var v4 = sockaddr_in()
                v4.sin_family = sa_family_t(AF_INET)
                v4.sin_port = port.bigEndian
                v4.sin_addr.s_addr = address.bigEndian
                unsafe bytes.storeBytes(of: v4, as: sockaddr_in.self)
                return MemoryLayout<sockaddr_in>.size
            case .v6(let high, let low, let scope, let port):
                return unsafe SocketAddress.fill(bytes, high, low, scope, port)
            case .all(let port):
                return unsafe SocketAddress.fill(bytes, 0, 0, 0, port)
            case .unix(let path):
                return unsafe SocketAddress.fill(bytes, path: path)
            }
        }
    }

    private static func fill(
        _ bytes: UnsafeMutableRawBufferPointer, _ high: UInt64, _ low: UInt64, _ scope: UInt32, _ port: UInt16
    ) -> Int {
        var v6 = sockaddr_in6()
        v6.sin6_family = sa_family_t(AF_INET6)
        v6.sin6_port = port.bigEndian
        v6.sin6_scope_id = scope
        unsafe bytes.storeBytes(of: v6, as: sockaddr_in6.self)
        unsafe bytes.storeBytes(of: high.bigEndian, toByteOffset: 8, as: UInt64.self)
        unsafe bytes.storeBytes(of: low.bigEndian, toByteOffset: 16, as: UInt64.self)
        return MemoryLayout<sockaddr_in6>.size
    }

    /// A path ends with a zero byte; an abstract name starts with one, in the place of its `@`, and ends with its length.
    private static func fill(_ bytes: UnsafeMutableRawBufferPointer, path: String) -> Int {
        unsafe bytes.storeBytes(of: sa_family_t(AF_UNIX), as: sa_family_t.self)
        var path = path
        return path.withUTF8 { text in
            for index in text.indices { unsafe bytes[2 + index] = text[index] }
            if text.isEmpty { return 2 }
            guard unsafe text[0] == UInt8(ascii: "@") else { return 2 + text.count + 1 }
            unsafe bytes[2] = 0
            return 2 + text.count
        }
    }
}

extension SocketAddress.Family {
    /// The kernel's number of the family.
    var number: Int32 {
        switch self {
        case .v4: AF_INET
        case .v6: AF_INET6
        case .unix: AF_UNIX
        }
    }
}
