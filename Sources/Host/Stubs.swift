internal import Engine
internal import FilterAPI
internal import Config
final class Endpoint { let address: SocketAddress; let name: FactName; var activeRequests = 0; var pool: AnyObject?; init(address: SocketAddress, name: FactName) { self.address = address; self.name = name } }
enum BalancePolicy: String, Codable { case roundRobin = "round_robin" }
struct ClusterSettings: SettingsStruct { init() {} ; var balance = BalancePolicy.roundRobin; var connectTimeout = Duration.seconds(5); var idleTimeout = Duration.seconds(3600); var maxConnections = 1024; var maxPending = 1024; var maxRequestsPerConnection = 0 }
struct Balancer { init(_ p: BalancePolicy, seed: UInt64) {} ; func pick(hash: UInt64?, avoiding: Endpoint?) -> Endpoint? { nil }; mutating func update(to: [Endpoint]) {} }
struct EndpointList: Sendable { var isUnresolved = false; func merged(into: [Endpoint]) -> [Endpoint] { [] } }
final class Resolver { init(loop: EventLoop, servers: [String]) throws {} }
final class EndpointSet { init(_ s: ClusterSettings, resolver: Resolver, onChange: @escaping (EndpointList) -> Void) {}; func stop() {} }
enum AccessLogFormat { static func problem(_ f: String) -> String? { nil } }
final class AccessLog { init?(_ s: AccessLogSettings, _ sink: LogSink?, _ w: Worker) { return nil }; func write(_ s: HTTPStream, on: ServerConnection) {}; func flush() {} }
enum BuiltinFilters { static let types: [any Filter.Type] = [] }

final class HTTP1ClientCodec: HTTPFilter { struct Settings: FilterSettings {}; static var manifest: Manifest { Manifest(id: "x", summary: "") }; init(_ s: Settings, on: inout WorkerContext) throws(ConfigurationFault) {} }
