/// The config that `run --to` stands for.
enum ForwardConfig {
    static func text(to: String, listen: String?) -> String {
        """
        access_log: stdout
        listeners:
          main:
            bind: "\(quoted(listen ?? "127.0.0.1:8080"))"
            chain: [ http, count, router: { to: upstream } ]
        clusters:
          upstream:
            endpoints: [ "\(quoted(to.hasPrefix(":") ? "127.0.0.1\(to)" : to))" ]
        """
    }

    /// Text inside double quotes of YAML.
    private static func quoted(_ text: String) -> String {
        String(text.flatMap { $0 == "\"" || $0 == "\\" ? ["\\", $0] : [$0] })
    }
}
