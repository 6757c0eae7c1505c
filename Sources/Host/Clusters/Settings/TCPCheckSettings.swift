internal import FilterAPI

/// A connection that is made to every endpoint of a cluster, and what a good one answers.
struct TCPCheckSettings: SettingsStruct, Equatable {
    /// What is sent; nothing unless it is set.
    var send: PayloadSettings?
    /// What must come back, one after the other with anything between them; where there is none, the connection is enough.
    var receive: [PayloadSettings] = []

    init() {}
}
