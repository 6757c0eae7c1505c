internal import FilterAPI

/// The first line of a response. The usual ones are ready-made.
enum StatusLine {
    @inline(__always)
    static func write(_ status: Status, _ writer: inout HeadWriter) {
        switch status.code {
        case 200: writer.add("HTTP/1.1 200 OK\r\n")
        case 204: writer.add("HTTP/1.1 204 No Content\r\n")
        case 304: writer.add("HTTP/1.1 304 Not Modified\r\n")
        case 404: writer.add("HTTP/1.1 404 Not Found\r\n")
        case 503: writer.add("HTTP/1.1 503 Service Unavailable\r\n")
        default:
            writer.add("HTTP/1.1 ")
            writer.add(decimal: status.code)
            writer.add(" ")
            writer.add(status.reason)
            writer.add("\r\n")
        }
    }
}
