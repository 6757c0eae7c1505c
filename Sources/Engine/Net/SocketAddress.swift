/// Where a socket is: an IPv4 or IPv6 address with a port, a port on all addresses, or a unix path.
///
/// IPv4 addresses inside IPv6 (`::ffff:1.2.3.4`, what a dual-stack listener sees) are IPv4 here.
public struct SocketAddress: Sendable, Hashable {
    /// The kind of socket an address needs.
    public enum Family: Sendable, Hashable {
        /// IPv4.
        case v4
        /// IPv6, and all addresses of both kinds.
        case v6
        /// A unix socket.
        case unix
    }

    enum Storage: Sendable, Hashable {
        /// The address as a number: 127.0.0.1 is 0x7F000001.
        case v4(address: UInt32, port: UInt16)
        case v6(high: UInt64, low: UInt64, scope: UInt32, port: UInt16)
        /// All addresses, IPv4 and IPv6.
        case all(port: UInt16)
        /// A path; or a name in the abstract namespace, that starts with `@`; or nothing for an unnamed end.
        case unix(path: String)
    }

    let storage: Storage

    init(_ storage: Storage) {
        guard case .v6(high: 0, let low, _, let port) = storage, low >> 32 == 0xFFFF else {
            self.storage = storage
            return
        }
        self.storage = .v4(address: UInt32(truncatingIfNeeded: low), port: port)
    }

    /// An IPv4 address from its number (127.0.0.1 is 0x7F000001) and a port.
    public init(v4 address: UInt32, port: UInt16) {
        self.init(.v4(address: address, port: port))
    }

    /// An IPv6 address from its two halves (`::1` is 0 and 1) and a port.
    public init(v6High high: UInt64, low: UInt64, scope: UInt32 = 0, port: UInt16) {
        self.init(.v6(high: high, low: low, scope: scope, port: port))
    }

    /// The end of a unix socket that has no name, as clients' ends usually are.
    public static let unnamed = SocketAddress(.unix(path: ""))

    /// The kind of socket this address needs.
    public var family: Family {
        switch storage {
        case .v4: .v4
        case .v6, .all: .v6
        case .unix: .unix
        }
    }

    /// The port; nil for a unix socket.
    public var port: UInt16? {
        switch storage {
        case .v4(_, let port), .v6(_, _, _, let port), .all(let port): port
        case .unix: nil
        }
    }

    /// The same address with another port.
    ///
    /// A unix address stays as it is.
    public func with(port: UInt16) -> SocketAddress {
        switch storage {
        case .v4(let address, _): SocketAddress(.v4(address: address, port: port))
        case .v6(let high, let low, let scope, _): SocketAddress(.v6(high: high, low: low, scope: scope, port: port))
        case .all: SocketAddress(.all(port: port))
        case .unix: self
        }
    }

    /// The path of a unix socket (an abstract name starts with `@`); nil for others.
    public var unixPath: String? {
        if case .unix(let path) = storage { path } else { nil }
    }

    /// Whether only this machine can be at that address.
    public var isLoopback: Bool {
        switch storage {
        case .v4(let address, _): address >> 24 == 127
        case .v6(let high, let low, _, _): high == 0 && low == 1
        case .all: false
        case .unix: true
        }
    }

    /// The address as a 128-bit number in two halves, IPv4 in the lowest 32 bits; nil for a unix socket.
    ///
    /// For hashing and matching without allocation.
    public var ipNumber: (high: UInt64, low: UInt64)? {
        switch storage {
        case .v4(let address, _): (0, UInt64(address))
        case .v6(let high, let low, _, _): (high, low)
        case .all: (0, 0)
        case .unix: nil
        }
    }

    /// The address's 4 or 16 bytes in network order; empty for a unix socket.
    ///
    /// Allocates.
    public var ipBytes: [UInt8] {
        switch storage {
        case .v4(let address, _): SocketAddress.bytes(address)
        case .v6(let high, let low, _, _): SocketAddress.bytes(high) + SocketAddress.bytes(low)
        case .all: [UInt8](repeating: 0, count: 16)
        case .unix: []
        }
    }

    private static func bytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        stride(from: Number.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> Number($0)) }
    }
}
