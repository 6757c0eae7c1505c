internal import Config
internal import Engine
internal import FilterAPI

/// What the file says of the end of the process, where several keys must fit together.
extension ConfigLoader {
    /// The address that is asked whether the service beside still accepts.
    func outlive(_ node: Node?, _ listeners: [ListenerPlan]) -> SocketAddress? {
        guard let node, let (address, place) = addresses(node).first else { return nil }
        if address.family != .unix, address.port == 0 {
            diagnostics.error(.badAddress, "`outlive` needs the port at which the service accepts", at: place)
        }
        if let own = listeners.first(where: { $0.addresses.contains(address) }) {
            diagnostics.error(
                .badAddress, "`\(address)` is an address of the listener `\(own.name)`, which would wait for itself",
                at: place, hint: "name the address of the service that Sluice stands beside")
        } else if !diagnostics.hasErrors, !listeners.contains(where: { heedsService($0.settings) }) {
            diagnostics.warning(
                .doubtfulValue, "`outlive` changes nothing: no listener has `direction: outbound` or a `drain_delay`",
                at: node.place)
        }
        return address
    }

    /// Whether it matters to a listener when the service ends.
    private func heedsService(_ settings: ListenerSettings) -> Bool {
        settings.direction == .outbound || settings.drainDelay > .zero
    }

    /// A listener that accepts until all is cut off has not drained.
    func checkDelays(_ listeners: [ListenerPlan], _ timeout: Duration) {
        for listener in listeners {
            let delay = listener.settings.drainDelay
            guard delay > .zero, delay >= timeout else { continue }
            let limit = DurationText.write(timeout)
            diagnostics.error(
                .refusedValue, "`drain_delay` must be shorter than `drain_timeout`, which is \(limit)",
                at: listener.node["drain_delay"]?.place ?? listener.node.place)
        }
    }
}
