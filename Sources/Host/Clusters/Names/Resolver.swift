internal import Engine

/// Looks names up.
final class Resolver {
    init(loop: EventLoop, servers: [String]) throws {}
}
