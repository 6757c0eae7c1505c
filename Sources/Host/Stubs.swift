internal import Engine
internal import FilterAPI
internal import Config
enum AccessLogFormat { static func problem(_ f: String) -> String? { nil } }
final class AccessLog { init?(_ s: AccessLogSettings, _ sink: LogSink?, _ w: Worker) { return nil }; func write(_ s: HTTPStream, on: ServerConnection) {}; func flush() {} }
enum BuiltinFilters { static let types: [any Filter.Type] = [] }

final class HTTP1ClientCodec: HTTPFilter { struct Settings: FilterSettings {}; static var manifest: Manifest { Manifest(id: "x", summary: "") }; init(_ s: Settings, on: inout WorkerContext) throws(ConfigurationFault) {} }
