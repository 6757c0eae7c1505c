// Written by scripts/lib/api-digest, which says of what.
#define SLUICE_API_DIGEST "ff8f38b0e7975978"
