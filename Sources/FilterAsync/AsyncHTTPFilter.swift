public import FilterAPI

/// An HTTP filter that is written as one function from the request to the response.
public protocol AsyncHTTPFilter: HTTPFilter {}
