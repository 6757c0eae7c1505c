/* Lets in who shows the key: `api_key KEY;` in http, server or location; `api_key off;` where none is needed. */
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

typedef struct {
    ngx_str_t key; /* empty: none is needed here */
} api_key_conf_t;

extern ngx_module_t ngx_http_api_key_module;

static ngx_atomic_t *refused; /* in shared memory, one for all workers */

static ngx_table_elt_t *find(ngx_http_request_t *r)
{
    static const char name[] = "x-api-key";
    ngx_list_part_t *part = &r->headers_in.headers.part;
    ngx_table_elt_t *field = part->elts;

    for (ngx_uint_t i = 0;; i++) {
        if (i >= part->nelts) {
            if (part->next == NULL) return NULL;
            part = part->next;
            field = part->elts;
            i = 0;
        }
        if (field[i].key.len == sizeof(name) - 1
            && ngx_strcasecmp(field[i].key.data, (u_char *) name) == 0) {
            return &field[i];
        }
    }
}

static ngx_int_t answer(ngx_http_request_t *r)
{
    static ngx_str_t text = ngx_string("a key is needed\n");
    ngx_int_t rc;
    ngx_buf_t *b;
    ngx_chain_t out;

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) return rc;
    b = ngx_calloc_buf(r->pool);
    if (b == NULL) return NGX_HTTP_INTERNAL_SERVER_ERROR;
    b->pos = text.data;
    b->last = text.data + text.len;
    b->memory = 1;
    b->last_buf = (r == r->main);
    b->last_in_chain = 1;
    out.buf = b;
    out.next = NULL;

    r->headers_out.status = NGX_HTTP_UNAUTHORIZED;
    r->headers_out.content_length_n = text.len;
    ngx_str_set(&r->headers_out.content_type, "text/plain");
    rc = ngx_http_send_header(r);
    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        ngx_http_finalize_request(r, rc);
    } else {
        ngx_http_finalize_request(r, ngx_http_output_filter(r, &out));
    }
    return NGX_DONE; /* the request is finished: the phases must not go on */
}

static ngx_int_t handler(ngx_http_request_t *r)
{
    api_key_conf_t *conf = ngx_http_get_module_loc_conf(r, ngx_http_api_key_module);
    ngx_table_elt_t *field;

    if (conf->key.len == 0) return NGX_DECLINED;
    field = find(r);
    if (field != NULL && field->value.len == conf->key.len
        && CRYPTO_memcmp(field->value.data, conf->key.data, conf->key.len) == 0) {
        return NGX_DECLINED;
    }
    (void) ngx_atomic_fetch_add(refused, 1);
    return answer(r);
}

/* `$api_key_refused`, for a log or an answer: nginx has no page of statistics that modules could add to. */
static ngx_int_t refused_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char *p = ngx_pnalloc(r->pool, NGX_ATOMIC_T_LEN);

    if (p == NULL) return NGX_ERROR;
    v->data = p;
    v->len = ngx_sprintf(p, "%uA", *refused) - p;
    v->valid = 1;
    v->no_cacheable = 1;
    v->not_found = 0;
    return NGX_OK;
}

static ngx_int_t init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_slab_pool_t *pool = (ngx_slab_pool_t *) zone->shm.addr;

    if (data != NULL) { /* a reload: what was counted stays */
        zone->data = data;
    } else {
        zone->data = ngx_slab_calloc(pool, sizeof(ngx_atomic_t));
        if (zone->data == NULL) return NGX_ERROR;
    }
    refused = zone->data;
    return NGX_OK;
}

static ngx_int_t before(ngx_conf_t *cf)
{
    static ngx_str_t name = ngx_string("api_key_refused");
    ngx_http_variable_t *variable = ngx_http_add_variable(cf, &name, NGX_HTTP_VAR_NOCACHEABLE);

    if (variable == NULL) return NGX_ERROR;
    variable->get_handler = refused_variable;
    return NGX_OK;
}

static ngx_int_t after(ngx_conf_t *cf)
{
    static ngx_str_t name = ngx_string("api_key");
    ngx_http_core_main_conf_t *core = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    ngx_http_handler_pt *place = ngx_array_push(&core->phases[NGX_HTTP_ACCESS_PHASE].handlers);
    ngx_shm_zone_t *zone = ngx_shared_memory_add(cf, &name, 8 * ngx_pagesize, &ngx_http_api_key_module);

    if (place == NULL || zone == NULL) return NGX_ERROR;
    *place = handler;
    zone->init = init_zone;
    return NGX_OK;
}

static void *create(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(api_key_conf_t));
}

static char *merge(ngx_conf_t *cf, void *parent, void *child)
{
    api_key_conf_t *above = parent, *here = child;

    if (here->key.data == NULL) here->key = above->key;
    return NGX_CONF_OK;
}

static char *set(ngx_conf_t *cf, ngx_command_t *command, void *data)
{
    api_key_conf_t *conf = data;
    ngx_str_t *word = cf->args->elts;

    if (conf->key.data != NULL) return "is duplicate";
    conf->key = word[1];
    if (ngx_strcmp(word[1].data, "off") == 0) {
        conf->key.len = 0;
    } else if (word[1].len < 16) {
        return "is too short";
    }
    return NGX_CONF_OK;
}

static ngx_command_t commands[] = {
    { ngx_string("api_key"), NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF | NGX_CONF_TAKE1, set,
      NGX_HTTP_LOC_CONF_OFFSET, 0, NULL },
    ngx_null_command
};

static ngx_http_module_t context = { before, after, NULL, NULL, NULL, NULL, create, merge };

ngx_module_t ngx_http_api_key_module = {
    NGX_MODULE_V1, &context, commands, NGX_HTTP_MODULE, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NGX_MODULE_V1_PADDING
};
