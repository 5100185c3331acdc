/* SPDX-License-Identifier: Apache-2.0 */
/* Name resolution with a deadline: getaddrinfo() has none, so it runs in a task that nobody has to wait for. */
#define _DEFAULT_SOURCE
#include "port/stream_openssl/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otter/otter_os.h"

/* Shared by the task that looks up and the one that waits; whoever is last to leave releases it. */
typedef struct lookup {
    otter_mutex_t mutex;
    otter_signal_t signal;
    bool is_answered;
    bool is_abandoned;
    char host[OTTER_STREAM_HOST_BYTES];
    char port[8];
    int code;
    struct addrinfo *found;
} lookup_t;

static int resolve(const lookup_t *lookup, int flags, struct addrinfo **found)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
    *found = NULL;
    return getaddrinfo(lookup->host, lookup->port, &hints, found);
}

static void discard(lookup_t *lookup)
{
    if (lookup->found != NULL) {
        freeaddrinfo(lookup->found);
    }
    free(lookup);
}

static void answer(void *arg)
{
    lookup_t *lookup = arg;
    struct addrinfo *found = NULL;
    int code = resolve(lookup, 0, &found);
    otter_mutex_lock(&lookup->mutex);
    lookup->code = code;
    lookup->found = found;
    lookup->is_answered = true;
    bool is_abandoned = lookup->is_abandoned;
    otter_signal_raise(&lookup->signal);
    otter_mutex_unlock(&lookup->mutex);
    if (is_abandoned) {
        discard(lookup);
    }
}

/* False: no answer in time; then the record is the other task's. */
static bool await_answer(lookup_t *lookup, int64_t deadline_us)
{
    bool in_time = true;
    otter_mutex_lock(&lookup->mutex);
    while (!lookup->is_answered && in_time) {
        in_time = otter_signal_wait(&lookup->signal, &lookup->mutex, deadline_us);
    }
    bool is_answered = lookup->is_answered;
    lookup->is_abandoned = !is_answered;
    otter_mutex_unlock(&lookup->mutex);
    return is_answered;
}

static esp_err_t take_addresses(otter_stream_t *stream, lookup_t *lookup, struct addrinfo **found)
{
    esp_err_t err = ESP_OK;
    if (lookup->code != 0) {
        stream_set_error(stream, "cannot look up the host name: %s", gai_strerror(lookup->code));
        err = lookup->code == EAI_MEMORY ? ESP_ERR_NO_MEM : ESP_FAIL;
    }
    *found = lookup->found;
    lookup->found = NULL;
    discard(lookup);
    return err;
}

esp_err_t stream_look_up(otter_stream_t *stream, const char *host, uint16_t port, int64_t deadline_us,
                         struct addrinfo **found)
{
    lookup_t *lookup = calloc(1, sizeof(*lookup));
    if (lookup == NULL) {
        return ESP_ERR_NO_MEM;
    }
    snprintf(lookup->host, sizeof(lookup->host), "%s", host);
    snprintf(lookup->port, sizeof(lookup->port), "%u", (unsigned)port);
    if (resolve(lookup, AI_NUMERICHOST, &lookup->found) == 0) {
        return take_addresses(stream, lookup, found);
    }
    if (otter_task_start(answer, lookup, "lookup", 0, NULL) != ESP_OK) {
        discard(lookup);
        return ESP_ERR_NO_MEM;
    }
    return await_answer(lookup, deadline_us) ? take_addresses(stream, lookup, found) : ESP_ERR_TIMEOUT;
}
