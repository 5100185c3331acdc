/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file download_internal.h
 * @brief What the files of device/download do for each other.
 */
#pragma once

#include "device/download/download.h"

/** What became of something that may fail and be tried again. */
typedef struct download_outcome {
    esp_err_t error;   /**< ESP_OK, or the code to fail with if it is not tried again. */
    bool again;        /**< Another try may do better. */
    uint32_t delay_ms; /**< The server wants at least so long a pause; 0: it does not say. */
    int status;        /**< HTTP status that says so; 0: none. */
    const char *why;   /**< For the log; NULL: what failed has said it. */
} download_outcome_t;

/* --- requests --- */

/**
 * Sends requests, following redirects and answering challenges, until the server answers with a file or says no. Method,
 * URL and headers are the client's.
 *
 * @return ESP_OK: status 416 or one that is no error, the head is there and the body can be read; else what went wrong
 */
download_outcome_t download_request(esp_http_client_handle_t client);

/** Reads and drops a body that nobody wants, if it is short: its connection can then be kept. */
void download_drop_body(esp_http_client_handle_t client);

/** The head of the last response. Its texts last until the next request. */
download_answer_t download_answer_of(esp_http_client_handle_t client);

/* --- tries --- */

/**
 * One try to get to the file's next byte.
 *
 * @return ESP_OK: connected, or ended; else what went wrong
 */
download_outcome_t download_connect(download_t *download, download_step_t *step);

/* --- origin --- */

/** Remembers where the client points to, and its credentials. ESP_OK or ESP_ERR_NO_MEM. */
esp_err_t download_remember_origin(download_t *download);

/** Points the client there again, with these credentials, if redirects led it away. ESP_OK; ESP_ERR_NO_MEM. */
esp_err_t download_return_to_origin(download_t *download);

/** Wipes and releases it. */
void download_forget_origin(download_t *download);

/* --- retries and limits --- */

/** Fails for good; value: DOWNLOAD_FAILED. */
download_step_t download_fail(download_t *download, esp_err_t error);

/** After a failed try: plans the next one and answers DOWNLOAD_WAITING, or fails for good. Drops the connection. */
download_step_t download_try_later(download_t *download, download_outcome_t outcome);

/** Waits for the time of the next try, at most the client's timeout. False: it has not come yet. */
bool download_await_try(download_t *download);

/** Counts time spent waiting in vain. ESP_OK, or ESP_ERR_TIMEOUT (logged) if that was too much: fail. */
esp_err_t download_count_waiting(download_t *download, int64_t since_us);

/** Checks the time for the whole download. ESP_OK, or ESP_ERR_TIMEOUT (logged). */
esp_err_t download_check_budget(const download_t *download);

/**
 * Makes the client's time-out no longer than what is left of the limits: a wait does not go on behind one of them.
 *
 * @return what the time-out was, in ms; the caller puts it back
 */
int download_cap_timeout(download_t *download);

/** Counts bytes that came: tries that got further start again from 0. */
void download_count_bytes(download_t *download, size_t bytes);

/** Waits, at most the client's timeout, until @p time_us. False: it has not come yet. */
bool download_sleep(const download_t *download, int64_t time_us);
