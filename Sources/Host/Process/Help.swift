/// What `--help` prints.
enum Help {
    static func text(_ topic: String) -> String {
        switch topic {
        case "run": run
        case "demo": demo
        case "check": check
        case "explain": explain
        case "stats": stats
        case "drain": drain
        case "version": version
        default: FilterHelp.text(topic) ?? overview
        }
    }

    private static let overview = """
        Sluice is a proxy whose whole behaviour is a list of filters.

        usage: sluice COMMAND [OPTIONS]

        commands:
          run      serve what a config file says, or forward to one place without a file
          demo     serve a working example that needs no file and no other server
          check    read a config file and report everything that is wrong with it
          explain  say what a reason, a response flag or a message code means
          stats    list all statistics with their meaning
          drain    tell a running Sluice to drain, from a hook that has no other program
          filter   write, build, try, test, measure and inspect filters of your own
          version  print the version
          help     print this, or `sluice help COMMAND`

        examples:
          sluice demo
          sluice run -c sluice.yaml
          sluice filter new add_header

        exit codes: 0 good, 1 something was found or failed, 2 the command line makes no sense

        """

    private static let run = """
        Serves what a config file says.

        usage: sluice run [-c FILE] [--workers N] [--log-level LEVEL] [--log-format FORMAT]
               sluice run --to HOST:PORT [--listen ADDRESS]

        options:
          -c, --config FILE    the config file; without it ./sluice.yaml, then /etc/sluice/sluice.yaml
          --workers N          threads; without it as many as there are processors to use
          --to HOST:PORT       forward everything to this place, without a config file
          --listen ADDRESS     where to listen with --to; without it 127.0.0.1:8080
          --log-level LEVEL    trace, debug, info, warning or error
          --log-format FORMAT  text or json

        signals:
          TERM, INT            finish what runs within drain_timeout, then exit; a second one exits now
          QUIT                 the same, but a TERM that follows is not a second one
          HUP                  read the config file again; a bad one is refused and the running one stays
          USR1                 open log files again

        examples:
          sluice run -c /etc/sluice/sluice.yaml --workers 2
          sluice run --to 127.0.0.1:3000 --listen :8080

        """

    private static let demo = """
        Serves a working example: upstreams inside the process, one of them slow, one failing at times, one behind TLS.

        usage: sluice demo [--workers N] [--log-level LEVEL] [--log-format FORMAT]

        options:
          --workers N          threads; without it as many as there are processors to use
          --log-level LEVEL    trace, debug, info, warning or error
          --log-format FORMAT  text or json

        Listens on 127.0.0.1:8080 and, with TLS, on 127.0.0.1:8443, or on any free port where one is taken, and prints
        what to try. Needs no file, no rights and no network; its certificates are in a folder that goes with it.

        examples:
          sluice demo
          curl -i http://127.0.0.1:8080/

        """

    private static let check = """
        Reads a config file and reports everything that is wrong with it, with line and column.

        usage: sluice check [FILE] [--format text|json|github]

        options:
          FILE               the config file; without it ./sluice.yaml, then /etc/sluice/sluice.yaml
          --format FORMAT    text for people, json for programs, github for annotations of a pull request

        Opens no port. Exit codes: 0 the file is good, 1 it is not, 2 the command line makes no sense.

        examples:
          sluice check sluice.yaml
          sluice check --format json sluice.yaml

        """

    private static let stats = """
        Lists all statistics that Sluice and its built-in filters keep, with what they mean.

        usage: sluice stats [--format text|markdown]

        options:
          --format FORMAT    text, a line for each; markdown, the page docs/stats.md

        examples:
          sluice stats
          sluice stats --format markdown > docs/stats.md

        """

    private static let drain = """
        Tells a running Sluice to drain and to end after that, as QUIT does, and does not wait for it.

        usage: sluice drain [PID]

        options:
          PID    the process; without it 1, which is Sluice in a container of its own

        For a container's preStop hook: an image with Sluice need not have `kill`. Exit codes: 0 it was told, 1 it is
        not there, is not Sluice, or belongs to somebody else, 2 the command line makes no sense.

        examples:
          sluice drain
          sluice drain $(pidof sluice)

        """

    private static let explain = """
        Says what a code means that a log or a message has: what happened, whose doing it was, what to look at.

        usage: sluice explain [CODE] [-c FILE] [--format text|json|markdown]

        options:
          CODE               a reason (upstream.closed), a response flag (UC, UpstreamConnectionTermination) or the code
                             of a message (SL0102); without it all of them are listed
          -c, --config FILE  a config file, whose plugins have reasons of their own
          --format FORMAT    text for people, json for programs, markdown for manuals

        Exit codes: 0 good, 1 there is no such code, 2 the command line makes no sense.

        examples:
          sluice explain upstream.connect_refused
          sluice explain UF

        """

    private static let version = """
        Prints the version of Sluice, and of the filter API that plugins are built against.

        usage: sluice version

        examples:
          sluice version

        """
}
