internal import Engine
internal import Glibc

/// Finds out when the service beside has ended: when nobody accepts at its address any more.
///
/// It connects again and again, and closes what it gets. Only a refusal is the end: who is too busy to accept still runs.
final class ServiceWatch: EventSource {
    private static let pause: Nanoseconds = 250_000_000

    private let address: SocketAddress
    private let loop: EventLoop
    private var whenEnded: ((SocketAddress) -> Void)?
    private lazy var timer = CallbackTimer { [unowned self] in self.ask() }

    init(_ address: SocketAddress, on loop: EventLoop) {
        self.address = address
        self.loop = loop
    }

    /// - Parameter ended: called once, perhaps before this returns.
    func begin(_ ended: @escaping (SocketAddress) -> Void) {
        whenEnded = ended
        ask()
    }

    private func ask() {
        do throws(SystemFault) {
            let fd = try Syscalls.socket(address.family)
            do throws(SystemFault) {
                switch Syscalls.connect(fd, to: address) {
                case .inProgress: return try loop.register(self, fd: fd)
                case .connected: take(0)
                case .failed(let errno): take(errno)
                }
            } catch {
                take(error.errno)
            }
            Syscalls.close(fd)
        } catch {
            take(error.errno)
        }
    }

    override func ready(_ readiness: Readiness) {
        let errno = Syscalls.socketError(fd)
        loop.close(self)
        take(errno)
    }

    private func take(_ errno: Int32) {
        // A Unix socket's file may be gone.
        guard errno == ECONNREFUSED || errno == ENOENT else { return loop.schedule(timer, after: Self.pause) }
        whenEnded?(address)
        whenEnded = nil
    }
}
