/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file esp_http_client.h
 * @brief HTTP client with ESP-IDF's names: what OTA and small REST clients need.
 *
 * Two ways to use it: esp_http_client_perform() does a whole request and hands the body to the event handler;
 * open - (write) - fetch_headers - read - close give the application the body piece by piece.
 *
 * Unlike ESP-IDF's, this client resolves a relative Location, picks the transport again after every change of
 * scheme, limits redirects on every path, and prints why a server was refused. docs/COMPATIBILITY.md lists
 * every difference. A client belongs to one task.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_event.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DEFAULT_HTTP_BUF_SIZE (512) /**< Bytes of a buffer whose size is given as 0. */

#define ESP_ERR_HTTP_BASE                  (0x7000)                  /**< First code of the HTTP client. */
#define ESP_ERR_HTTP_MAX_REDIRECT          (ESP_ERR_HTTP_BASE + 1)   /**< More redirects than allowed. */
#define ESP_ERR_HTTP_CONNECT               (ESP_ERR_HTTP_BASE + 2)   /**< No connection or no TLS session. */
#define ESP_ERR_HTTP_WRITE_DATA            (ESP_ERR_HTTP_BASE + 3)   /**< The request could not be sent. */
#define ESP_ERR_HTTP_FETCH_HEADER          (ESP_ERR_HTTP_BASE + 4)   /**< No usable response head came. */
#define ESP_ERR_HTTP_INVALID_TRANSPORT     (ESP_ERR_HTTP_BASE + 5)   /**< A scheme that is unknown or not allowed. */
#define ESP_ERR_HTTP_CONNECTING            (ESP_ERR_HTTP_BASE + 6)   /**< Connection not established yet. */
#define ESP_ERR_HTTP_EAGAIN                (ESP_ERR_HTTP_BASE + 7)   /**< Nothing came in time; try again. */
#define ESP_ERR_HTTP_CONNECTION_CLOSED     (ESP_ERR_HTTP_BASE + 8)   /**< Closed before a response came. */
#define ESP_ERR_HTTP_NOT_MODIFIED          (ESP_ERR_HTTP_BASE + 9)   /**< Status 304. */
#define ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE (ESP_ERR_HTTP_BASE + 0xA) /**< Status 416, or a range was ignored. */
#define ESP_ERR_HTTP_READ_TIMEOUT          (ESP_ERR_HTTP_BASE + 0xB) /**< perform: the body stalled. */
#define ESP_ERR_HTTP_INCOMPLETE_DATA       (ESP_ERR_HTTP_BASE + 0xC) /**< The connection ended before the body. */
#define ESP_ERR_HTTP_REDIRECT_DOWNGRADE    (ESP_ERR_HTTP_BASE + 0xD) /**< Redirect out of protection, refused. */
#define ESP_ERR_HTTP_HEADER_TOO_LONG       (ESP_ERR_HTTP_BASE + 0xE) /**< Request head exceeds buffer_size_tx. */

typedef struct esp_http_client *esp_http_client_handle_t;             /**< A client. */
typedef struct esp_http_client_event *esp_http_client_event_handle_t; /**< An event, as a handler gets it. */

/** Base of this client's events on the default event loop; ids are esp_http_client_event_id_t. */
ESP_EVENT_DECLARE_BASE(ESP_HTTP_CLIENT_EVENT);

/** What happened. */
typedef enum {
    HTTP_EVENT_ERROR = 0,                             /**< The request failed. */
    HTTP_EVENT_ON_CONNECTED,                          /**< A connection is established. */
    HTTP_EVENT_HEADERS_SENT,                          /**< The request head is sent. */
    HTTP_EVENT_HEADER_SENT = HTTP_EVENT_HEADERS_SENT, /**< Older name of it. */
    HTTP_EVENT_ON_HEADER,                             /**< A response header: header_key, header_value. */
    HTTP_EVENT_ON_HEADERS_COMPLETE,                   /**< All response headers were reported. */
    HTTP_EVENT_ON_STATUS_CODE,                        /**< The status is known. */
    HTTP_EVENT_ON_DATA,                               /**< Body bytes: data, data_len. */
    HTTP_EVENT_ON_FINISH,                             /**< perform has a complete response. */
    HTTP_EVENT_DISCONNECTED,                          /**< The connection was closed. */
    HTTP_EVENT_REDIRECT,                              /**< A redirect is left to the application: perform goes on if
                                                           the handler calls esp_http_client_set_redirection(). */
} esp_http_client_event_id_t;

/** An event, as the handler gets it. Pointers last for the call. */
typedef struct esp_http_client_event {
    esp_http_client_event_id_t event_id; /**< What happened. */
    esp_http_client_handle_t client;     /**< Whom it happened to. */
    void *data;                          /**< ON_DATA: body bytes. ON_STATUS_CODE: the status, an int. ERROR and
                                              DISCONNECTED: an esp_tls_error_handle_t. Else NULL. */
    int data_len;                        /**< ON_DATA: their number. ON_STATUS_CODE: sizeof(int). Else 0. */
    void *user_data;                     /**< esp_http_client_config_t.user_data. */
    char *header_key;                    /**< Name of a response header (ON_HEADER), else NULL. */
    char *header_value;                  /**< Its value. */
} esp_http_client_event_t;

/** Data of HTTP_EVENT_ON_DATA on the event loop. */
typedef struct esp_http_client_on_data {
    esp_http_client_handle_t client; /**< The client. */
    int64_t data_process;            /**< Bytes of this body received so far. */
} esp_http_client_on_data_t;

/** Data of HTTP_EVENT_REDIRECT on the event loop. Every other event there carries an esp_http_client_handle_t. */
typedef struct esp_http_client_redirect_event_data {
    esp_http_client_handle_t client; /**< The client. */
    int status_code;                 /**< 301, 302, 303, 307 or 308. */
} esp_http_client_redirect_event_data_t;

/** How far the current request is. */
typedef enum {
    HTTP_STATE_UNINIT = 0,          /**< No client. */
    HTTP_STATE_INIT,                /**< Nothing is connected. */
    HTTP_STATE_CONNECTING,          /**< Being connected. */
    HTTP_STATE_CONNECTED,           /**< A connection exists and no request is under way. */
    HTTP_STATE_REQ_COMPLETE_HEADER, /**< The request head is given; its body is awaited from the application. */
    HTTP_STATE_REQ_COMPLETE_DATA,   /**< The request is sent. */
    HTTP_STATE_RES_COMPLETE_HEADER, /**< The response head has been read. */
    HTTP_STATE_RES_ON_DATA_START,   /**< The response body is being read. */
    HTTP_STATE_RES_COMPLETE_DATA,   /**< The response has been read to its end. */
    HTTP_STATE_CLOSE,               /**< Closed; may be opened again. */
} esp_http_state_t;

/** What carries the request. */
typedef enum {
    HTTP_TRANSPORT_UNKNOWN = 0x0, /**< Decided by the URL; http if only host and path are given. */
    HTTP_TRANSPORT_OVER_TCP,      /**< http. */
    HTTP_TRANSPORT_OVER_SSL,      /**< https. */
} esp_http_client_transport_t;

/** TLS versions that are accepted. */
typedef enum {
    ESP_HTTP_CLIENT_TLS_VER_ANY = 0, /**< 1.2 or newer. */
    ESP_HTTP_CLIENT_TLS_VER_TLS_1_2, /**< Only 1.2. */
    ESP_HTTP_CLIENT_TLS_VER_TLS_1_3, /**< Only 1.3. */
    ESP_HTTP_CLIENT_TLS_VER_MAX,
} esp_http_client_proto_ver_t;

/** Request method. */
typedef enum {
    HTTP_METHOD_GET = 0,
    HTTP_METHOD_POST,
    HTTP_METHOD_PUT,
    HTTP_METHOD_PATCH,
    HTTP_METHOD_DELETE,
    HTTP_METHOD_HEAD,
    HTTP_METHOD_NOTIFY,
    HTTP_METHOD_SUBSCRIBE,
    HTTP_METHOD_UNSUBSCRIBE,
    HTTP_METHOD_OPTIONS,
    HTTP_METHOD_COPY,
    HTTP_METHOD_MOVE,
    HTTP_METHOD_LOCK,
    HTTP_METHOD_UNLOCK,
    HTTP_METHOD_PROPFIND,
    HTTP_METHOD_PROPPATCH,
    HTTP_METHOD_MKCOL,
    HTTP_METHOD_REPORT,
    HTTP_METHOD_MAX,
} esp_http_client_method_t;

/** How the client says who it is. */
typedef enum {
    HTTP_AUTH_TYPE_NONE = 0, /**< Not at all, until esp_http_client_add_auth() answers a 401 with what it asks for. */
    HTTP_AUTH_TYPE_BASIC,    /**< RFC 7617, sent with every request to the host, also unprotected. */
    HTTP_AUTH_TYPE_DIGEST,   /**< RFC 7616 with MD5 or SHA-256, once a 401 asked for it, and nothing else. */
} esp_http_client_auth_type_t;

/** Status codes that a client acts upon. */
typedef enum {
    HttpStatus_Ok = 200,
    HttpStatus_PartialContent = 206,
    HttpStatus_MultipleChoices = 300,
    HttpStatus_MovedPermanently = 301,
    HttpStatus_Found = 302,
    HttpStatus_SeeOther = 303,
    HttpStatus_NotModified = 304,
    HttpStatus_TemporaryRedirect = 307,
    HttpStatus_PermanentRedirect = 308,
    HttpStatus_BadRequest = 400,
    HttpStatus_Unauthorized = 401,
    HttpStatus_Forbidden = 403,
    HttpStatus_NotFound = 404,
    HttpStatus_RangeNotSatisfiable = 416,
    HttpStatus_InternalError = 500
} HttpStatus_Code;

/** Address family to connect with. */
typedef enum {
    HTTP_ADDR_TYPE_UNSPEC = 0, /**< Whatever answers. */
    HTTP_ADDR_TYPE_INET,       /**< IPv4. */
    HTTP_ADDR_TYPE_INET6,      /**< IPv6. */
} esp_http_client_addr_type_t;

/** How TLS buffers are allocated on an Espressif chip. */
typedef enum {
    HTTP_TLS_DYN_BUF_RX_STATIC = 1,
    HTTP_TLS_DYN_BUF_STRATEGY_MAX,
} esp_http_client_tls_dyn_buf_strategy_t;

struct ifreq;
struct esp_key_config;
struct esp_transport_item_t;
typedef struct esp_transport_item_t *esp_transport_handle_t;

/** Called for every event, in the client's task. Its result is ignored. */
typedef esp_err_t (*http_event_handle_cb)(esp_http_client_event_t *evt);

/**
 * What a client is made with. All zero but url is a working configuration for http; https wants one of
 * crt_bundle_attach, use_global_ca_store and cert_pem too, and refuses every server without.
 * Texts are copied by esp_http_client_init(); certificates, keys and alpn_protos are not and must outlive the client.
 * A cookie that a server sets is neither kept nor sent: Set-Cookie is a header like any other.
 */
typedef struct {
    const char *url;                       /**< Absolute URL. Ignored if host and path are both set. */
    const char *host;                      /**< Domain or IP address. */
    int port;                              /**< 1 to 65535; 0: the URL's, or 80 or 443 by scheme. */
    const char *username;                  /**< Name for authentication; NULL: the URL's, or none. */
    const char *password;                  /**< Password for authentication. */
    esp_http_client_auth_type_t auth_type; /**< Default: none. */
    const char *path;                      /**< Path with its slash; NULL: "/". */
    const char *query;                     /**< Query without its question mark; NULL: none. */
    union {
        const char *cert_pem; /**< Certificates to trust: PEM, NUL-terminated if cert_len is 0. */
        const char *cert_der; /**< The same as one DER certificate; needs cert_len. */
    };
    size_t cert_len; /**< Bytes of it. */
    union {
        const char *client_cert_pem; /**< The client's own certificate, PEM; NULL: none. */
        const char *client_cert_der; /**< The same as DER; needs client_cert_len. */
    };
    size_t client_cert_len;                     /**< Bytes of it; 0: NUL-terminated PEM. */
    const char *client_key_pem;                 /**< Its key, PEM or DER. */
    size_t client_key_len;                      /**< Bytes of it; 0: NUL-terminated PEM. */
    const struct esp_key_config *client_key;    /**< Key in a secure element. Not supported: must be NULL. */
    const char *client_key_password;            /**< Password of the key; NULL: none. */
    size_t client_key_password_len;             /**< Bytes of it; 0: NUL-terminated. */
    esp_http_client_proto_ver_t tls_version;    /**< Default: 1.2 or newer. */
    const char *user_agent;                     /**< NULL: "ESP32 HTTP Client/1.0". */
    esp_http_client_method_t method;            /**< Default: GET. */
    int timeout_ms;                             /**< Milliseconds for each network operation; 0: 5000. */
    bool disable_auto_redirect;                 /**< perform leaves redirects to the application. */
    int max_redirection_count;                  /**< Most redirects of one request; 0: the device's limit (10). */
    int max_authorization_retries;              /**< Most 401s of one request that are answered; 0: 10, -1: none. */
    http_event_handle_cb event_handler;         /**< Called for every event; NULL: nobody. */
    esp_http_client_transport_t transport_type; /**< Scheme if host and path are set. */
    int buffer_size;                            /**< Bytes that perform reads at once; 0: 512. */
    int buffer_size_tx;                         /**< Longest request line and header in bytes; 0: 512. */
    void *user_data;                            /**< Handed to the event handler. */
    bool is_async;                              /**< Another task connects and sends; perform and open do not wait. */
    bool use_global_ca_store;                   /**< Trust the store of esp_tls.h; an empty one: the platform's. */
    bool skip_cert_common_name_check;           /**< Verify the server's chain but not its name. */
    const char *common_name;                    /**< Name expected in the certificate; NULL: the URL's host. */
    esp_err_t (*crt_bundle_attach)(
        void *conf);                       /**< esp_crt_bundle_attach: trust the bundle, or the platform's store. */
    bool keep_alive_enable;                /**< Send TCP keep-alive probes. */
    int keep_alive_idle;                   /**< Seconds before the first; 0: 5. */
    int keep_alive_interval;               /**< Seconds between two; 0: 5. */
    int keep_alive_count;                  /**< Unanswered ones until the connection is given up; 0: 3. */
    struct ifreq *if_name;                 /**< Network interface to use; NULL: any. */
    const char **alpn_protos;              /**< NULL-terminated list of protocols to offer; NULL: default. */
    void *ds_data;                         /**< Digital signature peripheral. Not supported: must be NULL. */
    bool save_client_session;              /**< Resume TLS sessions. Always done where the port can. */
    esp_transport_handle_t transport;      /**< Custom transport. Not supported: must be NULL. */
    esp_http_client_addr_type_t addr_type; /**< IPv4 or IPv6 only; default: any. */
    esp_http_client_tls_dyn_buf_strategy_t tls_dyn_buf_strategy; /**< Accepted; has no effect. */
} esp_http_client_config_t;

/**
 * Makes a client; nothing is sent.
 *
 * @param config  see there; read during the call
 * @return the client, to be given to esp_http_client_cleanup(); NULL, with the reason on the log, for a missing or
 *         malformed URL, an unsupported field, unusable TLS material, or lack of memory
 */
esp_http_client_handle_t esp_http_client_init(const esp_http_client_config_t *config);

/**
 * Does a whole request: connects, sends it with the post field as body, follows redirects, answers 401, and reads
 * the response to its end. The body goes to the event handler (HTTP_EVENT_ON_DATA). The connection is kept if the
 * server keeps it.
 *
 * With is_async it does what can be done without waiting, and is to be called again while it answers
 * ESP_ERR_HTTP_EAGAIN. Events come from within the calls. timeout_ms holds from request to response head and from one
 * piece of body to the next.
 *
 * @param client  the client
 * @return ESP_OK, whatever the status; ESP_ERR_INVALID_ARG if @p client is NULL; the codes of
 *         esp_http_client_open(); ESP_ERR_HTTP_MAX_REDIRECT; ESP_ERR_HTTP_REDIRECT_DOWNGRADE;
 *         ESP_ERR_HTTP_FETCH_HEADER for an unusable response head; ESP_ERR_HTTP_READ_TIMEOUT when head or body
 *         stalls; ESP_ERR_HTTP_INCOMPLETE_DATA for a truncated body; ESP_ERR_HTTP_CONNECTION_CLOSED for
 *         another fault of the connection; ESP_ERR_HTTP_EAGAIN, with is_async only: not done yet
 */
esp_err_t esp_http_client_perform(esp_http_client_handle_t client);

/** Drops the request that is under way, and its connection. ESP_OK, ESP_ERR_INVALID_ARG for NULL, or
 * ESP_ERR_INVALID_STATE when there is neither. With is_async it waits until the other task has given up, timeout_ms at
 * most after the request began. */
esp_err_t esp_http_client_cancel_request(esp_http_client_handle_t client);

/**
 * Points the client to another URL. A relative one is resolved against the present URL. A change of host drops
 * Authorization header, name and password; a change of scheme, host or port closes the connection.
 *
 * @param client  the client
 * @param url     absolute, or a relative reference (RFC 3986)
 * @return ESP_OK; ESP_ERR_INVALID_ARG for NULL or a malformed URL (the old one stays);
 *         ESP_ERR_HTTP_INVALID_TRANSPORT for a scheme that is none of http, https, ftp, ftps (TLS at once), ftpes (TLS
 *         before the login) and, where the device allows it, file; ESP_ERR_NO_MEM
 */
esp_err_t esp_http_client_set_url(esp_http_client_handle_t client, const char *url);

/**
 * Sets the request body that perform sends. Sets Content-Type to application/x-www-form-urlencoded if none is set.
 *
 * @param data  kept, not copied; NULL: none, and Content-Type is removed
 * @param len   its bytes, 0 or more
 * @return ESP_OK; ESP_ERR_INVALID_ARG; ESP_ERR_NO_MEM
 */
esp_err_t esp_http_client_set_post_field(esp_http_client_handle_t client, const char *data, int len);

/** Gives the body set by set_post_field in @p data; value: its bytes, 0 for none. */
int esp_http_client_get_post_field(esp_http_client_handle_t client, char **data);

/**
 * Sets a request header; replaces one with that name.
 *
 * @param key    name, letter case does not matter
 * @param value  copied; NULL: the header is removed
 * @return ESP_OK; ESP_ERR_INVALID_ARG for NULL, an empty or illegal name or a value with a line break;
 *         ESP_ERR_NO_MEM
 */
esp_err_t esp_http_client_set_header(esp_http_client_handle_t client, const char *key, const char *value);

/** Gives the value of a request header, NULL if it is not set; valid until it is set or removed. ESP_OK, or
 * ESP_ERR_INVALID_ARG for a NULL argument. */
esp_err_t esp_http_client_get_header(esp_http_client_handle_t client, const char *key, char **value);

/** Removes a request header, or does nothing if it is not set. ESP_OK, or ESP_ERR_INVALID_ARG for NULL. */
esp_err_t esp_http_client_delete_header(esp_http_client_handle_t client, const char *key);

/** Removes all request headers, Host and User-Agent too. ESP_OK, or ESP_ERR_INVALID_ARG for NULL. */
esp_err_t esp_http_client_delete_all_headers(esp_http_client_handle_t client);

/**
 * Gives the value of a header of the last response.
 *
 * @param key    name, letter case does not matter
 * @param value  gets the first header's value, valid until the next request; NULL if there is none
 * @return ESP_OK; ESP_ERR_NOT_FOUND; ESP_ERR_INVALID_ARG for NULL
 */
esp_err_t esp_http_client_get_response_header(esp_http_client_handle_t client, const char *key, char **value);

/** Gives the user name (NULL if none), valid until it is changed. ESP_OK, or ESP_ERR_INVALID_ARG for NULL. */
esp_err_t esp_http_client_get_username(esp_http_client_handle_t client, char **value);

/** Sets the user name; NULL removes it. ESP_OK, ESP_ERR_INVALID_ARG for a NULL client, or ESP_ERR_NO_MEM. */
esp_err_t esp_http_client_set_username(esp_http_client_handle_t client, const char *username);

/** Gives the password (NULL if none), valid until it is changed. ESP_OK, or ESP_ERR_INVALID_ARG for NULL. */
esp_err_t esp_http_client_get_password(esp_http_client_handle_t client, char **value);

/** Sets the password; NULL removes it. ESP_OK, ESP_ERR_INVALID_ARG for a NULL client, or ESP_ERR_NO_MEM. */
esp_err_t esp_http_client_set_password(esp_http_client_handle_t client, const char *password);

/** Sets the kind of authentication. ESP_OK, or ESP_ERR_INVALID_ARG for NULL or an unknown kind. */
esp_err_t esp_http_client_set_authtype(esp_http_client_handle_t client, esp_http_client_auth_type_t auth_type);

/** Gives config.user_data. ESP_OK, or ESP_ERR_INVALID_ARG for a NULL argument. */
esp_err_t esp_http_client_get_user_data(esp_http_client_handle_t client, void **data);

/** Replaces config.user_data. ESP_OK, or ESP_ERR_INVALID_ARG for a NULL client. */
esp_err_t esp_http_client_set_user_data(esp_http_client_handle_t client, void *data);

/** Replaces the event handler; NULL: nobody hears of events. ESP_OK, or ESP_ERR_INVALID_ARG for a NULL client. */
esp_err_t esp_http_client_set_event_handler(esp_http_client_handle_t client, http_event_handle_cb event_handler);

/** Always -1: what carries a request is the port's, and need not be a socket. */
int esp_http_client_get_socket(esp_http_client_handle_t client);

/** Always 0: the port's reason of a failure is on the log, as text. -1 for NULL. */
int esp_http_client_get_errno(esp_http_client_handle_t client);

/**
 * Says whether the last failure was one of connection or TLS, and forgets it.
 *
 * @param esp_tls_error_code  gets 0x2700 (mbedTLS: verification failed) if a certificate was refused, by either side; else
 *                            0; may be NULL
 * @param esp_tls_flags       gets 0x0100 (mbedTLS: bad certificate, other reason) then; else 0; may be NULL
 * @return ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED for a refused certificate; ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST for
 *         any other connection or TLS session that did not come about (esp_tls_errors.h); ESP_OK if neither was the
 *         case; ESP_ERR_INVALID_ARG for a NULL client
 */
esp_err_t esp_http_client_get_and_clear_last_tls_error(esp_http_client_handle_t client, int *esp_tls_error_code,
                                                       int *esp_tls_flags);

/** Sets the method of the next request. ESP_OK, or ESP_ERR_INVALID_ARG for NULL or an unknown method. */
esp_err_t esp_http_client_set_method(esp_http_client_handle_t client, esp_http_client_method_t method);

/** Sets the milliseconds for each network operation, at least 1. ESP_OK, or ESP_ERR_INVALID_ARG. */
esp_err_t esp_http_client_set_timeout_ms(esp_http_client_handle_t client, int timeout_ms);

/**
 * Starts a request. With @p write_len 0 it is sent at once; otherwise when its body has been given to
 * esp_http_client_write() to the last byte. An earlier request of the client is ended first, its connection used again
 * where possible. With is_async it does not wait: call it again while it answers ESP_ERR_HTTP_EAGAIN.
 *
 * @param client     the client
 * @param write_len  bytes of request body that will be written; negative: it will be written in chunks
 * @return ESP_OK; ESP_ERR_HTTP_EAGAIN, with is_async only: not sent yet; ESP_ERR_INVALID_ARG for NULL, or for a user
 *         name that Basic authentication cannot send;
 *         ESP_ERR_HTTP_CONNECT if no connection or TLS session could be made in time, or the server was not the one
 *         expected; ESP_ERR_HTTP_INVALID_TRANSPORT; ESP_ERR_HTTP_WRITE_DATA if the request could not be sent;
 *         ESP_ERR_HTTP_HEADER_TOO_LONG if a header does not fit buffer_size_tx; ESP_FAIL if the request line does
 *         not; ESP_ERR_NO_MEM. A response that does not come, or is unusable, is reported by
 *         esp_http_client_fetch_headers().
 */
esp_err_t esp_http_client_open(esp_http_client_handle_t client, int write_len);

/** Gets a client with a used connection ready for the next request, without sending it. ESP_OK, or
 * ESP_ERR_INVALID_ARG for NULL. */
esp_err_t esp_http_client_prepare(esp_http_client_handle_t client);

/** Sends the next request on a prepared client: the same as esp_http_client_open(), result included. */
esp_err_t esp_http_client_request_send(esp_http_client_handle_t client, int write_len);

/**
 * Gives bytes of the request body. If chunks were announced these are the coding's bytes, sizes and line ends included
 * (or see esp_http_client_chunk_write_begin()); the chunk of size 0 completes the body. The server gets the body whole
 * and with its length, not in chunks: it is held in memory until then, of chunks 16 MiB at most.
 *
 * @param buffer  the bytes
 * @param len     their number
 * @return @p len; -1 if no request is open, if it would be more than was announced to open or is no chunk, if memory is
 *         short, or if the request, being complete, could not be sent
 */
int esp_http_client_write(esp_http_client_handle_t client, const char *buffer, int len);

/** Begins a chunk of @p len bytes, at least 1, of a request opened with chunks; its bytes follow by
 * esp_http_client_write(). 0; -1 if no such request is open, or the chunk before has not been ended. */
int esp_http_client_chunk_write_begin(esp_http_client_handle_t client, const int len);

/** Ends a chunk; with @p last_chunk the body too, which sends the request. 0; -1 if no such request is open, the chunk is
 * not complete, or the request could not be sent. */
int esp_http_client_chunk_write_end(esp_http_client_handle_t client, bool last_chunk);

/**
 * Waits for the response head; the event handler sees it.
 *
 * @return Content-Length if above 0; 0 if it is 0 or unknown; -1 (ESP_FAIL) if the head is unusable, the connection
 *         broke or no request is open; -ESP_ERR_HTTP_EAGAIN if none came in time
 */
int64_t esp_http_client_fetch_headers(esp_http_client_handle_t client);

/** Says whether the response has no announced length. */
bool esp_http_client_is_chunked_response(esp_http_client_handle_t client);

/**
 * Reads body bytes until @p len are there, the body ends, or timeout_ms have passed since the call.
 *
 * @param buffer  destination
 * @param len     its size in bytes, at least 1
 * @return bytes read; 0 at the end of the body, or if the connection ended early
 *         (see esp_http_client_is_complete_data_received()); -ESP_ERR_HTTP_EAGAIN if nothing came in time;
 *         -1 for a broken connection, a bad argument, or when no response head has been fetched
 */
int esp_http_client_read(esp_http_client_handle_t client, char *buffer, int len);

/** Reads until @p len bytes are there or the body ends; value: bytes read, or -1 if nothing could be. */
int esp_http_client_read_response(esp_http_client_handle_t client, char *buffer, int len);

/** Reads and drops the rest of the body. @p len gets the number of bytes, may be NULL. ESP_OK, ESP_ERR_INVALID_ARG
 * for a NULL client, or ESP_FAIL if the body broke off or stalled. */
esp_err_t esp_http_client_flush_response(esp_http_client_handle_t client, int *len);

/** Drops body bytes that were received but not read. This client keeps none: does nothing. ESP_OK, or
 * ESP_ERR_INVALID_ARG for NULL. */
esp_err_t esp_http_client_clear_response_buffer(esp_http_client_handle_t client);

/** Status of the last response; -1 while none is there. */
int esp_http_client_get_status_code(esp_http_client_handle_t client);

/** Bytes of body announced by the last response; -1: not announced. */
int64_t esp_http_client_get_content_length(esp_http_client_handle_t client);

/** Total size after the slash of the last response's Content-Range; -1 if absent, unknown or malformed. */
int64_t esp_http_client_get_content_range(esp_http_client_handle_t client);

/** Length of the chunk being received. Chunks are the port's business: gives 0 and ESP_OK for a chunked response, else
 * ESP_FAIL; ESP_ERR_INVALID_ARG for NULL. */
esp_err_t esp_http_client_get_chunk_length(esp_http_client_handle_t client, int *len);

/** Says whether the response body has been received to its end, and all of it. False for NULL. */
bool esp_http_client_is_complete_data_received(esp_http_client_handle_t client);

/** Says whether the connection can carry another request after the last response. False for NULL. */
bool esp_http_client_is_persistent_connection(esp_http_client_handle_t client);

/** How far the current request is; HTTP_STATE_UNINIT for NULL. */
esp_http_state_t esp_http_client_get_state(esp_http_client_handle_t client);

/** What the present URL is carried by; HTTP_TRANSPORT_UNKNOWN for NULL. */
esp_http_client_transport_t esp_http_client_get_transport_type(esp_http_client_handle_t client);

/**
 * Gives the present URL (without name and password).
 *
 * @param url  destination
 * @param len  its size in bytes
 * @return ESP_OK; ESP_ERR_INVALID_ARG for NULL; ESP_FAIL if it does not fit: nothing is cut
 */
esp_err_t esp_http_client_get_url(esp_http_client_handle_t client, char *url, const int len);

/**
 * Points the client to the last response's Location, as esp_http_client_set_url() does. Each call counts as one
 * redirect; a response that is not a redirect starts the count again.
 *
 * @return ESP_OK; ESP_ERR_INVALID_ARG for NULL, a missing or a malformed Location; ESP_ERR_HTTP_MAX_REDIRECT;
 *         ESP_ERR_HTTP_REDIRECT_DOWNGRADE from https to an unprotected scheme; ESP_ERR_HTTP_INVALID_TRANSPORT to one
 *         that is not HTTP;
 *         ESP_ERR_NO_MEM. After an error the URL is unchanged.
 */
esp_err_t esp_http_client_set_redirection(esp_http_client_handle_t client);

/** Starts the count of redirects again. ESP_OK, or ESP_ERR_INVALID_ARG for NULL. */
esp_err_t esp_http_client_reset_redirect_counter(esp_http_client_handle_t client);

/**
 * Gives a challenge that did not come in a WWW-Authenticate header, for esp_http_client_add_auth(); forgotten with the
 * next request.
 *
 * @param auth_data  as the header's value would be: "Digest realm=...", copied
 * @param len        its bytes, at least 1
 * @return ESP_OK; ESP_ERR_INVALID_ARG; ESP_ERR_NO_MEM
 */
esp_err_t esp_http_client_set_auth_data(esp_http_client_handle_t client, const char *auth_data, int len);

/**
 * Prepares the answer to the last response's 401: the next request carries name and password, in the strongest way that
 * the server offers: Digest with SHA-256, Digest with MD5, Basic. Without protection (http), Basic is sent only if the
 * application chose it or the device allows http; it is not if the application chose Digest.
 *
 * @return ESP_OK, also when the last response was no 401; ESP_ERR_INVALID_ARG for NULL; ESP_FAIL if it was answered
 *         max_authorization_retries times already, the same name and password were refused, no user name is set or
 *         there is no entropy; ESP_ERR_NOT_SUPPORTED if nothing that the server offers can, or may, be sent
 */
esp_err_t esp_http_client_add_auth(esp_http_client_handle_t client);

/** Ends the request and closes the connection; the client can be opened again. ESP_OK, or ESP_ERR_INVALID_ARG for
 * NULL. */
esp_err_t esp_http_client_close(esp_http_client_handle_t client);

/** Closes and releases a client. ESP_OK, or ESP_FAIL for NULL. */
esp_err_t esp_http_client_cleanup(esp_http_client_handle_t client);

#ifdef __cplusplus
}
#endif
