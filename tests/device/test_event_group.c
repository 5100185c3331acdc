/* SPDX-License-Identifier: Apache-2.0 */
#include "freertos/event_groups.h"

#include "device/system/device.h"
#include "freertos/task.h"
#include "otter/otter_os.h"
#include "tests/support/test.h"

#define A   0x01u
#define B   0x02u
#define C   0x04u
#define ALL 0x00FFFFFFu

/* A task that waits, and how its wait ended. */
typedef struct wait {
    EventGroupHandle_t group;
    EventBits_t bits;
    BaseType_t clear;
    BaseType_t all;
    EventBits_t result;
} wait_t;

static struct {
    otter_mutex_t mutex;
    otter_signal_t signal;
    int ended;
} shared;

static EventGroupHandle_t group;

static int set_up(void **state)
{
    (void)state;
    shared.ended = 0;
    group = xEventGroupCreate();
    return group != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    vEventGroupDelete(group);
    group = NULL;
    return 0;
}

static void count_ended(void)
{
    otter_mutex_lock(&shared.mutex);
    shared.ended++;
    otter_signal_raise(&shared.signal);
    otter_mutex_unlock(&shared.mutex);
}

static void await_ended(int expected)
{
    int64_t deadline_us = otter_now_us() + 10000000;
    otter_mutex_lock(&shared.mutex);
    while (shared.ended < expected && otter_signal_wait(&shared.signal, &shared.mutex, deadline_us)) {
    }
    int reached = shared.ended;
    otter_mutex_unlock(&shared.mutex);
    assert_int_equal(reached, expected);
}

static void run_wait(void *arg)
{
    wait_t *wait = arg;
    wait->result = xEventGroupWaitBits(wait->group, wait->bits, wait->clear, wait->all, portMAX_DELAY);
    count_ended();
}

/* Starts the task; it waits when this returns. */
static void start_wait(wait_t *wait)
{
    uint32_t waiters = event_group_count_waiters(group);
    int64_t deadline_us = otter_now_us() + 10000000;
    wait->group = group;
    assert_int_equal(xTaskCreate(run_wait, "wait", 4096, wait, 5, NULL), pdPASS);
    while (event_group_count_waiters(group) == waiters && otter_now_us() < deadline_us) {
        vTaskDelay(1);
    }
    assert_int_equal(event_group_count_waiters(group), waiters + 1);
}

static void bits_are_set_cleared_and_read(void **state)
{
    (void)state;
    assert_int_equal(xEventGroupGetBits(group), 0);
    assert_int_equal(xEventGroupSetBits(group, A | C), A | C);
    assert_int_equal(xEventGroupSetBits(group, B), A | B | C);
    assert_int_equal(xEventGroupClearBits(group, A | B), A | B | C);
    assert_int_equal(xEventGroupGetBits(group), C);
}

static void the_upper_eight_bits_stay_clear(void **state)
{
    (void)state;
    assert_int_equal(xEventGroupSetBits(group, 0xFFFFFFFF), ALL);
}

static void bits_that_are_set_already_end_the_wait_at_once(void **state)
{
    (void)state;
    (void)xEventGroupSetBits(group, A | C);
    assert_int_equal(xEventGroupWaitBits(group, A | B, pdFALSE, pdFALSE, 0), A | C);
    assert_int_equal(xEventGroupGetBits(group), A | C);
    assert_int_equal(xEventGroupWaitBits(group, A | C, pdTRUE, pdTRUE, portMAX_DELAY), A | C);
    assert_int_equal(xEventGroupGetBits(group), 0);
}

static void a_wait_ends_when_its_time_has_passed(void **state)
{
    (void)state;
    (void)xEventGroupSetBits(group, A);
    int64_t before_us = otter_now_us();
    assert_int_equal(xEventGroupWaitBits(group, A | B, pdTRUE, pdTRUE, pdMS_TO_TICKS(20)), A);
    assert_true(otter_now_us() - before_us >= 20000);
    assert_int_equal(xEventGroupGetBits(group), A);
    assert_int_equal(xEventGroupWaitBits(group, B, pdTRUE, pdFALSE, 0), A);
    assert_int_equal(event_group_count_waiters(group), 0);
}

static void one_of_several_bits_is_enough(void **state)
{
    (void)state;
    wait_t wait = {.bits = A | B, .clear = pdTRUE};
    start_wait(&wait);
    (void)xEventGroupSetBits(group, B | C);
    await_ended(1);
    assert_int_equal(wait.result, B | C);
    assert_int_equal(xEventGroupGetBits(group), C);
}

static void all_bits_must_be_set_at_the_same_time(void **state)
{
    (void)state;
    wait_t wait = {.bits = A | B, .all = pdTRUE};
    start_wait(&wait);
    (void)xEventGroupSetBits(group, A);
    (void)xEventGroupClearBits(group, A);
    (void)xEventGroupSetBits(group, B);
    assert_int_equal(event_group_count_waiters(group), 1);
    (void)xEventGroupSetBits(group, A);
    await_ended(1);
    assert_int_equal(wait.result, A | B);
    assert_int_equal(xEventGroupGetBits(group), A | B);
}

static void one_set_lets_all_waiters_go_before_it_clears(void **state)
{
    (void)state;
    wait_t waits[3] = {{.bits = A, .clear = pdTRUE}, {.bits = A, .clear = pdTRUE}, {.bits = A | B}};
    for (size_t i = 0; i < 3; i++) {
        start_wait(&waits[i]);
    }
    assert_int_equal(xEventGroupSetBits(group, A), 0);
    await_ended(3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(waits[i].result, A);
    }
}

static void deleting_a_group_lets_waiters_go_with_no_bits(void **state)
{
    (void)state;
    wait_t wait = {.bits = A, .result = ALL};
    start_wait(&wait);
    vEventGroupDelete(group);
    group = NULL;
    await_ended(1);
    assert_int_equal(wait.result, 0);
    vEventGroupDelete(NULL);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(bits_are_set_cleared_and_read, set_up, tear_down),
    cmocka_unit_test_setup_teardown(the_upper_eight_bits_stay_clear, set_up, tear_down),
    cmocka_unit_test_setup_teardown(bits_that_are_set_already_end_the_wait_at_once, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_wait_ends_when_its_time_has_passed, set_up, tear_down),
    cmocka_unit_test_setup_teardown(one_of_several_bits_is_enough, set_up, tear_down),
    cmocka_unit_test_setup_teardown(all_bits_must_be_set_at_the_same_time, set_up, tear_down),
    cmocka_unit_test_setup_teardown(one_set_lets_all_waiters_go_before_it_clears, set_up, tear_down),
    cmocka_unit_test_setup_teardown(deleting_a_group_lets_waiters_go_with_no_bits, set_up, tear_down),
};

TEST_MAIN(tests)
