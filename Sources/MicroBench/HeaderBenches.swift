internal import FilterAPI
internal import Filters

/// What filters do with fields.
enum HeaderBenches {
    static func run(_ measure: Measure) {
        let pool = PagePool()
        let bytes = Samples.request
        var message = unsafe pool.chunk(copying: bytes.span.bytes)
        var head = RequestHead()
        var parser = HeadParser(.request)
        do throws(Fault) {
            keep(try parser.parse(&message, into: &head.headers, HeadLimits()))
        } catch { fatalError("\(error.reason)") }
        guard let other = HeaderName("x-client-tag"), let missing = HeaderName("x-not-there") else { return }
        measure.run("find nothing: what `touch` and `keep` take") { count in
            for _ in 0..<count {
                touch(&head)
                keep(0)
            }
        }
        measure.run("find an interned field, the last but one") { count in
            for _ in 0..<count {
                touch(&head)
                keep(head.headers.index(of: .cacheControl))
            }
        }
        measure.run("find any other field, the last") { count in
            for _ in 0..<count {
                touch(&head)
                keep(head.headers.index(of: other))
            }
        }
        measure.run("miss an interned field") { count in
            for _ in 0..<count {
                touch(&head)
                keep(head.headers.contains(.authorization))
            }
        }
        measure.run("miss any other field") { count in
            for _ in 0..<count {
                touch(&head)
                keep(head.headers.contains(missing))
            }
        }
        let copy = head.copy()
        measure.run("copy a head, then set and add a field") { count in
            for _ in 0..<count {
                head.assign(from: copy)
                head.headers.set(.cacheControl, "no-store")
                head.headers.add(.via, "1.1 sluice")
            }
        }
    }
}
