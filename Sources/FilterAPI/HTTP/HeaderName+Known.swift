// The names that are interned. The order is the token: append, do not insert.

extension HeaderName {
    /// `host`
    @inlinable public static var host: HeaderName { HeaderName(token: 1, hash: 0, text: "host") }
    /// `connection`
    @inlinable public static var connection: HeaderName { HeaderName(token: 2, hash: 0, text: "connection") }
    /// `content-length`
    @inlinable public static var contentLength: HeaderName { HeaderName(token: 3, hash: 0, text: "content-length") }
    /// `transfer-encoding`
    @inlinable public static var transferEncoding: HeaderName {
        HeaderName(token: 4, hash: 0, text: "transfer-encoding")
    }
    /// `keep-alive`
    @inlinable public static var keepAlive: HeaderName { HeaderName(token: 5, hash: 0, text: "keep-alive") }
    /// `proxy-connection`
    @inlinable public static var proxyConnection: HeaderName { HeaderName(token: 6, hash: 0, text: "proxy-connection") }
    /// `te`
    @inlinable public static var te: HeaderName { HeaderName(token: 7, hash: 0, text: "te") }
    /// `trailer`
    @inlinable public static var trailer: HeaderName { HeaderName(token: 8, hash: 0, text: "trailer") }
    /// `upgrade`
    @inlinable public static var upgrade: HeaderName { HeaderName(token: 9, hash: 0, text: "upgrade") }
    /// `expect`
    @inlinable public static var expect: HeaderName { HeaderName(token: 10, hash: 0, text: "expect") }
    /// `accept`
    @inlinable public static var accept: HeaderName { HeaderName(token: 11, hash: 0, text: "accept") }
    /// `accept-charset`
    @inlinable public static var acceptCharset: HeaderName { HeaderName(token: 12, hash: 0, text: "accept-charset") }
    /// `accept-encoding`
    @inlinable public static var acceptEncoding: HeaderName { HeaderName(token: 13, hash: 0, text: "accept-encoding") }
    /// `accept-language`
    @inlinable public static var acceptLanguage: HeaderName { HeaderName(token: 14, hash: 0, text: "accept-language") }
    /// `accept-ranges`
    @inlinable public static var acceptRanges: HeaderName { HeaderName(token: 15, hash: 0, text: "accept-ranges") }
    /// `access-control-allow-credentials`
    @inlinable public static var accessControlAllowCredentials: HeaderName {
        HeaderName(token: 16, hash: 0, text: "access-control-allow-credentials")
    }
    /// `access-control-allow-headers`
    @inlinable public static var accessControlAllowHeaders: HeaderName {
        HeaderName(token: 17, hash: 0, text: "access-control-allow-headers")
    }
    /// `access-control-allow-methods`
    @inlinable public static var accessControlAllowMethods: HeaderName {
        HeaderName(token: 18, hash: 0, text: "access-control-allow-methods")
    }
    /// `access-control-allow-origin`
    @inlinable public static var accessControlAllowOrigin: HeaderName {
        HeaderName(token: 19, hash: 0, text: "access-control-allow-origin")
    }
    /// `access-control-expose-headers`
    @inlinable public static var accessControlExposeHeaders: HeaderName {
        HeaderName(token: 20, hash: 0, text: "access-control-expose-headers")
    }
    /// `access-control-max-age`
    @inlinable public static var accessControlMaxAge: HeaderName {
        HeaderName(token: 21, hash: 0, text: "access-control-max-age")
    }
    /// `access-control-request-headers`
    @inlinable public static var accessControlRequestHeaders: HeaderName {
        HeaderName(token: 22, hash: 0, text: "access-control-request-headers")
    }
    /// `access-control-request-method`
    @inlinable public static var accessControlRequestMethod: HeaderName {
        HeaderName(token: 23, hash: 0, text: "access-control-request-method")
    }
    /// `age`
    @inlinable public static var age: HeaderName { HeaderName(token: 24, hash: 0, text: "age") }
    /// `allow`
    @inlinable public static var allow: HeaderName { HeaderName(token: 25, hash: 0, text: "allow") }
    /// `alt-svc`
    @inlinable public static var altSvc: HeaderName { HeaderName(token: 26, hash: 0, text: "alt-svc") }
    /// `authorization`
    @inlinable public static var authorization: HeaderName { HeaderName(token: 27, hash: 0, text: "authorization") }
    /// `cache-control`
    @inlinable public static var cacheControl: HeaderName { HeaderName(token: 28, hash: 0, text: "cache-control") }
    /// `content-disposition`
    @inlinable public static var contentDisposition: HeaderName {
        HeaderName(token: 29, hash: 0, text: "content-disposition")
    }
    /// `content-encoding`
    @inlinable public static var contentEncoding: HeaderName {
        HeaderName(token: 30, hash: 0, text: "content-encoding")
    }
    /// `content-language`
    @inlinable public static var contentLanguage: HeaderName {
        HeaderName(token: 31, hash: 0, text: "content-language")
    }
    /// `content-location`
    @inlinable public static var contentLocation: HeaderName {
        HeaderName(token: 32, hash: 0, text: "content-location")
    }
    /// `content-range`
    @inlinable public static var contentRange: HeaderName { HeaderName(token: 33, hash: 0, text: "content-range") }
    /// `content-security-policy`
    @inlinable public static var contentSecurityPolicy: HeaderName {
        HeaderName(token: 34, hash: 0, text: "content-security-policy")
    }
    /// `content-type`
    @inlinable public static var contentType: HeaderName { HeaderName(token: 35, hash: 0, text: "content-type") }
    /// `cookie`
    @inlinable public static var cookie: HeaderName { HeaderName(token: 36, hash: 0, text: "cookie") }
    /// `date`
    @inlinable public static var date: HeaderName { HeaderName(token: 37, hash: 0, text: "date") }
    /// `dnt`
    @inlinable public static var dnt: HeaderName { HeaderName(token: 38, hash: 0, text: "dnt") }
    /// `etag`
    @inlinable public static var eTag: HeaderName { HeaderName(token: 39, hash: 0, text: "etag") }
    /// `expires`
    @inlinable public static var expires: HeaderName { HeaderName(token: 40, hash: 0, text: "expires") }
    /// `forwarded`
    @inlinable public static var forwarded: HeaderName { HeaderName(token: 41, hash: 0, text: "forwarded") }
    /// `from`
    @inlinable public static var from: HeaderName { HeaderName(token: 42, hash: 0, text: "from") }
    /// `grpc-status`
    @inlinable public static var grpcStatus: HeaderName { HeaderName(token: 43, hash: 0, text: "grpc-status") }
    /// `grpc-message`
    @inlinable public static var grpcMessage: HeaderName { HeaderName(token: 44, hash: 0, text: "grpc-message") }
    /// `grpc-timeout`
    @inlinable public static var grpcTimeout: HeaderName { HeaderName(token: 45, hash: 0, text: "grpc-timeout") }
    /// `grpc-encoding`
    @inlinable public static var grpcEncoding: HeaderName { HeaderName(token: 46, hash: 0, text: "grpc-encoding") }
    /// `grpc-accept-encoding`
    @inlinable public static var grpcAcceptEncoding: HeaderName {
        HeaderName(token: 47, hash: 0, text: "grpc-accept-encoding")
    }
    /// `if-match`
    @inlinable public static var ifMatch: HeaderName { HeaderName(token: 48, hash: 0, text: "if-match") }
    /// `if-modified-since`
    @inlinable public static var ifModifiedSince: HeaderName {
        HeaderName(token: 49, hash: 0, text: "if-modified-since")
    }
    /// `if-none-match`
    @inlinable public static var ifNoneMatch: HeaderName { HeaderName(token: 50, hash: 0, text: "if-none-match") }
    /// `if-range`
    @inlinable public static var ifRange: HeaderName { HeaderName(token: 51, hash: 0, text: "if-range") }
    /// `if-unmodified-since`
    @inlinable public static var ifUnmodifiedSince: HeaderName {
        HeaderName(token: 52, hash: 0, text: "if-unmodified-since")
    }
    /// `last-modified`
    @inlinable public static var lastModified: HeaderName { HeaderName(token: 53, hash: 0, text: "last-modified") }
    /// `link`
    @inlinable public static var link: HeaderName { HeaderName(token: 54, hash: 0, text: "link") }
    /// `location`
    @inlinable public static var location: HeaderName { HeaderName(token: 55, hash: 0, text: "location") }
    /// `max-forwards`
    @inlinable public static var maxForwards: HeaderName { HeaderName(token: 56, hash: 0, text: "max-forwards") }
    /// `origin`
    @inlinable public static var origin: HeaderName { HeaderName(token: 57, hash: 0, text: "origin") }
    /// `pragma`
    @inlinable public static var pragma: HeaderName { HeaderName(token: 58, hash: 0, text: "pragma") }
    /// `priority`
    @inlinable public static var priority: HeaderName { HeaderName(token: 59, hash: 0, text: "priority") }
    /// `proxy-authenticate`
    @inlinable public static var proxyAuthenticate: HeaderName {
        HeaderName(token: 60, hash: 0, text: "proxy-authenticate")
    }
    /// `proxy-authorization`
    @inlinable public static var proxyAuthorization: HeaderName {
        HeaderName(token: 61, hash: 0, text: "proxy-authorization")
    }
    /// `proxy-status`
    @inlinable public static var proxyStatus: HeaderName { HeaderName(token: 62, hash: 0, text: "proxy-status") }
    /// `range`
    @inlinable public static var range: HeaderName { HeaderName(token: 63, hash: 0, text: "range") }
    /// `referer`
    @inlinable public static var referer: HeaderName { HeaderName(token: 64, hash: 0, text: "referer") }
    /// `referrer-policy`
    @inlinable public static var referrerPolicy: HeaderName { HeaderName(token: 65, hash: 0, text: "referrer-policy") }
    /// `refresh`
    @inlinable public static var refresh: HeaderName { HeaderName(token: 66, hash: 0, text: "refresh") }
    /// `retry-after`
    @inlinable public static var retryAfter: HeaderName { HeaderName(token: 67, hash: 0, text: "retry-after") }
    /// `sec-websocket-accept`
    @inlinable public static var secWebsocketAccept: HeaderName {
        HeaderName(token: 68, hash: 0, text: "sec-websocket-accept")
    }
    /// `sec-websocket-key`
    @inlinable public static var secWebsocketKey: HeaderName {
        HeaderName(token: 69, hash: 0, text: "sec-websocket-key")
    }
    /// `sec-websocket-protocol`
    @inlinable public static var secWebsocketProtocol: HeaderName {
        HeaderName(token: 70, hash: 0, text: "sec-websocket-protocol")
    }
    /// `sec-websocket-version`
    @inlinable public static var secWebsocketVersion: HeaderName {
        HeaderName(token: 71, hash: 0, text: "sec-websocket-version")
    }
    /// `sec-websocket-extensions`
    @inlinable public static var secWebsocketExtensions: HeaderName {
        HeaderName(token: 72, hash: 0, text: "sec-websocket-extensions")
    }
    /// `server`
    @inlinable public static var server: HeaderName { HeaderName(token: 73, hash: 0, text: "server") }
    /// `server-timing`
    @inlinable public static var serverTiming: HeaderName { HeaderName(token: 74, hash: 0, text: "server-timing") }
    /// `set-cookie`
    @inlinable public static var setCookie: HeaderName { HeaderName(token: 75, hash: 0, text: "set-cookie") }
    /// `strict-transport-security`
    @inlinable public static var strictTransportSecurity: HeaderName {
        HeaderName(token: 76, hash: 0, text: "strict-transport-security")
    }
    /// `traceparent`
    @inlinable public static var traceparent: HeaderName { HeaderName(token: 77, hash: 0, text: "traceparent") }
    /// `tracestate`
    @inlinable public static var tracestate: HeaderName { HeaderName(token: 78, hash: 0, text: "tracestate") }
    /// `user-agent`
    @inlinable public static var userAgent: HeaderName { HeaderName(token: 79, hash: 0, text: "user-agent") }
    /// `vary`
    @inlinable public static var vary: HeaderName { HeaderName(token: 80, hash: 0, text: "vary") }
    /// `via`
    @inlinable public static var via: HeaderName { HeaderName(token: 81, hash: 0, text: "via") }
    /// `warning`
    @inlinable public static var warning: HeaderName { HeaderName(token: 82, hash: 0, text: "warning") }
    /// `www-authenticate`
    @inlinable public static var wwwAuthenticate: HeaderName {
        HeaderName(token: 83, hash: 0, text: "www-authenticate")
    }
    /// `x-content-type-options`
    @inlinable public static var xContentTypeOptions: HeaderName {
        HeaderName(token: 84, hash: 0, text: "x-content-type-options")
    }
    /// `x-forwarded-client-cert`
    @inlinable public static var xForwardedClientCert: HeaderName {
        HeaderName(token: 85, hash: 0, text: "x-forwarded-client-cert")
    }
    /// `x-forwarded-for`
    @inlinable public static var xForwardedFor: HeaderName { HeaderName(token: 86, hash: 0, text: "x-forwarded-for") }
    /// `x-forwarded-host`
    @inlinable public static var xForwardedHost: HeaderName { HeaderName(token: 87, hash: 0, text: "x-forwarded-host") }
    /// `x-forwarded-port`
    @inlinable public static var xForwardedPort: HeaderName { HeaderName(token: 88, hash: 0, text: "x-forwarded-port") }
    /// `x-forwarded-proto`
    @inlinable public static var xForwardedProto: HeaderName {
        HeaderName(token: 89, hash: 0, text: "x-forwarded-proto")
    }
    /// `x-frame-options`
    @inlinable public static var xFrameOptions: HeaderName { HeaderName(token: 90, hash: 0, text: "x-frame-options") }
    /// `x-real-ip`
    @inlinable public static var xRealIp: HeaderName { HeaderName(token: 91, hash: 0, text: "x-real-ip") }
    /// `x-request-id`
    @inlinable public static var xRequestID: HeaderName { HeaderName(token: 92, hash: 0, text: "x-request-id") }
    /// `x-b3-traceid`
    @inlinable public static var xB3Traceid: HeaderName { HeaderName(token: 93, hash: 0, text: "x-b3-traceid") }
    /// `x-b3-spanid`
    @inlinable public static var xB3Spanid: HeaderName { HeaderName(token: 94, hash: 0, text: "x-b3-spanid") }
    /// `x-b3-parentspanid`
    @inlinable public static var xB3Parentspanid: HeaderName {
        HeaderName(token: 95, hash: 0, text: "x-b3-parentspanid")
    }
    /// `x-b3-sampled`
    @inlinable public static var xB3Sampled: HeaderName { HeaderName(token: 96, hash: 0, text: "x-b3-sampled") }
    /// `x-b3-flags`
    @inlinable public static var xB3Flags: HeaderName { HeaderName(token: 97, hash: 0, text: "x-b3-flags") }
    /// `b3`
    @inlinable public static var b3: HeaderName { HeaderName(token: 98, hash: 0, text: "b3") }
    /// `x-envoy-attempt-count`
    @inlinable public static var xEnvoyAttemptCount: HeaderName {
        HeaderName(token: 99, hash: 0, text: "x-envoy-attempt-count")
    }
    /// `x-envoy-upstream-service-time`
    @inlinable public static var xEnvoyUpstreamServiceTime: HeaderName {
        HeaderName(token: 100, hash: 0, text: "x-envoy-upstream-service-time")
    }
    /// `x-envoy-overloaded`
    @inlinable public static var xEnvoyOverloaded: HeaderName {
        HeaderName(token: 101, hash: 0, text: "x-envoy-overloaded")
    }
    /// `x-envoy-original-path`
    @inlinable public static var xEnvoyOriginalPath: HeaderName {
        HeaderName(token: 102, hash: 0, text: "x-envoy-original-path")
    }
    /// `x-envoy-original-host`
    @inlinable public static var xEnvoyOriginalHost: HeaderName {
        HeaderName(token: 103, hash: 0, text: "x-envoy-original-host")
    }
    /// `x-envoy-internal`
    @inlinable public static var xEnvoyInternal: HeaderName {
        HeaderName(token: 104, hash: 0, text: "x-envoy-internal")
    }
    /// `x-envoy-external-address`
    @inlinable public static var xEnvoyExternalAddress: HeaderName {
        HeaderName(token: 105, hash: 0, text: "x-envoy-external-address")
    }
    /// `x-envoy-expected-rq-timeout-ms`
    @inlinable public static var xEnvoyExpectedRqTimeoutMs: HeaderName {
        HeaderName(token: 106, hash: 0, text: "x-envoy-expected-rq-timeout-ms")
    }
    /// `x-envoy-retry-on`
    @inlinable public static var xEnvoyRetryOn: HeaderName { HeaderName(token: 107, hash: 0, text: "x-envoy-retry-on") }
    /// `x-envoy-max-retries`
    @inlinable public static var xEnvoyMaxRetries: HeaderName {
        HeaderName(token: 108, hash: 0, text: "x-envoy-max-retries")
    }
    /// `x-envoy-upstream-rq-timeout-ms`
    @inlinable public static var xEnvoyUpstreamRqTimeoutMs: HeaderName {
        HeaderName(token: 109, hash: 0, text: "x-envoy-upstream-rq-timeout-ms")
    }
    /// `x-envoy-upstream-rq-per-try-timeout-ms`
    @inlinable public static var xEnvoyUpstreamRqPerTryTimeoutMs: HeaderName {
        HeaderName(token: 110, hash: 0, text: "x-envoy-upstream-rq-per-try-timeout-ms")
    }
    /// `x-xss-protection`
    @inlinable public static var xXssProtection: HeaderName {
        HeaderName(token: 111, hash: 0, text: "x-xss-protection")
    }
    /// `upgrade-insecure-requests`
    @inlinable public static var upgradeInsecureRequests: HeaderName {
        HeaderName(token: 112, hash: 0, text: "upgrade-insecure-requests")
    }
    /// `http2-settings`
    @inlinable public static var http2Settings: HeaderName { HeaderName(token: 113, hash: 0, text: "http2-settings") }

    /// All interned names by token; the first entry stands for none of them.
    static let known: [StaticString] = [
        "",
        "host",
        "connection",
        "content-length",
        "transfer-encoding",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "upgrade",
        "expect",
        "accept",
        "accept-charset",
        "accept-encoding",
        "accept-language",
        "accept-ranges",
        "access-control-allow-credentials",
        "access-control-allow-headers",
        "access-control-allow-methods",
        "access-control-allow-origin",
        "access-control-expose-headers",
        "access-control-max-age",
        "access-control-request-headers",
        "access-control-request-method",
        "age",
        "allow",
        "alt-svc",
        "authorization",
        "cache-control",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-location",
        "content-range",
        "content-security-policy",
        "content-type",
        "cookie",
        "date",
        "dnt",
        "etag",
        "expires",
        "forwarded",
        "from",
        "grpc-status",
        "grpc-message",
        "grpc-timeout",
        "grpc-encoding",
        "grpc-accept-encoding",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "last-modified",
        "link",
        "location",
        "max-forwards",
        "origin",
        "pragma",
        "priority",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-status",
        "range",
        "referer",
        "referrer-policy",
        "refresh",
        "retry-after",
        "sec-websocket-accept",
        "sec-websocket-key",
        "sec-websocket-protocol",
        "sec-websocket-version",
        "sec-websocket-extensions",
        "server",
        "server-timing",
        "set-cookie",
        "strict-transport-security",
        "traceparent",
        "tracestate",
        "user-agent",
        "vary",
        "via",
        "warning",
        "www-authenticate",
        "x-content-type-options",
        "x-forwarded-client-cert",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-port",
        "x-forwarded-proto",
        "x-frame-options",
        "x-real-ip",
        "x-request-id",
        "x-b3-traceid",
        "x-b3-spanid",
        "x-b3-parentspanid",
        "x-b3-sampled",
        "x-b3-flags",
        "b3",
        "x-envoy-attempt-count",
        "x-envoy-upstream-service-time",
        "x-envoy-overloaded",
        "x-envoy-original-path",
        "x-envoy-original-host",
        "x-envoy-internal",
        "x-envoy-external-address",
        "x-envoy-expected-rq-timeout-ms",
        "x-envoy-retry-on",
        "x-envoy-max-retries",
        "x-envoy-upstream-rq-timeout-ms",
        "x-envoy-upstream-rq-per-try-timeout-ms",
        "x-xss-protection",
        "upgrade-insecure-requests",
        "http2-settings",
    ]
}
