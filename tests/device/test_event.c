/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_event.h"

#include <stdlib.h>

#include "otter/otter_os.h"
#include "tests/support/test.h"

#define QUEUE_LENGTH 32

ESP_EVENT_DEFINE_BASE(FRUIT);
ESP_EVENT_DEFINE_BASE(COLOUR);

/* What handlers saw, in order: "<name>:<base initial><id> " each. */
static struct {
    otter_mutex_t mutex;
    otter_signal_t signal;
    char seen[4096];
    bool held;     /* The holding handler is inside. */
    bool let_go;   /* It may leave. */
    int event_sum; /* Of the data posted. */
    esp_err_t inner_err;
    int inner_count;
    TaskHandle_t task;
} shared;

static void note(const char *name, esp_event_base_t base, int32_t id)
{
    otter_mutex_lock(&shared.mutex);
    size_t used = strlen(shared.seen);
    snprintf(shared.seen + used, sizeof shared.seen - used, "%s:%c%d ", name, base[0], (int)id);
    shared.task = xTaskGetCurrentTaskHandle();
    otter_signal_raise(&shared.signal);
    otter_mutex_unlock(&shared.mutex);
}

static void note_handler(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    if (data != NULL) {
        otter_mutex_lock(&shared.mutex);
        shared.event_sum += *(int *)data;
        otter_mutex_unlock(&shared.mutex);
    }
    note(arg, base, id);
}

/* Waits until what handlers saw ends in that text; the events before it are handled then. */
static void await_seen(const char *end)
{
    int64_t deadline_us = otter_now_us() + 10000000;
    otter_mutex_lock(&shared.mutex);
    for (;;) {
        size_t len = strlen(shared.seen);
        bool reached = len >= strlen(end) && strcmp(shared.seen + len - strlen(end), end) == 0;
        if (reached || !otter_signal_wait(&shared.signal, &shared.mutex, deadline_us)) {
            break;
        }
    }
    otter_mutex_unlock(&shared.mutex);
    assert_true(strlen(shared.seen) >= strlen(end));
    assert_string_equal(shared.seen + strlen(shared.seen) - strlen(end), end);
}

/* A handler that stays inside until it is let go. */
static void holding_handler(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)data;
    otter_mutex_lock(&shared.mutex);
    shared.held = true;
    otter_signal_raise(&shared.signal);
    while (!shared.let_go) {
        (void)otter_signal_wait(&shared.signal, &shared.mutex, OTTER_FOREVER);
    }
    shared.held = false;
    otter_mutex_unlock(&shared.mutex);
    note(arg, base, id);
}

static void await_held(void)
{
    int64_t deadline_us = otter_now_us() + 10000000;
    otter_mutex_lock(&shared.mutex);
    while (!shared.held && otter_signal_wait(&shared.signal, &shared.mutex, deadline_us)) {
    }
    bool held = shared.held;
    otter_mutex_unlock(&shared.mutex);
    assert_true(held);
}

static void let_go(void)
{
    otter_mutex_lock(&shared.mutex);
    shared.let_go = true;
    otter_signal_raise(&shared.signal);
    otter_mutex_unlock(&shared.mutex);
}

static int set_up(void **state)
{
    (void)state;
    shared.seen[0] = '\0';
    shared.held = false;
    shared.let_go = false;
    shared.event_sum = 0;
    shared.inner_err = ESP_OK;
    shared.inner_count = 0;
    return esp_event_loop_create_default() == ESP_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    let_go();
    (void)esp_event_loop_delete_default();
    return 0;
}

static void add(esp_event_base_t base, int32_t id, char *name)
{
    assert_err(esp_event_handler_register(base, id, note_handler, name), ESP_OK);
}

static void add_instance(esp_event_base_t base, int32_t id, char *name)
{
    esp_event_handler_instance_t instance;
    assert_err(esp_event_handler_instance_register(base, id, note_handler, name, &instance), ESP_OK);
}

static void post(esp_event_base_t base, int32_t id)
{
    assert_err(esp_event_post(base, id, NULL, 0, portMAX_DELAY), ESP_OK);
}

static void hold_the_loop(void)
{
    assert_err(esp_event_handler_register(COLOUR, 99, holding_handler, "hold"), ESP_OK);
    post(COLOUR, 99);
    await_held();
}

/* As hold_the_loop(), with another handler for the same event behind the holding one. */
static void hold_the_loop_before(char *name)
{
    assert_err(esp_event_handler_register(COLOUR, 99, holding_handler, "hold"), ESP_OK);
    add(COLOUR, 99, name);
    post(COLOUR, 99);
    await_held();
}

static void there_is_one_default_loop(void **state)
{
    (void)state;
    assert_err(esp_event_loop_create_default(), ESP_ERR_INVALID_STATE);
    assert_err(esp_event_loop_delete_default(), ESP_OK);
    assert_err(esp_event_loop_delete_default(), ESP_ERR_INVALID_STATE);
    assert_err(esp_event_loop_create_default(), ESP_OK);
}

static void nothing_works_without_a_loop(void **state)
{
    (void)state;
    esp_event_handler_instance_t instance = &shared;
    assert_err(esp_event_post(FRUIT, 1, NULL, 0, 0), ESP_ERR_INVALID_STATE);
    assert_err(esp_event_post(FRUIT, 1, "data", 4, portMAX_DELAY), ESP_ERR_INVALID_STATE);
    assert_err(esp_event_handler_register(FRUIT, 1, note_handler, NULL), ESP_ERR_INVALID_STATE);
    assert_err(esp_event_handler_unregister(FRUIT, 1, note_handler), ESP_ERR_INVALID_STATE);
    assert_err(esp_event_handler_instance_register(FRUIT, 1, note_handler, NULL, &instance), ESP_ERR_INVALID_STATE);
    assert_err(esp_event_handler_instance_unregister(FRUIT, 1, &shared), ESP_ERR_INVALID_STATE);
}

static void arguments_are_checked(void **state)
{
    (void)state;
    esp_event_handler_instance_t instance;
    assert_err(esp_event_post(ESP_EVENT_ANY_BASE, 1, NULL, 0, 0), ESP_ERR_INVALID_ARG);
    assert_err(esp_event_post(FRUIT, ESP_EVENT_ANY_ID, NULL, 0, 0), ESP_ERR_INVALID_ARG);
    assert_err(esp_event_handler_register(ESP_EVENT_ANY_BASE, 1, note_handler, NULL), ESP_ERR_INVALID_ARG);
    assert_err(esp_event_handler_register(FRUIT, 1, NULL, NULL), ESP_ERR_INVALID_ARG);
    assert_err(esp_event_handler_instance_register(FRUIT, 1, NULL, NULL, &instance), ESP_ERR_INVALID_ARG);
    assert_err(esp_event_handler_unregister(ESP_EVENT_ANY_BASE, 1, note_handler), ESP_ERR_INVALID_ARG);
    assert_err(esp_event_handler_instance_unregister(FRUIT, 1, NULL), ESP_ERR_INVALID_ARG);
}

static void a_handler_gets_a_copy_of_the_data_on_another_task(void **state)
{
    (void)state;
    add(FRUIT, 1, "a");
    int data = 40;
    assert_err(esp_event_post(FRUIT, 1, &data, sizeof data, portMAX_DELAY), ESP_OK);
    data = 2;
    assert_err(esp_event_post(FRUIT, 1, &data, sizeof data, portMAX_DELAY), ESP_OK);
    data = 1000;
    await_seen("a:F1 a:F1 ");
    assert_int_equal(shared.event_sum, 42);
    assert_ptr_not_equal(shared.task, xTaskGetCurrentTaskHandle());
}

static void handlers_get_the_events_they_asked_for_in_order_of_registration(void **state)
{
    (void)state;
    add(FRUIT, 2, "two");
    add(ESP_EVENT_ANY_BASE, ESP_EVENT_ANY_ID, "all");
    add(FRUIT, ESP_EVENT_ANY_ID, "fruit");
    add(COLOUR, 2, "colour");
    post(FRUIT, 1);
    post(FRUIT, 2);
    post(COLOUR, 2);
    await_seen("colour:C2 ");
    assert_string_equal(shared.seen, "all:F1 fruit:F1 two:F2 all:F2 fruit:F2 all:C2 colour:C2 ");
}

static void bases_are_told_apart_by_address_not_by_text(void **state)
{
    (void)state;
    static const char same_text[] = "FRUIT";
    add(FRUIT, 1, "fruit");
    add(COLOUR, 1, "end");
    post(same_text, 1);
    post(COLOUR, 1);
    await_seen("end:C1 ");
    assert_string_equal(shared.seen, "end:C1 ");
}

static void registering_a_function_again_replaces_its_argument(void **state)
{
    (void)state;
    add(FRUIT, 1, "old");
    add(FRUIT, 1, "new");
    post(FRUIT, 1);
    await_seen("new:F1 ");
    assert_string_equal(shared.seen, "new:F1 ");
}

static void instances_of_one_function_are_separate(void **state)
{
    (void)state;
    esp_event_handler_instance_t first;
    esp_event_handler_instance_t second;
    assert_err(esp_event_handler_instance_register(FRUIT, 1, note_handler, "first", &first), ESP_OK);
    assert_err(esp_event_handler_instance_register(FRUIT, 1, note_handler, "second", &second), ESP_OK);
    add(FRUIT, 1, "plain");
    assert_ptr_not_equal(first, second);
    post(FRUIT, 1);
    await_seen("first:F1 second:F1 plain:F1 ");
    assert_err(esp_event_handler_instance_unregister(FRUIT, 1, first), ESP_OK);
    assert_err(esp_event_handler_instance_unregister(FRUIT, 1, first), ESP_OK);
    post(FRUIT, 1);
    await_seen("first:F1 second:F1 plain:F1 second:F1 plain:F1 ");
    assert_err(esp_event_handler_unregister(FRUIT, 1, note_handler), ESP_OK);
    post(FRUIT, 1);
    add(COLOUR, 1, "end");
    post(COLOUR, 1);
    await_seen("plain:F1 second:F1 end:C1 ");
}

static void an_unregistered_handler_is_not_called(void **state)
{
    (void)state;
    add(FRUIT, 1, "gone");
    add(FRUIT, 2, "stays");
    assert_err(esp_event_handler_unregister(FRUIT, 1, note_handler), ESP_OK);
    assert_err(esp_event_handler_unregister(FRUIT, 1, note_handler), ESP_OK);
    post(FRUIT, 1);
    post(FRUIT, 2);
    await_seen("stays:F2 ");
    assert_string_equal(shared.seen, "stays:F2 ");
}

static void a_handler_unregistered_while_its_event_is_handled_is_not_called(void **state)
{
    (void)state;
    hold_the_loop_before("gone");
    assert_err(esp_event_handler_unregister(COLOUR, 99, note_handler), ESP_OK);
    let_go();
    add(COLOUR, 1, "end");
    post(COLOUR, 1);
    await_seen("end:C1 ");
    assert_string_equal(shared.seen, "hold:C99 end:C1 ");
}

static void thirty_two_events_can_wait(void **state)
{
    (void)state;
    add(FRUIT, ESP_EVENT_ANY_ID, "f");
    hold_the_loop();
    for (int i = 0; i < QUEUE_LENGTH; i++) {
        assert_err(esp_event_post(FRUIT, i, NULL, 0, 0), ESP_OK);
    }
    assert_err(esp_event_post(FRUIT, 77, NULL, 0, 0), ESP_ERR_TIMEOUT);
    int64_t before_us = otter_now_us();
    assert_err(esp_event_post(FRUIT, 77, "data", 4, pdMS_TO_TICKS(20)), ESP_ERR_TIMEOUT);
    assert_true(otter_now_us() - before_us >= 20000);
    let_go();
    await_seen("f:F31 ");
    assert_null(strstr(shared.seen, "F77"));
    assert_ptr_equal(strstr(shared.seen, "hold:C99 f:F0 f:F1 f:F2 "), shared.seen);
}

static void post_later(void *arg)
{
    esp_err_t err = esp_event_post(FRUIT, 50, NULL, 0, portMAX_DELAY);
    otter_mutex_lock(&shared.mutex);
    shared.inner_err = err;
    shared.inner_count++;
    otter_signal_raise(&shared.signal);
    otter_mutex_unlock(&shared.mutex);
    (void)arg;
}

static void await_inner(int count)
{
    int64_t deadline_us = otter_now_us() + 10000000;
    otter_mutex_lock(&shared.mutex);
    while (shared.inner_count < count && otter_signal_wait(&shared.signal, &shared.mutex, deadline_us)) {
    }
    int reached = shared.inner_count;
    otter_mutex_unlock(&shared.mutex);
    assert_int_equal(reached, count);
}

static void a_post_that_waits_goes_through_once_there_is_room(void **state)
{
    (void)state;
    add(FRUIT, ESP_EVENT_ANY_ID, "f");
    hold_the_loop();
    for (int i = 0; i < QUEUE_LENGTH; i++) {
        post(FRUIT, i);
    }
    assert_int_equal(xTaskCreate(post_later, "poster", 4096, NULL, 5, NULL), pdPASS);
    vTaskDelay(5); /* So that it most likely waits; the result is the same if not. */
    let_go();
    await_seen("f:F31 f:F50 ");
    await_inner(1);
    assert_err(shared.inner_err, ESP_OK);
}

static void delete_loop(void *arg)
{
    esp_err_t err = esp_event_loop_delete_default();
    otter_mutex_lock(&shared.mutex);
    shared.inner_err = err != ESP_OK ? err : shared.inner_err;
    shared.inner_count++;
    otter_signal_raise(&shared.signal);
    otter_mutex_unlock(&shared.mutex);
    (void)arg;
}

static void deleting_the_loop_waits_for_the_handler_and_wakes_posters(void **state)
{
    (void)state;
    add(FRUIT, ESP_EVENT_ANY_ID, "f");
    hold_the_loop_before("never called");
    for (int i = 0; i < QUEUE_LENGTH; i++) {
        assert_err(esp_event_post(FRUIT, i, "data", 4, 0), ESP_OK);
    }
    shared.inner_count = 0;
    assert_int_equal(xTaskCreate(post_later, "poster", 4096, NULL, 5, NULL), pdPASS);
    vTaskDelay(5); /* As above. */
    assert_int_equal(xTaskCreate(delete_loop, "deleter", 4096, NULL, 5, NULL), pdPASS);
    await_inner(1);
    assert_err(shared.inner_err, ESP_ERR_INVALID_STATE);
    assert_err(esp_event_loop_create_default(), ESP_ERR_INVALID_STATE);
    let_go();
    await_inner(2);
    assert_string_equal(shared.seen, "hold:C99 ");
    assert_err(esp_event_loop_create_default(), ESP_OK);
    post(FRUIT, 1);
    add(COLOUR, 1, "end");
    post(COLOUR, 1);
    await_seen("end:C1 ");
    assert_string_equal(shared.seen, "hold:C99 end:C1 ");
}

static void busy_handler(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)data;
    assert_err(esp_event_handler_unregister(base, id, busy_handler), ESP_OK);
    add_instance(base, id, "added");
    assert_err(esp_event_post(base, id, NULL, 0, portMAX_DELAY), ESP_OK);
    shared.inner_err = esp_event_loop_delete_default();
    note(arg, base, id);
}

static void a_handler_may_register_unregister_and_post(void **state)
{
    (void)state;
    assert_err(esp_event_handler_register(FRUIT, 1, busy_handler, "busy"), ESP_OK);
    add(FRUIT, 1, "next");
    post(FRUIT, 1);
    await_seen("next:F1 added:F1 ");
    assert_string_equal(shared.seen, "busy:F1 next:F1 next:F1 added:F1 ");
    assert_err(shared.inner_err, ESP_ERR_INVALID_STATE);
}

static void flooding_handler(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)data;
    int count = 0;
    esp_err_t err;
    while ((err = esp_event_post(COLOUR, 1, NULL, 0, portMAX_DELAY)) == ESP_OK) {
        count++;
    }
    otter_mutex_lock(&shared.mutex);
    shared.inner_err = err;
    shared.inner_count = count;
    otter_mutex_unlock(&shared.mutex);
    note(arg, base, id);
}

static void a_handler_that_fills_the_queue_is_told_and_not_blocked(void **state)
{
    (void)state;
    assert_err(esp_event_handler_register(FRUIT, 1, flooding_handler, "flood"), ESP_OK);
    post(FRUIT, 1);
    await_seen("flood:F1 ");
    assert_int_equal(shared.inner_count, QUEUE_LENGTH);
    assert_err(shared.inner_err, ESP_ERR_TIMEOUT);
}

static void unregister_holding(void *arg)
{
    esp_err_t err = esp_event_handler_unregister(COLOUR, 99, holding_handler);
    otter_mutex_lock(&shared.mutex);
    shared.inner_err = shared.held ? ESP_FAIL : err; /* It must have left by now. */
    shared.inner_count++;
    otter_signal_raise(&shared.signal);
    otter_mutex_unlock(&shared.mutex);
    (void)arg;
}

static void unregistering_waits_for_a_handler_that_runs(void **state)
{
    (void)state;
    hold_the_loop();
    assert_int_equal(xTaskCreate(unregister_holding, "unregister", 4096, NULL, 5, NULL), pdPASS);
    vTaskDelay(5); /* So that it most likely waits; the result is the same if not. */
    let_go();
    await_inner(1);
    assert_err(shared.inner_err, ESP_OK);
    assert_false(shared.held);
}

static void churn(void *arg)
{
    esp_event_handler_instance_t instance;
    for (int i = 0; i < 100; i++) {
        assert_err(esp_event_handler_instance_register(FRUIT, 3, note_handler, arg, &instance), ESP_OK);
        assert_err(esp_event_post(FRUIT, 4, &i, sizeof i, portMAX_DELAY), ESP_OK);
        assert_err(esp_event_handler_instance_unregister(FRUIT, 3, instance), ESP_OK);
    }
    otter_mutex_lock(&shared.mutex);
    shared.inner_count++;
    otter_signal_raise(&shared.signal);
    otter_mutex_unlock(&shared.mutex);
}

static void many_tasks_may_use_the_loop_at_once(void **state)
{
    (void)state;
    add(FRUIT, 4, "");
    for (int i = 0; i < 4; i++) {
        assert_int_equal(xTaskCreate(churn, "churn", 4096, "churn", 5, NULL), pdPASS);
    }
    await_inner(4);
    add(COLOUR, 1, "end");
    post(COLOUR, 1);
    await_seen("end:C1 ");
    assert_int_equal(shared.event_sum, 4 * 4950);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(there_is_one_default_loop, set_up, tear_down),
    cmocka_unit_test(nothing_works_without_a_loop),
    cmocka_unit_test_setup_teardown(arguments_are_checked, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_handler_gets_a_copy_of_the_data_on_another_task, set_up, tear_down),
    cmocka_unit_test_setup_teardown(handlers_get_the_events_they_asked_for_in_order_of_registration, set_up, tear_down),
    cmocka_unit_test_setup_teardown(bases_are_told_apart_by_address_not_by_text, set_up, tear_down),
    cmocka_unit_test_setup_teardown(registering_a_function_again_replaces_its_argument, set_up, tear_down),
    cmocka_unit_test_setup_teardown(instances_of_one_function_are_separate, set_up, tear_down),
    cmocka_unit_test_setup_teardown(an_unregistered_handler_is_not_called, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_handler_unregistered_while_its_event_is_handled_is_not_called, set_up, tear_down),
    cmocka_unit_test_setup_teardown(thirty_two_events_can_wait, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_post_that_waits_goes_through_once_there_is_room, set_up, tear_down),
    cmocka_unit_test_setup_teardown(deleting_the_loop_waits_for_the_handler_and_wakes_posters, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_handler_may_register_unregister_and_post, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_handler_that_fills_the_queue_is_told_and_not_blocked, set_up, tear_down),
    cmocka_unit_test_setup_teardown(unregistering_waits_for_a_handler_that_runs, set_up, tear_down),
    cmocka_unit_test_setup_teardown(many_tasks_may_use_the_loop_at_once, set_up, tear_down),
};

TEST_MAIN(tests)
