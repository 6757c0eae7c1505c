/// What an endpoint is asked over a plain connection.
struct TCPQuestion: Sendable {
    let send: [UInt8]
    /// Empty where the connection is enough.
    let receive: [[UInt8]]

    init(_ settings: TCPCheckSettings) {
        send = settings.send?.bytes ?? []
        receive = settings.receive.map(\.bytes)
    }
}
