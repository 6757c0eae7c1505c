/// What all workers know of one listener, route, cluster or endpoint. It has no numbers of its own, so that it stays
/// over reloads that change them.
final class Breaker: Sendable {
    /// For the log: `cluster app`.
    let name: String
    let places: RequestPlaces
    let circuit = ErrorCircuit()

    init(name: String, waiting: GaugeTally) {
        self.name = name
        places = RequestPlaces(tally: waiting)
    }

    /// Whether forgetting it would change what becomes of requests.
    var isIdle: Bool { places.count == 0 && places.waitingCount == 0 && !circuit.isOpen }
}
