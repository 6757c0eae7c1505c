/// What `--help` prints for `sluice filter` and its commands.
enum FilterHelp {
    /// - Parameter topic: `filter`, or `filter` and one of its commands.
    /// - Returns: nil where it is about something else.
    static func text(_ topic: String) -> String? {
        switch topic {
        case "filter": filter
        case "filter new": new
        case "filter run": run
        case "filter test": test
        case "filter bench": bench
        case "filter inspect": inspect
        default: nil
        }
    }

    private static let filter = """
        What authors of filters need. Two commands lead from nothing to a filter that runs.

        usage: sluice filter COMMAND [OPTIONS]

        commands:
          new NAME           writes the package of a filter, with a test, a manual and a config
          run [FOLDER]       builds it, serves with it, and does so again whenever a file is saved
          test [FOLDER]      runs its tests, and says whether this Sluice would load it
          bench [FOLDER]     says what it costs per request
          inspect FILE.so    says what a shared object brings, and whether this Sluice would load it

        examples:
          sluice filter new add_header
          sluice filter run add_header
          sluice filter run --help

        """

    private static let new = """
        Writes the package of a filter that builds: the filter, a test, a manual, and a config that has it in a chain.

        usage: sluice filter new NAME [--kind http|byte|terminal] [--async] [--at FOLDER] [--sluice FOLDER]

        options:
          NAME               the filter's name in config files: small letters, digits and `_`
          --kind KIND        http, a filter of requests and responses (this one unless said); byte, a filter of what comes
                             and goes on connections; terminal, the end of a chain, which answers
          --async            one function from the request to the response, which may wait for things
          --at FOLDER        where to; a folder of that name unless said. Nothing that is there is written over
          --sluice FOLDER    Sluice's sources; unless said SLUICE_SDK of the environment, else those that this program was
                             built from or that were installed with it

        Exit codes: 0 good, 1 it cannot be written, 2 the command line makes no sense.

        examples:
          sluice filter new add_header
          sluice filter new greylist --kind byte --at plugins/greylist

        """

    private static let run = """
        Builds a filter and serves with it, and does so again whenever one of its files, or the config, is saved.

        usage: sluice filter run [FOLDER] [--port PORT] [-c FILE] [--debug]

        options:
          FOLDER             the filter's package; the working folder unless said
          --port PORT        what SLUICE_PORT is in the config; 8080 unless said, or any where that is taken
          -c, --config FILE  the config to serve; sluice.yaml of the package unless said
          --debug            builds without optimisation: faster to build, slower to run

        What does not build, and a config that is refused, leave running what runs. Ctrl-C ends it. The config may use
        ${SLUICE_BUILD} (release or debug), ${SLUICE_PORT} and ${SLUICE_ADMIN_PORT}. Needs `swift`.

        Exit codes: 0 ended by a signal, 1 it cannot be started, 2 the command line makes no sense.

        examples:
          sluice filter run add_header
          sluice filter run --port 9000 -c other.yaml

        """

    private static let test = """
        Runs a filter's tests by `swift test`, then says whether this Sluice would load what was built.

        usage: sluice filter test [FOLDER] [-- ARGUMENTS]

        options:
          FOLDER             the filter's package; the working folder unless said
          -- ARGUMENTS       for `swift test`

        Exit codes: that of `swift test`, 1 where Sluice would not load it, 2 the command line makes no sense.

        examples:
          sluice filter test add_header
          sluice filter test -- --filter field

        """

    private static let bench = """
        Says what an HTTP filter costs per request: a stream walks down a chain and up again, with the filter and without
        it, in turns.

        usage: sluice filter bench [FOLDER|FILE.so] [--filter NAME] [--settings '{ … }']

        options:
          FOLDER             the filter's package, which is built first; the working folder unless said
          FILE.so            a shared object that is built already
          --filter NAME      which one, where there are several
          --settings '{ … }' its settings, as they stand in a config file

        Exit codes: 0 good, 1 it cannot be measured, 2 the command line makes no sense.

        examples:
          sluice filter bench add_header
          sluice filter bench libadd_header.so --settings '{ value: good day }'

        """

    private static let inspect = """
        Says what a shared object brings, what it was built with, and whether this Sluice would load it. None of its code
        is run.

        usage: sluice filter inspect FILE.so [--format text|json]

        options:
          --format FORMAT    text for people, json for programs

        Exit codes: 0 good, 1 this Sluice would not load it, 2 the command line makes no sense.

        examples:
          sluice filter inspect .build/release/libhello.so

        """
}
