import FilterAPI
import FilterTesting

@testable import Filters

/// One worker with filters, to which requests are shown.
final class TraceBench {
    let worker = FakeWorker()

    /// What has become of a request.
    struct Outcome {
        let below: Passed
        let context: TraceContext?

        /// The value of a field that may be there once.
        func field(_ name: String) -> String? {
            let values = below.values(name)
            return values.count > 1 ? "\(values)" : values.first
        }

        /// Names of all fields of traces, in lower case.
        var names: Set<String> {
            Set(below.fields.map { $0.name.lowercased() }.filter { $0.contains("trace") || $0.contains("b3") })
        }
    }

    /// Shows a request of its own to a new filter.
    func ask(_ fields: KeyValuePairs<String, String> = [:], _ config: String = "{}") throws -> Outcome {
        ask(try worker.make(Trace.self, config: config), fields)
    }

    func ask(_ filter: Trace, _ fields: KeyValuePairs<String, String> = [:]) -> Outcome {
        let stream = FakeStream(filter, .fake(fields: fields))
        stream.requestHead(last: true)
        defer { stream.close() }
        return Outcome(below: stream.below, context: stream.facts.trace)
    }

    func count(_ name: String) -> UInt64 { worker.value(of: "trace.\(name)") }

    /// All counters that are not zero.
    var counts: [String: UInt64] {
        var found: [String: UInt64] = [:]
        for name in worker.counterNames where worker.value(of: name) > 0 {
            found[String(name.dropFirst("trace.".count))] = worker.value(of: name)
        }
        return found
    }
}

extension String {
    /// The parts between dashes.
    var parts: [String] { split(separator: "-", omittingEmptySubsequences: false).map { String($0) } }
}

func hex(_ number: UInt64) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}

func hex(_ trace: TraceID) -> String { hex(trace.high) + hex(trace.low) }
