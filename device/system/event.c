/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_event.h"

#include <stdlib.h>
#include <string.h>

#include "device/system/device.h"
#include "otter/otter_os.h"

#define QUEUE_LENGTH 32u
#define STACK_BYTES  8192u

/* A registration. */
typedef struct handler {
    struct handler *next;
    uint64_t serial; /* Counts up along the list, from 1; never used twice. */
    bool removed;    /* Not called any more; freed once no event is being handled. */
    bool single;     /* From esp_event_handler_register(): one for each function and event. */
    esp_event_base_t base;
    int32_t id;
    esp_event_handler_t function;
    void *arg;
} handler_t;

typedef struct event {
    esp_event_base_t base;
    int32_t id;
    void *data; /* Owned; may be NULL. */
} event_t;

static struct {
    otter_mutex_t mutex;
    otter_signal_t work;     /* There is something to do for the loop's task. */
    otter_signal_t change;   /* The queue has room, a handler returned, or the task ended. */
    bool exists;             /* The loop takes calls. */
    bool task_runs;          /* Its task has not ended yet. */
    uint32_t generation;     /* Tells this loop from an earlier one. */
    otter_task_t *task;      /* That task; NULL until it begins. */
    bool handling;           /* It walks the handlers: none may be freed. */
    uint64_t running_serial; /* Handler that runs now; 0: none. */
    uint64_t last_serial;
    handler_t *handlers;
    event_t queue[QUEUE_LENGTH];
    size_t first; /* Oldest event of the queue. */
    size_t count;
} loop;

/* Everything static below is called with the lock held, unless it says otherwise. */

static bool on_loop_task(void)
{
    return loop.task != NULL && loop.task == otter_task_current();
}

/* --- handlers --- */

static bool matches(const handler_t *handler, const event_t *event)
{
    return handler->base == ESP_EVENT_ANY_BASE ||
           (handler->base == event->base && (handler->id == ESP_EVENT_ANY_ID || handler->id == event->id));
}

static handler_t *find_single(esp_event_base_t base, int32_t id, esp_event_handler_t function)
{
    for (handler_t *h = loop.handlers; h != NULL; h = h->next) {
        if (h->single && !h->removed && h->base == base && h->id == id && h->function == function) {
            return h;
        }
    }
    return NULL;
}

/* An instance is looked for, not followed: it may be of an earlier loop. */
static handler_t *find_instance(esp_event_base_t base, int32_t id, const void *instance)
{
    for (handler_t *h = loop.handlers; h != NULL; h = h->next) {
        if (h == instance && !h->removed && h->base == base && h->id == id) {
            return h;
        }
    }
    return NULL;
}

static void append_handler(handler_t *handler)
{
    handler_t **end = &loop.handlers;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    handler->serial = ++loop.last_serial;
    *end = handler;
}

static void free_removed(void)
{
    for (handler_t **link = &loop.handlers; *link != NULL;) {
        handler_t *handler = *link;
        if (handler->removed) {
            *link = handler->next;
            free(handler);
        } else {
            link = &handler->next;
        }
    }
}

static void remove_handler(handler_t *handler)
{
    uint64_t serial = handler->serial;
    handler->removed = true;
    if (!loop.handling) {
        free_removed();
    }
    while (loop.running_serial == serial && !on_loop_task()) {
        (void)otter_signal_wait(&loop.change, &loop.mutex, OTTER_FOREVER);
    }
}

/* --- the loop's task --- */

static void call_handler(const handler_t *handler, const event_t *event)
{
    esp_event_handler_t function = handler->function;
    void *arg = handler->arg;
    loop.running_serial = handler->serial;
    otter_mutex_unlock(&loop.mutex);
    function(arg, event->base, event->id, event->data);
    otter_mutex_lock(&loop.mutex);
    loop.running_serial = 0;
    otter_signal_raise(&loop.change);
}

static void handle_event(const event_t *event)
{
    uint64_t last = loop.last_serial;
    loop.handling = true;
    for (handler_t *h = loop.handlers; h != NULL && h->serial <= last && loop.exists; h = h->next) {
        if (!h->removed && matches(h, event)) {
            call_handler(h, event);
        }
    }
    loop.handling = false;
    free_removed();
}

static bool take_event(event_t *event)
{
    if (loop.count == 0) {
        return false;
    }
    *event = loop.queue[loop.first];
    loop.first = (loop.first + 1) % QUEUE_LENGTH;
    loop.count--;
    otter_signal_raise(&loop.change);
    return true;
}

/* Entered without the lock. */
static void run_loop(void *arg)
{
    (void)arg;
    otter_mutex_lock(&loop.mutex);
    loop.task = otter_task_current();
    while (loop.exists) {
        event_t event;
        if (take_event(&event)) {
            handle_event(&event);
            free(event.data);
        } else {
            (void)otter_signal_wait(&loop.work, &loop.mutex, OTTER_FOREVER);
        }
    }
    loop.task = NULL;
    loop.task_runs = false;
    otter_signal_raise(&loop.change);
    otter_mutex_unlock(&loop.mutex);
}

/* --- making and deleting --- */

static esp_err_t create_loop(void)
{
    if (loop.task_runs) {
        return ESP_ERR_INVALID_STATE;
    }
    loop.exists = true;
    loop.task_runs = true;
    loop.generation++;
    esp_err_t err = otter_task_start(run_loop, NULL, "sys_evt", STACK_BYTES, NULL);
    if (err != ESP_OK) {
        loop.exists = false;
        loop.task_runs = false;
    }
    return err;
}

static esp_err_t delete_loop(void)
{
    if (!loop.exists || on_loop_task()) {
        return ESP_ERR_INVALID_STATE;
    }
    loop.exists = false;
    otter_signal_raise(&loop.work);
    otter_signal_raise(&loop.change);
    while (loop.task_runs) {
        (void)otter_signal_wait(&loop.change, &loop.mutex, OTTER_FOREVER);
    }
    for (handler_t *h = loop.handlers; h != NULL; h = h->next) {
        h->removed = true;
    }
    free_removed();
    event_t event;
    while (take_event(&event)) {
        free(event.data);
    }
    return ESP_OK;
}

esp_err_t esp_event_loop_create_default(void)
{
    otter_mutex_lock(&loop.mutex);
    esp_err_t err = create_loop();
    otter_mutex_unlock(&loop.mutex);
    return err;
}

esp_err_t esp_event_loop_delete_default(void)
{
    otter_mutex_lock(&loop.mutex);
    esp_err_t err = delete_loop();
    otter_mutex_unlock(&loop.mutex);
    return err;
}

void event_reset(void)
{
    (void)esp_event_loop_delete_default();
}

/* --- registering --- */

static bool is_valid_filter(esp_event_base_t base, int32_t id)
{
    return base != ESP_EVENT_ANY_BASE || id == ESP_EVENT_ANY_ID;
}

/* Takes the handler over, unless it fails. */
static esp_err_t add_handler(handler_t *handler)
{
    if (!loop.exists) {
        return ESP_ERR_INVALID_STATE;
    }
    handler_t *same = handler->single ? find_single(handler->base, handler->id, handler->function) : NULL;
    if (same != NULL) {
        same->arg = handler->arg;
        free(handler);
    } else {
        append_handler(handler);
    }
    return ESP_OK;
}

/* Called without the lock. */
static esp_err_t register_handler(esp_event_base_t base, int32_t id, esp_event_handler_t function, void *arg,
                                  esp_event_handler_instance_t *instance)
{
    if (function == NULL || !is_valid_filter(base, id)) {
        return ESP_ERR_INVALID_ARG;
    }
    handler_t *handler = calloc(1, sizeof *handler);
    if (handler == NULL) {
        return ESP_ERR_NO_MEM;
    }
    *handler = (handler_t){.single = instance == NULL, .base = base, .id = id, .function = function, .arg = arg};
    otter_mutex_lock(&loop.mutex);
    esp_err_t err = add_handler(handler);
    if (err == ESP_OK && instance != NULL) {
        *instance = handler;
    }
    otter_mutex_unlock(&loop.mutex);
    if (err != ESP_OK) {
        free(handler);
    }
    return err;
}

esp_err_t esp_event_handler_register(esp_event_base_t event_base, int32_t event_id, esp_event_handler_t event_handler,
                                     void *event_handler_arg)
{
    return register_handler(event_base, event_id, event_handler, event_handler_arg, NULL);
}

esp_err_t esp_event_handler_instance_register(esp_event_base_t event_base, int32_t event_id,
                                              esp_event_handler_t event_handler, void *event_handler_arg,
                                              esp_event_handler_instance_t *instance)
{
    return register_handler(event_base, event_id, event_handler, event_handler_arg, instance);
}

/* Called without the lock. One of function and instance is given. */
static esp_err_t unregister_handler(esp_event_base_t base, int32_t id, esp_event_handler_t function,
                                    const void *instance)
{
    if ((function == NULL && instance == NULL) || !is_valid_filter(base, id)) {
        return ESP_ERR_INVALID_ARG;
    }
    otter_mutex_lock(&loop.mutex);
    esp_err_t err = loop.exists ? ESP_OK : ESP_ERR_INVALID_STATE;
    handler_t *handler = NULL;
    if (err == ESP_OK) {
        handler = instance != NULL ? find_instance(base, id, instance) : find_single(base, id, function);
    }
    if (handler != NULL) {
        remove_handler(handler);
    }
    otter_mutex_unlock(&loop.mutex);
    return err;
}

esp_err_t esp_event_handler_unregister(esp_event_base_t event_base, int32_t event_id, esp_event_handler_t event_handler)
{
    return unregister_handler(event_base, event_id, event_handler, NULL);
}

esp_err_t esp_event_handler_instance_unregister(esp_event_base_t event_base, int32_t event_id,
                                                esp_event_handler_instance_t instance)
{
    return unregister_handler(event_base, event_id, NULL, instance);
}

/* --- posting --- */

static esp_err_t wait_for_room(TickType_t ticks)
{
    uint32_t generation = loop.generation;
    int64_t deadline_us = task_deadline_us(ticks);
    bool in_time = ticks > 0 && !on_loop_task();
    while (loop.exists && loop.generation == generation && loop.count == QUEUE_LENGTH && in_time) {
        in_time = otter_signal_wait(&loop.change, &loop.mutex, deadline_us);
    }
    if (!loop.exists || loop.generation != generation) {
        return ESP_ERR_INVALID_STATE;
    }
    return loop.count < QUEUE_LENGTH ? ESP_OK : ESP_ERR_TIMEOUT;
}

/* Takes the event's data over, unless it fails. Called without the lock. */
static esp_err_t enqueue(const event_t *event, TickType_t ticks_to_wait)
{
    otter_mutex_lock(&loop.mutex);
    esp_err_t err = wait_for_room(ticks_to_wait);
    if (err == ESP_OK) {
        loop.queue[(loop.first + loop.count) % QUEUE_LENGTH] = *event;
        loop.count++;
        otter_signal_raise(&loop.work);
    }
    otter_mutex_unlock(&loop.mutex);
    return err;
}

esp_err_t esp_event_post(esp_event_base_t event_base, int32_t event_id, const void *event_data, size_t event_data_size,
                         TickType_t ticks_to_wait)
{
    event_t event = {.base = event_base, .id = event_id};
    if (event_base == ESP_EVENT_ANY_BASE || event_id == ESP_EVENT_ANY_ID) {
        return ESP_ERR_INVALID_ARG;
    }
    if (event_data != NULL && event_data_size > 0) {
        event.data = malloc(event_data_size);
        if (event.data == NULL) {
            return ESP_ERR_NO_MEM;
        }
        memcpy(event.data, event_data, event_data_size);
    }
    esp_err_t err = enqueue(&event, ticks_to_wait);
    if (err != ESP_OK) {
        free(event.data);
    }
    return err;
}
