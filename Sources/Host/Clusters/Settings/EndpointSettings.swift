internal import Engine
internal import FilterAPI

/// One place where a cluster is served: an address or a name with a port, or a unix socket.
struct EndpointSettings: SettingsStruct, Hashable {
    /// The largest weight; the sum over a cluster then stays far from any overflow.
    static let maxWeight = 1000

    var address = ""
    /// Its share of the requests, compared with the other endpoints.
    var weight = 1

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
    }
}
