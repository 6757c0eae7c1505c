internal import FilterAPI
internal import Filters

/// Heads and chunks, as bytes become fields.
enum ParserBenches {
    static func run(_ measure: Measure) {
        let request = Samples.request
        heads(measure, "parse a request, \(request.count) bytes, 11 fields", request, .request)
        heads(measure, "parse a request, \(Samples.small.count) bytes, 2 fields", Samples.small, .request)
        heads(measure, "parse a response, 9 fields", Samples.response, .response)
        chunks(measure)
    }

    private static func heads(_ measure: Measure, _ name: String, _ bytes: [UInt8], _ role: HeadParser.Role) {
        let pool = PagePool()
        let message = unsafe pool.chunk(copying: bytes.span.bytes)
        let limits = HeadLimits()
        var headers = Headers()
        var parser = HeadParser(role)
        measure.run(name) { count in
            for _ in 0..<count {
                parser.reset()
                headers.reset()
                var input = message.share()
                do throws(Fault) {
                    keep(try parser.parse(&input, into: &headers, limits))
                } catch { fatalError("\(error.reason)") }
            }
        }
    }

    private static func chunks(_ measure: Measure) {
        let pool = PagePool()
        let bytes = Samples.chunks
        let message = unsafe pool.chunk(copying: bytes.span.bytes)
        measure.run("read 16 KiB in chunks of 1 KiB") { count in
            for _ in 0..<count {
                var decoder = ChunkedDecoder(.request)
                var input = message.share()
                var isLast = false
                while !isLast {
                    do throws(Fault) {
                        switch try decoder.next(&input) {
                        case .bytes(let chunk, let last):
                            keep(chunk.count)
                            isLast = last
                        case .needMore: isLast = true
                        case .trailers: isLast = true
                        }
                    } catch { fatalError("\(error.reason)") }
                }
            }
        }
    }
}
