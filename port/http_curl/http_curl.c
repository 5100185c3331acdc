/* SPDX-License-Identifier: Apache-2.0 */
/* Life of a client, and which transport does an exchange. */
#define _GNU_SOURCE
#include "port/http_curl/http_curl.h"

#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "esp_http_client.h"

static const http_curl_transport_t transports[] = {
    {"https://", true, "https", http_curl_http_open, http_curl_http_read},
    {"http://", false, "http", http_curl_http_open, http_curl_http_read},
    {"ftps://", true, "ftps", http_curl_ftp_open, http_curl_ftp_read},
    {"ftpes://", true, "ftp", http_curl_ftp_open, http_curl_ftp_read},
    {"ftp://", false, "ftp", http_curl_ftp_open, http_curl_ftp_read},
    {"file://", false, NULL, http_curl_file_open, http_curl_file_read},
};

static const http_curl_transport_t *find_transport(const char *url)
{
    for (size_t i = 0; i < sizeof(transports) / sizeof(transports[0]); i++) {
        if (strncasecmp(url, transports[i].prefix, strlen(transports[i].prefix)) == 0) {
            return &transports[i];
        }
    }
    return NULL;
}

void http_curl_set_error(otter_http_t *http, const char *format, ...)
{
    char text[CURL_ERROR_SIZE + 80];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    snprintf(http->error, sizeof(http->error), "%s%s%s", http->origin, http->origin[0] == '\0' ? "" : ": ", text);
}

/* ---- exchange ---- */

static void clear_exchange(otter_http_t *http)
{
    http->connected = false;
    http->done = false;
    http->paused = false;
    http->result = CURLE_OK;
    http->dst = NULL;
    http->room = 0;
    http->filled = 0;
    http->spill_len = 0;
    http->origin[0] = '\0';
    http->curl_error[0] = '\0';
    http->error[0] = '\0';
}

esp_err_t otter_http_open(otter_http_t *http, const otter_http_request_t *request, otter_http_header_cb_t on_header,
                          void *arg, int64_t deadline_us, otter_http_response_t *response)
{
    otter_http_close(http);
    clear_exchange(http);
    response_head_init(&http->head, on_header, arg);
    response->refused = false;
    http->transport = find_transport(request->url);
    if (http->transport == NULL) {
        http_curl_set_error(http, "the URL's scheme is none of http, https, ftp, ftps, ftpes and file");
        return ESP_ERR_HTTP_INVALID_TRANSPORT;
    }
    esp_err_t err = http->transport->open(http, request, deadline_us, response);
    /* The caller's callback data need not outlive this call. */
    http->head.on_header = NULL;
    if (err != ESP_OK) {
        otter_http_close(http);
    }
    return err;
}

esp_err_t otter_http_read(otter_http_t *http, void *dst, size_t len, size_t *got, int64_t deadline_us)
{
    *got = 0;
    if (http->transport == NULL) {
        http_curl_set_error(http, "no exchange is open");
        return ESP_FAIL;
    }
    return http->transport->read(http, dst, len, got, deadline_us);
}

void otter_http_close(otter_http_t *http)
{
    http_curl_detach(http);
    http_curl_drop_options(http);
    http_curl_file_close(http);
    http->transport = NULL;
}

static CURLM *make_multi(void)
{
    CURLM *multi = curl_multi_init();
    if (multi != NULL) {
        curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 1L);
    }
    return multi;
}

void otter_http_disconnect(otter_http_t *http)
{
    otter_http_close(http);
    http_curl_ftp_hang_up(http);
    /* Connections live in the multi handle; the TLS sessions, in the easy one, stay for resumption. */
    CURLM *fresh = make_multi();
    if (fresh != NULL) {
        curl_multi_cleanup(http->multi);
        http->multi = fresh;
    }
}

const char *otter_http_error(const otter_http_t *http)
{
    return http->error;
}

/* ---- life ---- */

static void init_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    /* OpenSSL writes to sockets with write(): a server that hangs up must not end the process. */
    struct sigaction old;
    if (sigaction(SIGPIPE, NULL, &old) == 0 && (old.sa_flags & SA_SIGINFO) == 0 && old.sa_handler == SIG_DFL) {
        signal(SIGPIPE, SIG_IGN);
    }
}

otter_http_t *otter_http_new(const otter_http_config_t *config)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init_curl);
    otter_http_t *http = calloc(1, sizeof(*http));
    if (http == NULL) {
        return NULL;
    }
    http->config = *config;
    http->file = -1;
    http->ftp_control = CURL_SOCKET_BAD;
    http->multi = make_multi();
    http->easy = curl_easy_init();
    if (http->multi == NULL || http->easy == NULL || !http_curl_prepare_tls(http)) {
        otter_http_free(http);
        return NULL;
    }
    return http;
}

void otter_http_free(otter_http_t *http)
{
    if (http == NULL) {
        return;
    }
    otter_http_close(http);
    http_curl_ftp_hang_up(http);
    curl_multi_cleanup(http->multi);
    curl_easy_cleanup(http->easy);
    free(http->ca_pem);
    free(http->spill);
    free(http);
}
