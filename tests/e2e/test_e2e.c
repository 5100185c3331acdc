/* SPDX-License-Identifier: Apache-2.0 */
/* The main job, end to end: device, bootloader, server, TLS, all as people run them. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/e2e/rig.h"
#include "tests/support/test.h"

#define EXIT_CRASHED  3
#define EXIT_WATCHDOG 4

static void a_device_updates_itself_over_https_and_confirms(void **state)
{
    (void)state;
    rig_t rig;
    rig_setup(&rig);
    rig_flash(&rig, "v1");
    rig_serve(&rig, "v2");
    rig_power_on(&rig, "");
    rig_await(&rig, "version 1.0.0 in ota_0, reset reason 1");
    rig_await(&rig, "updated");
    rig_await(&rig, "version 2.0.0 in ota_1, reset reason 3");
    rig_await(&rig, "confirmed: ESP_OK");
    assert_int_equal(rig_power_off(&rig), 0);
    rig_assert_boots(&rig, "ota_1", "2.0.0");
    rig_assert_record(&rig, "VALID");
    rig_teardown(&rig);
}

/* An update to a firmware that comes to grief: the device must be back on version 1 and remember. With a server it would
 * try the same update again at once, which takes no time since all of it is in the slot, and forgets the record. */
static void expect_rollback(const char *bad, const char *options, const char *sign, const char *reset_reason,
                            const char *record)
{
    rig_t rig;
    rig_setup(&rig);
    rig_flash(&rig, "v1");
    rig_serve(&rig, bad);
    rig_power_on(&rig, options);
    rig_await(&rig, "updated");
    rig_stop_serving(&rig);
    rig_await(&rig, "version 3.0.0 in ota_1");
    rig_await(&rig, sign);
    rig_await(&rig, "version 1.0.0 in ota_0");
    rig_await(&rig, reset_reason);
    assert_int_equal(rig_power_off(&rig), 0);
    rig_assert_boots(&rig, "ota_0", "1.0.0");
    rig_assert_record(&rig, record);
    rig_teardown(&rig);
}

static void a_firmware_that_crashes_is_rolled_back(void **state)
{
    (void)state;
    expect_rollback("crash", "", "ended by signal 6", "reset reason 4", "ABORTED");
}

static void a_firmware_that_exits_is_rolled_back(void **state)
{
    (void)state;
    expect_rollback("exit", "", "exited with status 7", "reset reason 4", "ABORTED");
}

static void a_firmware_that_hangs_is_rolled_back_by_the_watchdog(void **state)
{
    (void)state;
    expect_rollback("hang", "--watchdog 1", "did not confirm within 1000 ms", "reset reason 7", "ABORTED");
}

static void a_firmware_that_restarts_without_confirming_is_rolled_back(void **state)
{
    (void)state;
    expect_rollback("restart", "", "ABORTED", "reset reason 3", "ABORTED");
}

static void a_firmware_that_refuses_itself_is_rolled_back(void **state)
{
    (void)state;
    expect_rollback("refuse", "", "trying ota_0", "reset reason 3", "INVALID");
}

static void a_confirmed_firmware_is_not_watched(void **state)
{
    (void)state;
    rig_t rig;
    rig_setup(&rig);
    rig_flash(&rig, "v2");
    rig_power_on(&rig, "--watchdog 1");
    rig_await(&rig, "confirmed: ESP_OK");
    (void)poll(NULL, 0, 1500);
    assert_int_equal(rig_power_off(&rig), 0);
    assert_false(rig_said(&rig, "watchdog"));
    rig_teardown(&rig);
}

static void a_server_of_another_ca_gets_nothing_installed(void **state)
{
    (void)state;
    rig_t rig;
    rig_setup(&rig);
    rig_flash(&rig, "v1");
    rig_serve(&rig, "v2");
    certs_ca_t *other = certs_ca_new("another CA");
    FILE *file = fopen(getenv("OTTER_TEST_CA"), "w");
    assert_non_null(file);
    assert_true(fputs(certs_ca_pem(other), file) >= 0);
    assert_int_equal(fclose(file), 0);
    certs_ca_free(other);
    rig_power_on(&rig, "");
    rig_await(&rig, "no update: ESP_ERR_HTTP_CONNECT");
    assert_int_equal(rig_power_off(&rig), 0);
    rig_assert_boots(&rig, "ota_0", "1.0.0");
    rig_teardown(&rig);
}

/* The firmware asks for a file URL; the server is there for its certificate only. */
static void update_from_file(rig_t *rig, const char *options)
{
    char url[256];
    (void)snprintf(url, sizeof(url), "file://%s", rig_firmware("v2"));
    rig_setup(rig);
    rig_flash(rig, "v1");
    rig_serve(rig, "v1");
    assert_int_equal(setenv("OTTER_TEST_URL", url, 1), 0);
    rig_power_on(rig, options);
}

static void a_firmware_updates_from_a_file_where_the_device_allows_it(void **state)
{
    (void)state;
    rig_t rig;
    update_from_file(&rig, "--allow-file");
    rig_await(&rig, "version 2.0.0 in ota_1");
    rig_await(&rig, "confirmed: ESP_OK");
    assert_int_equal(rig_power_off(&rig), 0);
    rig_teardown(&rig);
}

static void a_file_is_refused_where_the_device_does_not_allow_it(void **state)
{
    (void)state;
    rig_t rig;
    update_from_file(&rig, "");
    rig_await(&rig, "no update: ");
    assert_int_equal(rig_power_off(&rig), 0);
    rig_assert_boots(&rig, "ota_0", "1.0.0");
    rig_teardown(&rig);
}

static void a_corrupt_app_in_flash_gives_way_to_the_other(void **state)
{
    (void)state;
    rig_t rig;
    rig_setup(&rig);
    rig_flash(&rig, "v1");
    rig_serve(&rig, "v2");
    rig_power_on(&rig, "");
    rig_await(&rig, "version 2.0.0 in ota_1");
    rig_await(&rig, "confirmed: ESP_OK");
    assert_int_equal(rig_power_off(&rig), 0);

    json_t *facts = rig_facts(&rig);
    json_t *partition;
    size_t index;
    long long offset = 0;
    json_array_foreach(json_object_get(facts, "partitions"), index, partition)
    {
        if (strcmp(json_string_value(json_object_get(partition, "label")), "ota_1") == 0) {
            offset = json_integer_value(json_object_get(partition, "offset"));
        }
    }
    json_decref(facts);
    assert_true(offset > 0);
    int fd = open(rig.flash, O_RDWR | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "X", 1, (off_t)offset + 3000), 1);
    assert_int_equal(close(fd), 0);

    rig_power_on(&rig, "");
    rig_await(&rig, "ota_1 does not boot");
    rig_await(&rig, "version 1.0.0 in ota_0");
    assert_int_equal(rig_power_off(&rig), 0);
    rig_teardown(&rig);
}

static void a_flash_without_any_good_app_ends_with_every_reason(void **state)
{
    (void)state;
    rig_t rig;
    char output[4096];
    rig_setup(&rig);
    rig_flash(&rig, "v1");
    const char *const erase[] = {"flash", "erase", rig.flash, "ota_0", NULL};
    assert_int_equal(rig_otter(output, sizeof(output), erase), 0);
    rig_power_on(&rig, "");
    assert_int_equal(rig_await_end(&rig), 1);
    assert_true(rig_said(&rig, "nothing boots"));
    assert_true(rig_said(&rig, "ota_0: "));
    assert_true(rig_said(&rig, "ota_1: "));
    rig_teardown(&rig);
}

static void expect_once(const char *firmware, const char *options, int status)
{
    rig_t rig;
    rig_setup(&rig);
    rig_flash(&rig, firmware);
    rig_power_on(&rig, options);
    assert_int_equal(rig_await_end(&rig), status);
    rig_teardown(&rig);
}

static void once_says_why_the_device_was_reset(void **state)
{
    (void)state;
    expect_once("restart", "--once", 0);
    expect_once("crash", "--once", EXIT_CRASHED);
    expect_once("exit", "--once", EXIT_CRASHED);
}

static void once_says_that_the_watchdog_bit(void **state)
{
    (void)state;
    rig_t rig;
    rig_setup(&rig);
    rig_flash(&rig, "v1");
    rig_serve(&rig, "hang");
    rig_power_on(&rig, "--once");
    rig_await(&rig, "updated");
    assert_int_equal(rig_await_end(&rig), 0);
    rig_power_on(&rig, "--once --watchdog 1");
    assert_int_equal(rig_await_end(&rig), EXIT_WATCHDOG);
    rig_teardown(&rig);
}

static void a_reset_loop_backs_off(void **state)
{
    (void)state;
    rig_t rig;
    rig_setup(&rig);
    rig_flash(&rig, "restart");
    rig_power_on(&rig, "");
    for (int start = 0; start < 3; start++) {
        rig_await(&rig, "version 3.0.0");
    }
    (void)poll(NULL, 0, 2000);
    assert_int_equal(rig_power_off(&rig), 0);
    size_t starts = 0;
    for (const char *at = rig.log; (at = strstr(at, "version 3.0.0")) != NULL; at++) {
        starts++;
    }
    /* 50 + 100 + 200 + 400 + 800 ms: without the delays there would be dozens. */
    assert_in_range(starts, 3, 9);
    rig_teardown(&rig);
}

static void a_running_device_locks_its_flash(void **state)
{
    (void)state;
    rig_t rig;
    char output[4096];
    char expected[64];
    rig_setup(&rig);
    rig_flash(&rig, "v1");
    rig_power_on(&rig, "");
    rig_await(&rig, "confirmed");
    const char *const erase[] = {"flash", "erase", rig.flash, "ota_1", NULL};
    assert_int_equal(rig_otter(output, sizeof(output), erase), 1);
    (void)snprintf(expected, sizeof(expected), "in use by pid %ld", (long)rig.boot);
    assert_non_null(strstr(output, expected));
    const char *const info[] = {"flash", "info", rig.flash, NULL};
    assert_int_equal(rig_otter(output, sizeof(output), info), 0);
    assert_non_null(strstr(output, expected));
    assert_int_equal(rig_power_off(&rig), 0);
    assert_int_equal(rig_otter(output, sizeof(output), erase), 0);
    rig_teardown(&rig);
}

static void a_second_boot_waits_for_the_first(void **state)
{
    (void)state;
    rig_t rig;
    rig_setup(&rig);
    rig_flash(&rig, "v1");
    rig_power_on(&rig, "");
    rig_await(&rig, "confirmed");
    rig_t second = rig;
    second.log = NULL;
    rig_power_on(&second, "");
    rig_await(&second, "waiting");
    assert_false(rig_said(&second, "version"));
    assert_int_equal(rig_power_off(&rig), 0);
    rig_await(&second, "version 1.0.0");
    assert_int_equal(rig_power_off(&second), 0);
    free(second.log);
    rig_teardown(&rig);
}

static void the_firmware_dies_with_its_power_supply(void **state)
{
    (void)state;
    rig_t rig;
    rig_setup(&rig);
    rig_flash(&rig, "v1");
    rig_power_on(&rig, "");
    rig_await(&rig, "pid ");
    pid_t firmware = (pid_t)rig_number(&rig);
    assert_true(firmware > 0 && firmware != rig.boot);
    assert_int_equal(kill(firmware, 0), 0);
    assert_int_equal(kill(rig.boot, SIGKILL), 0);
    assert_int_equal(rig_await_end(&rig), 128 + SIGKILL);
    /* rig_await_end() saw the end of the firmware's output: its lock is gone with it. */
    char output[4096];
    const char *const erase[] = {"flash", "erase", rig.flash, "ota_1", NULL};
    assert_int_equal(rig_otter(output, sizeof(output), erase), 0);
    rig_teardown(&rig);
}

static void the_firmware_sees_only_the_allowed_environment(void **state)
{
    (void)state;
    rig_t rig;
    rig_setup(&rig);
    rig_flash(&rig, "v1");
    assert_int_equal(setenv("HOST_SECRET", "leaked", 1), 0);
    rig_power_on(&rig, "");
    rig_await(&rig, "secret hidden");
    assert_int_equal(rig_power_off(&rig), 0);
    (void)unsetenv("HOST_SECRET");
    rig_teardown(&rig);
}

static void the_running_program_cannot_be_changed(void **state)
{
    (void)state;
    rig_t rig;
    rig_setup(&rig);
    rig_flash(&rig, "v1");
    rig_power_on(&rig, "");
    rig_await(&rig, "pid ");
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%ld/exe", rig_number(&rig));
    char target[256];
    ssize_t len = readlink(path, target, sizeof(target) - 1);
    assert_true(len > 0);
    target[len] = '\0';
    assert_non_null(strstr(target, "memfd:otter-firmware"));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    int seals = fcntl(fd, F_GET_SEALS);
    assert_int_equal(seals & (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL),
                     F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
    (void)close(fd);
    assert_int_equal(rig_power_off(&rig), 0);
    rig_teardown(&rig);
}

static void a_firmware_started_by_hand_says_who_should_start_it(void **state)
{
    (void)state;
    char command[600];
    (void)snprintf(command, sizeof(command), "%s/e2e_v1.elf 2>&1", OTTER_TEST_FIRMWARE_DIR);
    FILE *output = popen(command, "r");
    assert_non_null(output);
    char text[512] = "";
    (void)!fread(text, 1, sizeof(text) - 1, output);
    int status = pclose(output);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 2);
    assert_non_null(strstr(text, "otter boot FLASH"));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_device_updates_itself_over_https_and_confirms),
    cmocka_unit_test(a_firmware_that_crashes_is_rolled_back),
    cmocka_unit_test(a_firmware_that_exits_is_rolled_back),
    cmocka_unit_test(a_firmware_that_hangs_is_rolled_back_by_the_watchdog),
    cmocka_unit_test(a_firmware_that_restarts_without_confirming_is_rolled_back),
    cmocka_unit_test(a_firmware_that_refuses_itself_is_rolled_back),
    cmocka_unit_test(a_confirmed_firmware_is_not_watched),
    cmocka_unit_test(a_server_of_another_ca_gets_nothing_installed),
    cmocka_unit_test(a_firmware_updates_from_a_file_where_the_device_allows_it),
    cmocka_unit_test(a_file_is_refused_where_the_device_does_not_allow_it),
    cmocka_unit_test(a_corrupt_app_in_flash_gives_way_to_the_other),
    cmocka_unit_test(a_flash_without_any_good_app_ends_with_every_reason),
    cmocka_unit_test(once_says_why_the_device_was_reset),
    cmocka_unit_test(once_says_that_the_watchdog_bit),
    cmocka_unit_test(a_reset_loop_backs_off),
    cmocka_unit_test(a_running_device_locks_its_flash),
    cmocka_unit_test(a_second_boot_waits_for_the_first),
    cmocka_unit_test(the_firmware_dies_with_its_power_supply),
    cmocka_unit_test(the_firmware_sees_only_the_allowed_environment),
    cmocka_unit_test(the_running_program_cannot_be_changed),
    cmocka_unit_test(a_firmware_started_by_hand_says_who_should_start_it),
};

TEST_MAIN(tests)
