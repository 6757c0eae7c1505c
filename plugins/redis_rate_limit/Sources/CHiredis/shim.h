#include <hiredis/hiredis.h>
#include <openssl/sha.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

/* Swift sees the text of an error as 128 numbers. */
static inline const char *sluice_redis_error(const redisContext *context) { return context->errstr; }

/* What tools show; the kernel keeps 15 bytes. */
static inline void sluice_redis_name_this_thread(void) { prctl(PR_SET_NAME, "redis_limit"); }
