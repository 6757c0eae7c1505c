package import FilterAPI
package import FilterTesting
package import Filters

/// What a client codec writes for the request that a server codec has just read to its end.
///
/// - Parameter stream: the request's; nil for the one that came last.
package func relayed<C: ServerCodec>(
    _ bench: ServerBench<C>, _ stream: StreamHandle? = nil, through codec: HTTP1ClientCodec
) -> [UInt8] {
    let stream = stream ?? bench.stream
    guard let request = bench.request(of: stream) else { return [] }
    let client = ClientBench(codec)
    let head = unsafe bench.connection.requestHead(stream)
    var sent = unsafe head.pointee.copy()
    // An empty Host is not read again; RFC 9112 section 3.2 wants it written where a client of HTTP/1.0 sent none.
    if !sent.headers.contains(.host) { sent.setAuthority("none") }
    let hasBody = sent.bodyLength != .none && sent.bodyLength != .known(0)
    client.request(sent, last: !hasBody)
    if hasBody {
        client.requestBody(bytes: request.body, last: request.trailers.isEmpty)
        if !request.trailers.isEmpty {
            unsafe client.requestTrailers(copying: bench.connection.trailers(stream, isRequest: true).pointee)
        }
    }
    return client.connection.takeOutput()
}

/// What a server codec writes for the response that a client codec has read to its end.
///
/// - Parameter method: the request's.
func relayed(
    _ bench: ClientBench<HTTP1ClientCodec>, through codec: HTTP1ServerCodec, method: String
) -> (output: [UInt8], fault: Fault?) {
    guard let response = bench.response else { return ([], nil) }
    let server = ServerBench(codec)
    server.answer = nil
    server.receive("\(method) / HTTP/1.1\r\nHost: a\r\n\r\n")
    let isBare = response.body.isEmpty && response.trailers.isEmpty
    unsafe server.respondHead(copying: bench.connection.responseHead(bench.stream).pointee, last: isBare)
    if !response.body.isEmpty { server.respondBody(bytes: response.body, last: response.trailers.isEmpty) }
    if !response.trailers.isEmpty {
        unsafe server.respondTrailers(copying: bench.connection.trailers(bench.stream, isRequest: false).pointee)
    }
    return (server.connection.takeOutput(), server.fault)
}
