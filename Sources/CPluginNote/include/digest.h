// Written by scripts/lib/api-digest, which says of what.
#define SLUICE_API_DIGEST "72a7c66b07ba85e9"
