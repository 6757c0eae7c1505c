import Glibc
import Host

let faults = unsafe getenv("SLUICE_FAULTS").map { unsafe String(cString: $0) }
exit(SluiceMain.run(Array(CommandLine.arguments.dropFirst()), faults: faults))
