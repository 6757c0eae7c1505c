internal import FilterAPI
internal import FilterTesting
internal import Filters

/// Whole exchanges through a codec, without a socket.
enum CodecBenches {
    static func run(_ measure: Measure) {
        do throws(ConfigurationFault) {
            let worker = FakeWorker()
            server(measure, "serve a browser's request", try worker.make(HTTP1ServerCodec.self), Samples.request)
            server(measure, "serve a small request", try worker.make(HTTP1ServerCodec.self), Samples.small)
            let plain = try worker.make(HTTP1ServerCodec.self) { settings in
                settings.requestID = false
                settings.forwardedFor = .keep
            }
            server(measure, "serve a small request, adding nothing", plain, Samples.small)
            client(measure, try worker.make(HTTP1ClientCodec.self))
        } catch { fatalError(error.message) }
    }

    private static func server(_ measure: Measure, _ name: String, _ codec: HTTP1ServerCodec, _ bytes: [UInt8]) {
        let connection = FakeConnection()
        let message = unsafe connection.pages.chunk(copying: bytes.span.bytes)
        guard let length = HeaderName("content-length"), let type = HeaderName("content-type") else { return }
        measure.run(name) { count in
            do throws(Fault) {
                var state = unsafe try codec.accept(&connection.link.pointee)
                for _ in 0..<count {
                    var input = message.share()
                    let event = unsafe try codec.decode(&input, ended: false, &state, &connection.link.pointee)
                    guard case .requestHead(let stream, _) = consume event else { fatalError("no request") }
                    let head = unsafe connection.responseHead(stream)
                    unsafe head.pointee.headers.add(type, "text/plain")
                    unsafe head.pointee.headers.add(length, "13")
                    unsafe try codec.responseHead(&head.pointee, last: false, stream, &state, &connection.link.pointee)
                    var body = ByteChunk("hello, world\n")
                    unsafe try codec.responseBody(&body, last: true, stream, &state, &connection.link.pointee)
                    unsafe codec.streamClosed(stream, &state, &connection.link.pointee)
                    connection.end(stream)
                    connection.dropOutput()
                }
            } catch { fatalError("\(error.reason)") }
        }
    }

    private static func client(_ measure: Measure, _ codec: HTTP1ClientCodec) {
        let connection = FakeConnection()
        let bytes = Samples.response
        let message = unsafe connection.pages.chunk(copying: bytes.span.bytes)
        let request = RequestHead.fake("GET", "/healthz", fields: ["accept": "*/*", "user-agent": "bench"])
        measure.run("write a request and read its response") { count in
            do throws(Fault) {
                var state = unsafe try codec.connect(&connection.link.pointee)
                for _ in 0..<count {
                    let stream = connection.begin()
                    unsafe connection.requestHead(stream).pointee.assign(from: request)
                    unsafe try codec.requestHead(
                        &connection.requestHead(stream).pointee, last: true, stream, &state, &connection.link.pointee)
                    var input = message.share()
                    var isLast = false
                    while !isLast {
                        switch unsafe try codec.decode(&input, ended: false, &state, &connection.link.pointee) {
                        case .responseHead(_, let last): isLast = last
                        case .responseBody(_, _, let last): isLast = last
                        default: fatalError("no response")
                        }
                    }
                    connection.end(stream)
                    connection.dropOutput()
                }
            } catch { fatalError("\(error.reason)") }
        }
    }
}
