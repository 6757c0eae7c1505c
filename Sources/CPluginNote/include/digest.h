// Written by scripts/lib/api-digest, which says of what.
#define SLUICE_API_DIGEST "f759c71328b97be9"
