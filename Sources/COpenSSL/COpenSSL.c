#include "COpenSSL.h"

#include <pthread.h>
#include <string.h>

static int bio_read(BIO *bio, char *into, size_t room, size_t *count) {
    TLSBuffers *buffers = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    *count = 0;
    if (buffers->input_count == 0) {
        if (!buffers->input_ended) BIO_set_retry_read(bio);
        return 0;
    }
    size_t part = room < buffers->input_count ? room : buffers->input_count;
    memcpy(into, buffers->input, part);
    buffers->input += part;
    buffers->input_count -= part;
    *count = part;
    return 1;
}

static int bio_write(BIO *bio, const char *from, size_t length, size_t *count) {
    TLSBuffers *buffers = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    *count = 0;
    size_t room = buffers->output_room - buffers->output_count;
    if (room == 0) {
        BIO_set_retry_write(bio);
        return 0;
    }
    size_t part = length < room ? length : room;
    memcpy(buffers->output + buffers->output_count, from, part);
    buffers->output_count += part;
    *count = part;
    return 1;
}

static long bio_control(BIO *bio, int command, long number, void *pointer) {
    (void)number;
    (void)pointer;
    TLSBuffers *buffers = BIO_get_data(bio);
    switch (command) {
    case BIO_CTRL_FLUSH: return 1;
    case BIO_CTRL_EOF: return buffers->input_ended && buffers->input_count == 0;
    case BIO_CTRL_PENDING: return (long)buffers->input_count;
    default: return 0;
    }
}

static BIO_METHOD *method;
static pthread_once_t method_once = PTHREAD_ONCE_INIT;

static void make_method(void) {
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "sluice");
    if (method == NULL) return;
    BIO_meth_set_read_ex(method, bio_read);
    BIO_meth_set_write_ex(method, bio_write);
    BIO_meth_set_ctrl(method, bio_control);
}

BIO *tls_bio_new(TLSBuffers *buffers) {
    pthread_once(&method_once, make_method);
    if (method == NULL) return NULL;
    BIO *bio = BIO_new(method);
    if (bio == NULL) return NULL;
    BIO_set_data(bio, buffers);
    BIO_set_init(bio, 1);
    return bio;
}
