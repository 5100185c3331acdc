/* SPDX-License-Identifier: Apache-2.0 */
#include "device/http/http_scheme.h"

#include <stddef.h>

#include "esp_http_client.h"

static const http_scheme_t schemes[] = {
    {.name = "https", .default_port = 443, .is_protected = true, .is_http = true},
    {.name = "http", .default_port = 80, .is_http = true},
    {.name = "ftps", .default_port = 990, .is_protected = true},
    {.name = "ftpes", .default_port = 21, .is_protected = true},
    {.name = "ftp", .default_port = 21},
    {.name = "file"},
};

const http_scheme_t *http_find_scheme(http_span_t name)
{
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (http_span_is(name, schemes[i].name)) {
            return &schemes[i];
        }
    }
    return NULL;
}

bool http_is_file_scheme(const http_scheme_t *scheme)
{
    return scheme->default_port == 0;
}

esp_err_t http_judge_redirect(const http_scheme_t *from, const http_scheme_t *to)
{
    if (to == NULL) {
        return ESP_ERR_HTTP_INVALID_TRANSPORT;
    }
    if (from->is_protected && !to->is_protected) {
        return ESP_ERR_HTTP_REDIRECT_DOWNGRADE;
    }
    return to->is_http ? ESP_OK : ESP_ERR_HTTP_INVALID_TRANSPORT;
}
