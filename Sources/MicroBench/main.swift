// Times of small things, one line each. A new group is a file with an enum like the others, and a line here.
let measure = Measure(CommandLine.arguments.dropFirst())
ParserBenches.run(measure)
HeaderBenches.run(measure)
CodecBenches.run(measure)
ChainBenches.run(measure)
RouteBenches.run(measure)
StatBenches.run(measure)
LogBenches.run(measure)
