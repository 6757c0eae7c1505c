// Written by scripts/lib/api-digest, which says of what.
#define SLUICE_API_DIGEST "9ef2157fcdcd5276"
