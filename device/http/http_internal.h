/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file http_internal.h
 * @brief The client behind esp_http_client.h, and what its files and device/https_ota share.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device/http/http_body.h"
#include "device/http/http_digest.h"
#include "device/http/http_headers.h"
#include "device/http/http_job.h"
#include "device/http/http_scheme.h"
#include "device/http/http_url.h"
#include "esp_http_client.h"
#include "esp_tls_errors.h"
#include "otter/otter_http.h"

#define HTTP_TAG "esp_http_client" /**< Tag of this folder's log lines. */

#define HTTP_MAX_URL_BYTES 4096            /**< Longest URL accepted, terminator included. */
#define HTTP_AUTHORIZATION "Authorization" /**< Name of the header that carries credentials. */

/** How far esp_http_client_perform() is, between two calls of a client that does not wait. */
typedef enum http_perform_step {
    HTTP_PERFORM_SEND,  /**< The request is to be sent. */
    HTTP_PERFORM_AWAIT, /**< The response's head is awaited. */
    HTTP_PERFORM_BODY,  /**< The body is being read. */
    HTTP_PERFORM_DONE,
} http_perform_step_t;

/** A client. Texts are owned unless said otherwise. */
struct esp_http_client {
    otter_http_t *port;

    char *url;                   /**< Absolute, without userinfo and fragment. */
    char *host;                  /**< Its host, IPv6 in brackets; empty for a file. */
    uint16_t port_no;            /**< Its port; 0 for a file. */
    const http_scheme_t *scheme; /**< Its scheme. */

    char *username;                         /**< NULL: none. */
    char *password;                         /**< NULL: none. */
    esp_http_client_auth_type_t asked_auth; /**< What the application wants. */
    esp_http_client_auth_type_t auth_type;  /**< That, or what a challenge made of it. */
    http_digest_t *digest;                  /**< Challenge being answered, owned; NULL: none. */
    char *challenge;                        /**< One that the application gave; NULL: none. */
    bool auth_sent;                         /**< These name and password were sent already. */
    bool auth_is_ours;                      /**< The Authorization header was not set by the application. */
    int auth_tries;                         /**< 401s answered since the last response that was none. */
    int max_auth_tries;

    char *common_name;         /**< Lent to the port. */
    char *trusted;             /**< Lent to the port: the shared store or bundle; NULL: neither. */
    char *proxy;               /**< Lent to the port; NULL: the environment's. */
    char *client_key_password; /**< Lent to the port. */
    char if_name[16];          /**< Lent to the port; empty: any. */

    http_event_handle_cb event_handler;
    void *user_data;
    int timeout_ms;
    size_t buffer_size;
    size_t buffer_size_tx;
    bool disable_auto_redirect;
    uint32_t max_redirects;
    uint32_t redirects;  /**< Followed since the last response that was none. */
    bool goes_on;        /**< The last response's Location was taken. */
    bool was_redirected; /**< The present URL is a server's, not the application's. */

    esp_http_client_method_t method;
    http_headers_t request;
    const char *post_data; /**< The application's. */
    int post_len;

    esp_http_state_t state;
    bool connected;                 /**< HTTP_EVENT_ON_CONNECTED was posted, HTTP_EVENT_DISCONNECTED not yet. */
    http_body_t body;               /**< Of the request, being collected. */
    bool is_async;                  /**< Another task sends, and perform does not wait. */
    http_job_t *job;                /**< A request on its way; NULL: none. The port is its until it has ended. */
    http_perform_step_t step;       /**< What perform does next. */
    int64_t heard_us;               /**< When perform last got something, on the clock of otter_now_us(). */
    esp_err_t head_result;          /**< What became of the request's sending and of the response head. */
    esp_err_t body_result;          /**< What ended the body early; ESP_OK: nothing so far. */
    otter_http_response_t response; /**< status -1: none. */
    http_headers_t response_headers;
    int64_t received; /**< Body bytes read. */
    bool complete;    /**< The body was read to its end, and is whole. */
    esp_tls_last_error_t tls_error;
    char error[640]; /**< See http_get_error(). */
};

/** What went wrong last in this client, for people: "host:port: certificate has expired". Empty: nothing did. */
const char *http_get_error(esp_http_client_handle_t client);

/** Scheme of the present URL: whether it may be used is for whoever uses the client to decide; a file is refused here
 * already unless the device allows it. */
const http_scheme_t *http_get_scheme(esp_http_client_handle_t client);

/** A header of the last response, NULL if there was none; valid until the next request. */
const char *http_get_response_header(esp_http_client_handle_t client, const char *name);

/** Logs why something failed, keeps the text for http_get_error(), posts HTTP_EVENT_ERROR; value: @p err. */
esp_err_t http_report_failure(esp_http_client_handle_t client, esp_err_t err, const char *why);

/** Tells the event handler and the default event loop. */
void http_post_event(esp_http_client_handle_t client, esp_http_client_event_id_t id);

/** HTTP_EVENT_ON_STATUS_CODE; the handler gets the status too. */
void http_post_status(esp_http_client_handle_t client);

/** HTTP_EVENT_REDIRECT; the handler hears only of one that is left to it. */
void http_post_redirect(esp_http_client_handle_t client, int status, bool is_followed);

/** HTTP_EVENT_ON_DATA; the loop gets the count only. */
void http_post_data(esp_http_client_handle_t client, void *data, int len);

/** HTTP_EVENT_ON_HEADER for one response header. */
void http_post_header(esp_http_client_handle_t client, const otter_http_header_t *header);

/** Points a client that has no URL yet, or has one, to an absolute URL. Codes: esp_http_client_set_url().
 * @p default_port is used if the URL has none; 0: by scheme. */
esp_err_t http_set_target(esp_http_client_handle_t client, const char *url, uint16_t default_port);

/** Puts our Authorization header into the request headers, or takes it out: by name, kind and the challenge taken.
 * ESP_OK; ESP_ERR_INVALID_ARG for a name that cannot be sent; ESP_ERR_NO_MEM; ESP_FAIL if the crypto port fails. */
esp_err_t http_apply_auth(esp_http_client_handle_t client);

/** Forgets name, password, challenge and Authorization header. */
void http_drop_credentials(esp_http_client_handle_t client);

/** Replaces an owned text by a copy of another; NULL clears it. False if memory is short: nothing changes. */
bool http_replace_text(char **text, const char *value);

/** Overwrites an owned secret; NULL is left alone. */
void http_wipe_text(char *secret);

/** Name of a method as sent; NULL for an unknown one. */
const char *http_method_name(esp_http_client_method_t method);

/** 301, 302, 303, 307 or 308. */
bool http_is_redirect(int status);

/** The time timeout_ms from now, on the clock of otter_now_us(). */
int64_t http_deadline_us(esp_http_client_handle_t client);

/** esp_http_client_read() until a deadline. */
int http_read_body(esp_http_client_handle_t client, char *buffer, size_t len, int64_t deadline_us);

/** Waits for the request that another task sends; ESP_ERR_HTTP_EAGAIN if it is not sent by then; otherwise the codes of
 * esp_http_client_open(), and it is as if this task had sent it. There must be one. */
esp_err_t http_await_job(esp_http_client_handle_t client, int64_t deadline_us);

/** Waits for the end of a request that nobody wants any more; nothing if there is none. */
void http_abandon_job(esp_http_client_handle_t client);

/** Reads and drops body bytes, without events, until @p max are dropped, the body ends or nothing comes; value: their
 * number. */
int64_t http_drain_body(esp_http_client_handle_t client, int64_t max);

/** Ends the exchange; its connection is kept where possible. */
void http_end_exchange(esp_http_client_handle_t client);
