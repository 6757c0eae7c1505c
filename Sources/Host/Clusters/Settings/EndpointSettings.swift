internal import Engine
internal import FilterAPI

/// One place where a cluster is served: an address or a name with a port, or a unix socket.
struct EndpointSettings: SettingsStruct, Hashable {
    /// The largest weight; the sum over a cluster then stays far from any overflow.
    static let maxWeight = 1000
    /// The last level.
    static let maxPriority = 127

    var address = ""
    /// Its share of the requests, compared with the other endpoints.
    var weight = 1
    /// Its level: the endpoints with the lowest number serve as long as enough of them are good, then the next.
    var priority = 0

    init() {}

    init?(shorthand: String) { address = shorthand }

    /// The address as it is used; nil where it is none.
    var parsed: EndpointAddress? { try? EndpointAddress.parse(address) }

    func validate(_ check: inout SettingsCheck) {
        if address.isEmpty {
            check.error("", "an endpoint needs an `address`", hint: EndpointAddress.examples)
        } else {
            do throws(AddressError) {
                _ = try EndpointAddress.parse(address)
            } catch {
                check.error("address", error.message, hint: EndpointAddress.examples)
            }
        }
        if weight < 1 || weight > Self.maxWeight { check.error("weight", "must be between 1 and \(Self.maxWeight)") }
        if priority < 0 || priority > Self.maxPriority {
            check.error("priority", "must be between 0 and \(Self.maxPriority)", hint: "0 serves first")
        }
    }
}
