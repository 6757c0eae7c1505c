internal import FilterAPI
internal import FilterTesting
internal import Filters

/// What the filter `trace` does with a browser's request: reads and writes fields, and draws numbers.
enum TraceBenches {
    private static let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    static func run(_ measure: Measure) {
        random(measure)
        do throws(ConfigurationFault) {
            let filter = try FakeWorker().make(Trace.self)
            let everything = try FakeWorker().make(Trace.self, config: "propagate: [w3c, b3, b3_single]")
            let plain = head([])
            let traced = head([(.traceparent, parent)])
            let states = head([
                (.traceparent, parent), (.tracestate, "rojo=00f067aa0ba902b7"), (.tracestate, "a=1,b=2"),
            ])
            let b3 = head([(.b3, "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1")])
            let base = measure.run("trace: put the head back only") { [plain] in again($0, plain, nil) }
            let cases = [
                ("begin a trace", filter, plain), ("go on with traceparent", filter, traced),
                ("go on with tracestate in two fields", filter, states), ("go on with b3", filter, b3),
                ("begin a trace in three formats", everything, plain),
            ]
            for (name, filter, head) in cases {
                let time = measure.run("trace: " + name) { again($0, head, filter) }
                if let time, let base { measure.note("without putting the head back", time - base) }
            }
        } catch { fatalError(error.message) }
    }

    /// A head, boxed so that several closures may read it.
    private final class Box {
        let head: RequestHead

        init(_ head: consuming RequestHead) { self.head = head }
    }

    private static func head(_ fields: [(HeaderName, String)]) -> Box {
        let bytes = Samples.request
        var message = unsafe PagePool().chunk(copying: bytes.span.bytes)
        var head = RequestHead()
        var parser = HeadParser(.request)
        do throws(Fault) {
            keep(try parser.parse(&message, into: &head.headers, HeadLimits()))
        } catch { fatalError("\(error.reason)") }
        for (name, value) in fields { head.headers.add(name, value) }
        return Box(head)
    }

    private static func again(_ count: Int, _ box: Box, _ filter: Trace?) {
        let facts = UnsafeMutablePointer<StreamFacts>.allocate(capacity: 1)
        unsafe facts.initialize(to: StreamFacts())
        defer { unsafe facts.deinitialize(count: 1).deallocate() }
        var head = box.head.copy()
        do throws(Fault) {
            guard let filter else {
                for _ in 0..<count {
                    head.assign(from: box.head)
                    touch(&head)
                }
                return
            }
            let host = FakeStream(filter)
            var stream = unsafe Stream(host: host, facts: facts)
            var state: Void = ()
            for _ in 0..<count {
                head.assign(from: box.head)
                touch(&head)
                stream.facts.trace = nil
                keep(try filter.requestHead(&head, last: true, &state, &stream).rawValue)
            }
            host.close()
        } catch { fatalError("\(error.reason)") }
    }

    private static func random(_ measure: Measure) {
        measure.run("draw 64 random bits from the system") { count in
            var system = SystemRandomNumberGenerator()
            for _ in 0..<count { keep(Int(truncatingIfNeeded: system.next() as UInt64)) }
        }
        measure.run("draw 64 random bits") { count in
            var random = RandomBits()
            for _ in 0..<count { keep(Int(truncatingIfNeeded: random.next())) }
        }
    }
}
