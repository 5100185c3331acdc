/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/ptable/ptable.h"
#include "esp_check.h"
#include "esp_err.h"
#include "esp_event.h"
#include "esp_http_client.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_random.h"
#include "esp_system.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "nvs_flash.h"
#include "otter/otter_device.h"
#include "otter/otter_flash_ram.h"
#include "otter/otter_os.h"
#include "otter/otter_process.h"
#include "tests/support/test.h"

#define FLASH_BYTES (128u * 1024)
#define NVS_OFF     0x9000u
#define NVS_BYTES   0x4000u

static uint8_t flash_bytes[FLASH_BYTES];
static otter_flash_ram_t ram;

static void put_table(const char *label, uint32_t flags)
{
    ptable_t table = {.count = 1, .partition = {{1, 2, NVS_OFF, NVS_BYTES, flags, ""}}};
    strcpy(table.partition[0].label, label);
    assert_int_equal(ptable_build(&table, true, flash_bytes + 0x8000), PTABLE_OK);
}

static void start_device(uint32_t log_level)
{
    otter_device_t device = {.config = {.partition_table_offset = 0x8000, .log_level = log_level},
                             .running_address = OTTER_NOT_RUNNING,
                             .reset_reason = ESP_RST_SW};
    device.flash = otter_flash_ram_init(&ram, flash_bytes, FLASH_BYTES, 4096);
    assert_err(otter_device_init(&device), ESP_OK);
}

static int set_up(void **state)
{
    (void)state;
    memset(flash_bytes, 0xFF, sizeof flash_bytes);
    put_table("nvs", 0);
    start_device(ESP_LOG_INFO);
    return 0;
}

/* --- capturing the log --- */

static char captured[16384];
static FILE *capture_file;
static int real_stdout;

static void capture_begin(void)
{
    fflush(stdout);
    capture_file = tmpfile();
    assert_non_null(capture_file);
    real_stdout = dup(STDOUT_FILENO);
    assert_true(real_stdout >= 0);
    assert_true(dup2(fileno(capture_file), STDOUT_FILENO) >= 0);
}

static const char *capture_end(void)
{
    fflush(stdout);
    assert_true(dup2(real_stdout, STDOUT_FILENO) >= 0);
    close(real_stdout);
    rewind(capture_file);
    size_t len = fread(captured, 1, sizeof captured - 1, capture_file);
    captured[len] = '\0';
    fclose(capture_file);
    return captured;
}

/* --- device --- */

static void a_device_without_flash_is_refused(void **state)
{
    (void)state;
    const otter_device_t device = {0};
    assert_err(otter_device_init(&device), ESP_ERR_INVALID_ARG);
    assert_err(otter_device_init(NULL), ESP_ERR_INVALID_ARG);
    assert_ptr_equal(otter_device_get()->flash, &ram.base);
}

static void the_device_is_what_it_was_made_of(void **state)
{
    (void)state;
    assert_ptr_equal(otter_device_get()->flash, &ram.base);
    assert_int_equal(otter_device_get()->running_address, OTTER_NOT_RUNNING);
    assert_int_equal(esp_reset_reason(), ESP_RST_SW);
}

static void a_new_device_forgets_the_earlier_ones_state(void **state)
{
    (void)state;
    assert_err(esp_event_loop_create_default(), ESP_OK);
    assert_err(nvs_flash_init(), ESP_OK);
    esp_log_level_set("one", ESP_LOG_DEBUG);
    start_device(ESP_LOG_WARN);
    assert_err(esp_event_loop_delete_default(), ESP_ERR_INVALID_STATE);
    assert_err(nvs_flash_deinit(), ESP_ERR_NVS_NOT_INITIALIZED);
    assert_int_equal(esp_log_level_get("one"), ESP_LOG_WARN);
}

/* --- errors --- */

static void errors_have_the_names_and_numbers_of_esp_idf(void **state)
{
    (void)state;
    static const struct {
        esp_err_t code;
        const char *name;
    } cases[] = {
        {0, "ESP_OK"},
        {-1, "ESP_FAIL"},
        {0x101, "ESP_ERR_NO_MEM"},
        {0x102, "ESP_ERR_INVALID_ARG"},
        {0x103, "ESP_ERR_INVALID_STATE"},
        {0x104, "ESP_ERR_INVALID_SIZE"},
        {0x105, "ESP_ERR_NOT_FOUND"},
        {0x106, "ESP_ERR_NOT_SUPPORTED"},
        {0x107, "ESP_ERR_TIMEOUT"},
        {0x108, "ESP_ERR_INVALID_RESPONSE"},
        {0x109, "ESP_ERR_INVALID_CRC"},
        {0x10A, "ESP_ERR_INVALID_VERSION"},
        {0x10B, "ESP_ERR_INVALID_MAC"},
        {0x10C, "ESP_ERR_NOT_FINISHED"},
        {0x10D, "ESP_ERR_NOT_ALLOWED"},
        {0x1100, "ESP_ERR_NVS_BASE"},
        {0x1102, "ESP_ERR_NVS_NOT_FOUND"},
        {0x110D, "ESP_ERR_NVS_NO_FREE_PAGES"},
        {0x1110, "ESP_ERR_NVS_NEW_VERSION_FOUND"},
        {0x1119, "ESP_ERR_NVS_WRONG_ENCRYPTION"},
        {0x1500, "ESP_ERR_OTA_BASE"},
        {0x1501, "ESP_ERR_OTA_PARTITION_CONFLICT"},
        {0x1502, "ESP_ERR_OTA_SELECT_INFO_INVALID"},
        {0x1503, "ESP_ERR_OTA_VALIDATE_FAILED"},
        {0x1504, "ESP_ERR_OTA_SMALL_SEC_VER"},
        {0x1505, "ESP_ERR_OTA_ROLLBACK_FAILED"},
        {0x1506, "ESP_ERR_OTA_ROLLBACK_INVALID_STATE"},
        {0x1507, "ESP_ERR_OTA_ALREADY_IN_PROGRESS"},
        {0x1508, "ESP_ERR_OTA_SPI_MODE_MISMATCH"},
        {0x2000, "ESP_ERR_IMAGE_BASE"},
        {0x2001, "ESP_ERR_IMAGE_FLASH_FAIL"},
        {0x2002, "ESP_ERR_IMAGE_INVALID"},
        {0x6000, "ESP_ERR_FLASH_BASE"},
        {0x6001, "ESP_ERR_FLASH_OP_FAIL"},
        {0x6002, "ESP_ERR_FLASH_OP_TIMEOUT"},
        {0x7000, "ESP_ERR_HTTP_BASE"},
        {0x7001, "ESP_ERR_HTTP_MAX_REDIRECT"},
        {0x7002, "ESP_ERR_HTTP_CONNECT"},
        {0x7003, "ESP_ERR_HTTP_WRITE_DATA"},
        {0x7004, "ESP_ERR_HTTP_FETCH_HEADER"},
        {0x7005, "ESP_ERR_HTTP_INVALID_TRANSPORT"},
        {0x7006, "ESP_ERR_HTTP_CONNECTING"},
        {0x7007, "ESP_ERR_HTTP_EAGAIN"},
        {0x7008, "ESP_ERR_HTTP_CONNECTION_CLOSED"},
        {0x7009, "ESP_ERR_HTTP_NOT_MODIFIED"},
        {0x700A, "ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE"},
        {0x700B, "ESP_ERR_HTTP_READ_TIMEOUT"},
        {0x700C, "ESP_ERR_HTTP_INCOMPLETE_DATA"},
        {0x700D, "ESP_ERR_HTTP_REDIRECT_DOWNGRADE"},
        {0x700E, "ESP_ERR_HTTP_HEADER_TOO_LONG"},
        {0x9001, "ESP_ERR_HTTPS_OTA_IN_PROGRESS"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_string_equal(esp_err_to_name(cases[i].code), cases[i].name);
    }
}

static void an_unknown_error_shows_its_number(void **state)
{
    (void)state;
    char text[64];
    assert_string_equal(esp_err_to_name(0x1234567), "UNKNOWN ERROR");
    assert_ptr_equal(esp_err_to_name_r(0x777, text, sizeof text), text);
    assert_string_equal(text, "UNKNOWN ERROR 0x777(1911)");
    assert_string_equal(esp_err_to_name_r(ESP_ERR_NO_MEM, text, sizeof text), "ESP_ERR_NO_MEM");
    assert_string_equal(esp_err_to_name_r(ESP_ERR_NO_MEM, text, 5), "ESP_");
}

static void a_failed_check_without_abort_reports_and_gives_the_code(void **state)
{
    (void)state;
    capture_begin();
    esp_err_t err = ESP_ERROR_CHECK_WITHOUT_ABORT(ESP_ERR_NOT_FOUND);
    const char *text = capture_end();
    assert_err(err, ESP_ERR_NOT_FOUND);
    assert_non_null(strstr(text, "0x105 (ESP_ERR_NOT_FOUND)"));
    assert_non_null(strstr(text, "test_system.c"));
    assert_non_null(strstr(text, "expression: ESP_ERR_NOT_FOUND"));
}

/* --- children: what ends the process --- */

/* Runs a function in a child and gives its wait status; the child's log lands in `captured`. */
static int run_child(void (*run)(void))
{
    capture_begin();
    pid_t pid = fork();
    if (pid == 0) {
        run();
        _exit(99);
    }
    int status = -1;
    pid_t waited = waitpid(pid, &status, 0);
    capture_end();
    assert_true(pid > 0);
    assert_int_equal(waited, pid);
    return status;
}

static void check_failing(void)
{
    ESP_ERROR_CHECK(ESP_ERR_NO_MEM);
}

static void a_failed_check_reports_and_aborts(void **state)
{
    (void)state;
    int status = run_child(check_failing);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(captured, "ESP_ERROR_CHECK failed: esp_err_t 0x101 (ESP_ERR_NO_MEM)"));
    assert_non_null(strstr(captured, "func: check_failing"));
}

static void say_first(void)
{
    printf("first\n"); /* Not flushed by hand: esp_restart() does. */
}

static void say_second(void)
{
    printf("second\n");
}

static void say_third_and_restart(void)
{
    printf("third\n");
    esp_restart();
}

static void restart_with_handlers(void)
{
    assert_err(esp_register_shutdown_handler(say_first), ESP_OK);
    assert_err(esp_register_shutdown_handler(say_second), ESP_OK);
    esp_restart();
}

static void a_restart_runs_the_handlers_in_reverse_order(void **state)
{
    (void)state;
    int status = run_child(restart_with_handlers);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), OTTER_EXIT_RESTART);
    assert_string_equal(captured, "second\nfirst\n");
}

static void restart_within_handler(void)
{
    assert_err(esp_register_shutdown_handler(say_first), ESP_OK);
    assert_err(esp_register_shutdown_handler(say_third_and_restart), ESP_OK);
    esp_restart();
}

static void a_handler_that_restarts_resets_at_once(void **state)
{
    (void)state;
    int status = run_child(restart_within_handler);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), OTTER_EXIT_RESTART);
    assert_string_equal(captured, "third\n");
}

static void restart_task(void *arg)
{
    (void)arg;
    esp_restart();
}

static void restart_from_many_tasks(void)
{
    assert_err(esp_register_shutdown_handler(say_first), ESP_OK);
    for (int i = 0; i < 8; i++) {
        xTaskCreate(restart_task, "restart", 4096, NULL, 5, NULL);
    }
    vTaskDelay(portMAX_DELAY);
}

static void a_restart_from_many_tasks_runs_the_handlers_once(void **state)
{
    (void)state;
    int status = run_child(restart_from_many_tasks);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), OTTER_EXIT_RESTART);
    assert_string_equal(captured, "first\n");
}

static void nothing_1(void)
{
}
static void nothing_2(void)
{
}
static void nothing_3(void)
{
}

static void there_is_room_for_five_handlers_each_once(void **state)
{
    (void)state;
    assert_err(esp_register_shutdown_handler(NULL), ESP_ERR_INVALID_ARG);
    assert_err(esp_register_shutdown_handler(nothing_1), ESP_OK);
    assert_err(esp_register_shutdown_handler(nothing_1), ESP_ERR_INVALID_STATE);
    assert_err(esp_register_shutdown_handler(nothing_2), ESP_OK);
    assert_err(esp_register_shutdown_handler(nothing_3), ESP_OK);
    assert_err(esp_register_shutdown_handler(say_first), ESP_OK);
    assert_err(esp_register_shutdown_handler(say_second), ESP_OK);
    assert_err(esp_register_shutdown_handler(say_third_and_restart), ESP_ERR_NO_MEM);
    assert_err(esp_unregister_shutdown_handler(nothing_2), ESP_OK);
    assert_err(esp_unregister_shutdown_handler(nothing_2), ESP_ERR_INVALID_STATE);
    assert_err(esp_register_shutdown_handler(say_third_and_restart), ESP_OK);
}

/* --- log --- */

static void a_line_has_level_time_tag_and_text(void **state)
{
    (void)state;
    unsigned ms = 0;
    char rest[64] = "";
    capture_begin();
    ESP_LOGI("net", "got %d of %s", 3, "five");
    const char *text = capture_end();
    assert_int_equal(sscanf(text, "I (%u) %63[^\n]", &ms, rest), 2);
    assert_string_equal(rest, "net: got 3 of five");
    assert_int_equal(text[strlen(text) - 1], '\n');
    assert_true(ms <= esp_log_timestamp());
}

static void lines_above_the_level_are_left_out(void **state)
{
    (void)state;
    capture_begin();
    ESP_LOGE("t", "error");
    ESP_LOGW("t", "warn");
    ESP_LOGI("t", "info");
    ESP_LOGD("t", "debug");
    ESP_LOGV("t", "verbose");
    const char *text = capture_end();
    assert_non_null(strstr(text, "E ("));
    assert_non_null(strstr(text, "t: error\n"));
    assert_non_null(strstr(text, "W ("));
    assert_non_null(strstr(text, "t: info\n"));
    assert_null(strstr(text, "debug"));
    assert_null(strstr(text, "verbose"));
}

static void a_tag_has_its_own_level(void **state)
{
    (void)state;
    esp_log_level_set("loud", ESP_LOG_VERBOSE);
    esp_log_level_set("quiet", ESP_LOG_NONE);
    capture_begin();
    ESP_LOGV("loud", "loud one");
    ESP_LOGE("quiet", "quiet one");
    ESP_LOGD("other", "other one");
    esp_log_level_set("*", ESP_LOG_DEBUG);
    ESP_LOGV("loud", "loud two");
    ESP_LOGD("quiet", "quiet two");
    const char *text = capture_end();
    assert_non_null(strstr(text, "V ("));
    assert_non_null(strstr(text, "loud one"));
    assert_null(strstr(text, "quiet one"));
    assert_null(strstr(text, "other one"));
    assert_null(strstr(text, "loud two"));
    assert_non_null(strstr(text, "quiet two"));
    assert_int_equal(esp_log_level_get("*"), ESP_LOG_DEBUG);
}

static void a_long_line_is_written_whole(void **state)
{
    (void)state;
    for (size_t len = 200; len <= 300; len++) {
        char long_text[301];
        memset(long_text, 'x', len);
        long_text[len] = '\0';
        capture_begin();
        ESP_LOGI("t", "%s", long_text);
        const char *text = capture_end();
        const char *body = strstr(text, "t: ");
        assert_non_null(body);
        assert_int_equal(strlen(body), 3 + len + 1);
        assert_int_equal(strspn(body + 3, "x"), len);
        assert_int_equal(body[3 + len], '\n');
    }
}

static void raw_text_is_written_as_it_is(void **state)
{
    (void)state;
    capture_begin();
    esp_log_write(ESP_LOG_INFO, "t", "%d-", 1);
    esp_log_write(ESP_LOG_DEBUG, "t", "left out");
    esp_log_write(ESP_LOG_ERROR, "t", "2");
    assert_string_equal(capture_end(), "1-2");
}

static void bytes_are_dumped_sixteen_a_line(void **state)
{
    (void)state;
    static const char bytes[] = "ESP32 is great, and so on\x01";
    capture_begin();
    ESP_LOG_BUFFER_HEXDUMP("t", bytes, sizeof bytes - 1, ESP_LOG_INFO);
    ESP_LOG_BUFFER_HEX("t", bytes, 3);
    ESP_LOG_BUFFER_CHAR("t", bytes, 5);
    ESP_LOG_BUFFER_HEXDUMP("t", bytes, 16, ESP_LOG_DEBUG);
    const char *text = capture_end();
    char first[128];
    snprintf(first, sizeof first, "t: %p   45 53 50 33 32 20 69 73  20 67 72 65 61 74 2c 20  |ESP32 is great, |\n",
             (const void *)bytes);
    assert_non_null(strstr(text, first));
    assert_non_null(strstr(text, "61 6e 64 20 73 6f 20 6f  6e 01                    |and so on.|\n"));
    assert_non_null(strstr(text, "t: 45 53 50 \n"));
    assert_non_null(strstr(text, "t: ESP32\n"));
    const char *again = strstr(strstr(text, first) + strlen(first), "|ESP32 is great, |");
    assert_null(again); /* The dump at debug level. */
}

/* --- tasks --- */

static struct {
    otter_mutex_t mutex;
    otter_signal_t signal;
    int done;
    TaskHandle_t handle;
} shared;

static void count_done(void)
{
    otter_mutex_lock(&shared.mutex);
    shared.done++;
    otter_signal_raise(&shared.signal);
    otter_mutex_unlock(&shared.mutex);
}

static void await_done(int count)
{
    int64_t deadline_us = otter_now_us() + 10000000;
    otter_mutex_lock(&shared.mutex);
    while (shared.done < count && otter_signal_wait(&shared.signal, &shared.mutex, deadline_us)) {
    }
    int done = shared.done;
    otter_mutex_unlock(&shared.mutex);
    assert_int_equal(done, count);
}

static void chatter(void *arg)
{
    for (int i = 0; i < 50; i++) {
        ESP_LOGI("chat", "%s", (const char *)arg);
        esp_log_level_set(i % 2 == 0 ? "chat2" : "chat3", ESP_LOG_DEBUG);
    }
    count_done();
    vTaskDelete(NULL);
    abort(); /* Not reached. */
}

static void lines_of_several_tasks_stay_whole(void **state)
{
    (void)state;
    static char texts[4][301];
    shared.done = 0;
    capture_begin();
    for (size_t i = 0; i < 4; i++) {
        memset(texts[i], (char)('a' + i), i < 2 ? 20 : 100);
        assert_int_equal(xTaskCreate(chatter, "chatter", 4096, texts[i], 5, NULL), pdPASS);
    }
    await_done(4);
    capture_end();
    int lines = 0;
    for (char *line = strtok(captured, "\n"); line != NULL; line = strtok(NULL, "\n"), lines++) {
        const char *body = strstr(line, ") chat: ");
        assert_non_null(body);
        char letter[2] = {body[8], '\0'};
        assert_int_equal(strspn(body + 8, letter), strlen(body + 8));
        assert_int_equal(strlen(body + 8), letter[0] < 'c' ? 20 : 100);
    }
    assert_int_equal(lines, 200);
}

static void report_handle(void *arg)
{
    assert_string_equal(arg, "argument");
    otter_mutex_lock(&shared.mutex);
    shared.handle = xTaskGetCurrentTaskHandle();
    otter_mutex_unlock(&shared.mutex);
    count_done();
}

static void a_task_gets_its_argument_and_its_handle(void **state)
{
    (void)state;
    TaskHandle_t handle = NULL;
    char argument[] = "argument";
    shared.done = 0;
    assert_int_equal(xTaskCreatePinnedToCore(report_handle, "reporter", 4096, argument, 5, &handle, 0), pdPASS);
    await_done(1);
    assert_non_null(handle);
    assert_ptr_equal(shared.handle, handle);
    assert_ptr_not_equal(handle, xTaskGetCurrentTaskHandle());
}

static void deleting_another_task_is_an_error_on_the_log(void **state)
{
    (void)state;
    int other;
    capture_begin();
    vTaskDelete((TaskHandle_t)(void *)&other);
    assert_non_null(strstr(capture_end(), "E ("));
}

static void a_tick_is_a_millisecond(void **state)
{
    (void)state;
    assert_int_equal(portTICK_PERIOD_MS, 1);
    assert_int_equal(pdMS_TO_TICKS(1500), 1500);
    assert_int_equal(pdTICKS_TO_MS(1500), 1500);
    int64_t before_us = esp_timer_get_time();
    TickType_t before = xTaskGetTickCount();
    vTaskDelay(20 / portTICK_PERIOD_MS);
    assert_true(esp_timer_get_time() - before_us >= 20000);
    assert_true(xTaskGetTickCount() - before >= 20);
}

static void time_starts_with_the_device(void **state)
{
    (void)state;
    vTaskDelay(5);
    int64_t earlier_us = esp_timer_get_time();
    assert_true(earlier_us >= 5000);
    start_device(ESP_LOG_INFO);
    assert_true(esp_timer_get_time() < earlier_us + 5000 && esp_timer_get_time() >= 0);
}

/* --- esp_check.h --- */

static esp_err_t return_on_error(esp_err_t err)
{
    ESP_RETURN_ON_ERROR(err, "check", "step %d", 1);
    return ESP_OK;
}

static esp_err_t return_on_false(bool good)
{
    ESP_RETURN_ON_FALSE(good, ESP_ERR_INVALID_ARG, "check", "not good");
    return ESP_OK;
}

static esp_err_t goto_on(esp_err_t err, bool good, bool *cleaned)
{
    esp_err_t ret = ESP_OK;
    ESP_GOTO_ON_ERROR(err, clean, "check", "error");
    ESP_GOTO_ON_FALSE(good, ESP_ERR_INVALID_SIZE, clean, "check", "false");
clean:
    *cleaned = true;
    return ret;
}

static void checks_log_and_leave(void **state)
{
    (void)state;
    bool cleaned = false;
    capture_begin();
    assert_err(return_on_error(ESP_OK), ESP_OK);
    assert_err(return_on_false(true), ESP_OK);
    assert_err(goto_on(ESP_OK, true, &cleaned), ESP_OK);
    assert_string_equal(capture_end(), "");

    capture_begin();
    esp_err_t first = return_on_error(ESP_ERR_NO_MEM);
    const char *text = capture_end();
    assert_err(first, ESP_ERR_NO_MEM);
    assert_non_null(strstr(text, "check: return_on_error("));
    assert_non_null(strstr(text, "): step 1\n"));

    capture_begin();
    esp_err_t second = return_on_false(false);
    cleaned = false;
    esp_err_t third = goto_on(ESP_FAIL, true, &cleaned);
    bool cleaned_once = cleaned;
    cleaned = false;
    esp_err_t fourth = goto_on(ESP_OK, false, &cleaned);
    capture_end();
    assert_err(second, ESP_ERR_INVALID_ARG);
    assert_err(third, ESP_FAIL);
    assert_err(fourth, ESP_ERR_INVALID_SIZE);
    assert_true(cleaned_once && cleaned);
}

/* --- random numbers --- */

static void random_bytes_differ_and_stay_in_their_buffer(void **state)
{
    (void)state;
    uint8_t a[34] = {0};
    uint8_t b[34] = {0};
    esp_fill_random(a + 1, 32);
    esp_fill_random(b + 1, 32);
    assert_memory_not_equal(a + 1, b + 1, 32);
    assert_int_equal(a[0] | a[33], 0);
    uint32_t first = esp_random();
    bool differs = false;
    for (int i = 0; i < 8; i++) {
        differs |= esp_random() != first;
    }
    assert_true(differs);
}

/* --- NVS start-up --- */

static void nvs_starts_if_there_is_a_partition_for_it(void **state)
{
    (void)state;
    assert_err(nvs_flash_deinit(), ESP_ERR_NVS_NOT_INITIALIZED);
    assert_err(nvs_flash_init(), ESP_OK);
    assert_err(nvs_flash_init(), ESP_OK);
    assert_err(nvs_flash_deinit(), ESP_OK);
    assert_err(nvs_flash_deinit(), ESP_ERR_NVS_NOT_INITIALIZED);
}

static void nvs_without_a_partition_is_not_found(void **state)
{
    (void)state;
    put_table("settings", 0);
    start_device(ESP_LOG_INFO);
    assert_err(nvs_flash_init(), ESP_ERR_NOT_FOUND);
    assert_err(nvs_flash_erase(), ESP_ERR_NOT_FOUND);
}

static void nvs_on_an_encrypted_partition_is_refused(void **state)
{
    (void)state;
    put_table("nvs", PART_FLAG_ENCRYPTED);
    start_device(ESP_LOG_INFO);
    assert_err(nvs_flash_init(), ESP_ERR_NVS_WRONG_ENCRYPTION);
}

static void erasing_nvs_erases_its_partition_and_nothing_else(void **state)
{
    (void)state;
    memset(flash_bytes + NVS_OFF - 1, 0x11, NVS_BYTES + 2);
    assert_err(nvs_flash_init(), ESP_OK);
    assert_err(nvs_flash_erase(), ESP_OK);
    for (uint32_t off = NVS_OFF; off < NVS_OFF + NVS_BYTES; off++) {
        assert_int_equal(flash_bytes[off], 0xFF);
    }
    assert_int_equal(flash_bytes[NVS_OFF - 1], 0x11);
    assert_int_equal(flash_bytes[NVS_OFF + NVS_BYTES], 0x11);
    assert_err(nvs_flash_deinit(), ESP_ERR_NVS_NOT_INITIALIZED);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(a_device_without_flash_is_refused, set_up),
    cmocka_unit_test_setup(the_device_is_what_it_was_made_of, set_up),
    cmocka_unit_test_setup(a_new_device_forgets_the_earlier_ones_state, set_up),
    cmocka_unit_test_setup(errors_have_the_names_and_numbers_of_esp_idf, set_up),
    cmocka_unit_test_setup(an_unknown_error_shows_its_number, set_up),
    cmocka_unit_test_setup(a_failed_check_without_abort_reports_and_gives_the_code, set_up),
    cmocka_unit_test_setup(a_failed_check_reports_and_aborts, set_up),
    cmocka_unit_test_setup(a_restart_runs_the_handlers_in_reverse_order, set_up),
    cmocka_unit_test_setup(a_handler_that_restarts_resets_at_once, set_up),
    cmocka_unit_test_setup(a_restart_from_many_tasks_runs_the_handlers_once, set_up),
    cmocka_unit_test_setup(there_is_room_for_five_handlers_each_once, set_up),
    cmocka_unit_test_setup(a_line_has_level_time_tag_and_text, set_up),
    cmocka_unit_test_setup(lines_above_the_level_are_left_out, set_up),
    cmocka_unit_test_setup(a_tag_has_its_own_level, set_up),
    cmocka_unit_test_setup(a_long_line_is_written_whole, set_up),
    cmocka_unit_test_setup(raw_text_is_written_as_it_is, set_up),
    cmocka_unit_test_setup(bytes_are_dumped_sixteen_a_line, set_up),
    cmocka_unit_test_setup(lines_of_several_tasks_stay_whole, set_up),
    cmocka_unit_test_setup(a_task_gets_its_argument_and_its_handle, set_up),
    cmocka_unit_test_setup(deleting_another_task_is_an_error_on_the_log, set_up),
    cmocka_unit_test_setup(a_tick_is_a_millisecond, set_up),
    cmocka_unit_test_setup(time_starts_with_the_device, set_up),
    cmocka_unit_test_setup(checks_log_and_leave, set_up),
    cmocka_unit_test_setup(random_bytes_differ_and_stay_in_their_buffer, set_up),
    cmocka_unit_test_setup(nvs_starts_if_there_is_a_partition_for_it, set_up),
    cmocka_unit_test_setup(nvs_without_a_partition_is_not_found, set_up),
    cmocka_unit_test_setup(nvs_on_an_encrypted_partition_is_refused, set_up),
    cmocka_unit_test_setup(erasing_nvs_erases_its_partition_and_nothing_else, set_up),
};

TEST_MAIN(tests)
