/// Bytes in, bytes out: TLS, PROXY protocol, a throttle.
///
/// The same filter may stand in a listener's chain and in a cluster's; ``Stream/side`` tells which.
public protocol ByteFilter: ByteEvents {}

/// HTTP in, HTTP out: the role of most filters.
public protocol HTTPFilter: HTTPEvents {}

/// The end of an HTTP chain: answers, or hangs a cluster below the stream by ``Stream/attach(_:_:)``.
///
/// What it lets go on (`next`) goes to the cluster that it attached; responses from there come to it first.
public protocol HTTPTerminal: HTTPEvents {}

/// The end of a byte chain: attaches a cluster, or talks to the client itself.
public protocol ByteTerminal: ByteEvents {}
