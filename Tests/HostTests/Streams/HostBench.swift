import Config
import Engine
import FilterAPI
import Glibc
import Testing

@testable import Host

/// A worker that a test turns by hand, with listeners and clusters as a config says, and filters of the test's own.
final class HostBench {
    let worker: Worker
    let registry = StatRegistry(workers: 1)
    private let control: EventLoop
    private let resolver: Resolver
    private let generation: Generation
    private let types: [any Filter.Type]

    struct Refused: Error { let text: String }

    init(_ config: String, _ types: [any Filter.Type]) throws {
        self.types = types
        control = try EventLoop()
        resolver = try Resolver(loop: control, servers: [])
        let log = Log(level: .error, format: .text)
        worker = try Worker(index: 0, registry: registry, log: log, connectionLimit: ConnectionLimit(1000))
        generation = Generation(log: log, writer: nil, stats: GenerationStats(registry))
        try install(config)
    }

    /// Puts a config in place, as a reload does.
    func install(_ config: String) throws {
        let diagnostics = Diagnostics(file: "test")
        var loader = ConfigLoader(registry: FilterRegistry(BuiltinFilters.types + types), diagnostics: diagnostics)
        var isInPlace = false
        guard let plan = loader.load(text: config),
            generation.install(
                plan, on: [worker], resolver: resolver, diagnostics: diagnostics, whenInPlace: { isInPlace = true })
        else { throw Refused(text: diagnostics.rendered(as: .text)) }
        #expect(turn { isInPlace })
    }

    /// Turns the loops until something is true.
    @discardableResult
    func turn(_ seconds: Double = 10, until condition: () -> Bool) -> Bool {
        let end = Syscalls.timeNow() + UInt64(seconds * 1e9)
        while !condition() {
            guard Syscalls.timeNow() < end else { return false }
            worker.loop.turn(maxWait: 2_000_000)
            control.turn(maxWait: 0)
        }
        return true
    }

    /// A client of a listener; it speaks and reads when it is told to.
    func client(of listener: String) throws -> BenchClient {
        let bound = try #require(generation.boundAddresses.first { $0.listener == listener })
        return try BenchClient(self, SocketAddress.parse(bound.address))
    }

    /// One request on a connection of its own, and all that comes back.
    func exchange(_ listener: String, _ request: String) throws -> String {
        let client = try client(of: listener)
        client.send(request)
        return client.readToEnd()
    }

    /// What all statistics say that have this name, or end with it.
    func count(_ name: String) -> Int64 {
        registry.groups.reduce(0) { sum, group in
            group.schema.entries.reduce(sum) { sum, entry in
                let full = group.scope.prefix + entry.description.name
                guard entry.description.kind != .histogram, full == name || full.hasSuffix(".\(name)") else {
                    return sum
                }
                return sum + group.value(entry)
            }
        }
    }
}

final class BenchClient {
    private let bench: HostBench
    private let fd: Int32
    private var isOpen = true
    private(set) var received = ""
    private(set) var hasEnded = false

    init(_ bench: HostBench, _ address: SocketAddress) throws {
        self.bench = bench
        fd = try Syscalls.socket(address.family)
        if case .failed(let errno) = Syscalls.connect(fd, to: address) {
            Syscalls.close(fd)
            throw SystemFault(call: "connect", errno: errno)
        }
    }

    deinit { if isOpen { Syscalls.close(fd) } }

    func send(_ text: String) {
        var rest = ArraySlice(text.utf8)
        bench.turn {
            let result = unsafe rest.withUnsafeBytes { unsafe Syscalls.send(fd, $0) }
            switch result {
            case .bytes(let count): rest = rest.dropFirst(count)
            case .wouldBlock: break
            case .ended, .failed: rest = []
            }
            return rest.isEmpty
        }
    }

    func endSending() { Syscalls.shutdownWrite(fd) }

    /// Goes without a goodbye, as a process does that is killed.
    func reset() {
        var now = linger(l_onoff: 1, l_linger: 0)
        _ = unsafe setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    func close() {
        isOpen = false
        Syscalls.close(fd)
    }

    /// Takes what has come.
    func read() {
        guard !hasEnded else { return }
        unsafe withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 1) { room in
            while true {
                switch unsafe Syscalls.read(fd, into: room) {
                case .bytes(let count):
                    received += unsafe String(decoding: UnsafeRawBufferPointer(room)[..<count], as: UTF8.self)
                case .wouldBlock: return
                case .ended, .failed:
                    hasEnded = true
                    return
                }
            }
        }
    }

    /// Reads until a text has come.
    func reads(_ text: String, within seconds: Double = 10) -> Bool {
        bench.turn(seconds) {
            read()
            return received.contains(text)
        }
    }

    func readToEnd() -> String {
        #expect(
            bench.turn {
                read()
                return hasEnded
            })
        return received
    }
}
