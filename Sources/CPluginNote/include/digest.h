// Written by scripts/lib/api-digest, which says of what.
#define SLUICE_API_DIGEST "91373df88216645d"
