// Written by scripts/lib/api-digest, which says of what.
#define SLUICE_API_DIGEST "4c2e19832ff812df"
