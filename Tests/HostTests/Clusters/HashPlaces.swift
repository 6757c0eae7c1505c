import FilterAPI

@testable import Host

/// Where keys go by a policy that goes by hash: the names of endpoints, by key.
func hashPlaces(_ policy: BalancePolicy, _ endpoints: [Endpoint], keys: Int = 20_000, seed: UInt64 = 1) -> [String] {
    var balancer = Balancer(policy, seed: seed)
    balancer.update(to: endpoints)
    return (0..<keys).map { balancer.pick(hash: UInt64($0), avoiding: [])?.name.text ?? "" }
}
