/* SPDX-License-Identifier: Apache-2.0 */
/* Which firmware a device wants. */
#include <stdlib.h>

#include "otter/otter_device.h"
#include "otter/otter_ota_policy.h"
#include "tests/device/https_ota_fake.h"

static struct {
    int asked;
    esp_app_desc_t running;
    esp_app_desc_t offered;
} seen;

static esp_err_t answer_with(const esp_app_desc_t *running, const esp_app_desc_t *offered, void *ctx)
{
    seen.asked++;
    seen.running = *running;
    seen.offered = *offered;
    return *(const esp_err_t *)ctx;
}

static void policy_sees_both_apps_before_anything_is_written(void **state)
{
    bench_t *bench = *state;
    esp_err_t verdict = ESP_ERR_NOT_ALLOWED;
    seen.asked = 0;
    otter_ota_set_policy(answer_with, &verdict);
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    assert_err(fake_update(), ESP_ERR_NOT_ALLOWED);
    assert_int_equal(seen.asked, 1);
    assert_string_equal(seen.running.version, "1.0.0");
    assert_string_equal(seen.offered.version, "2.0.0");
    assert_int_equal(bench->slot_erases + bench->slot_programs + bench->otadata_changes, 0);
    verdict = ESP_OK;
    fake_assert_update_works(bench);
    assert_int_equal(seen.asked, 2);
}

static void policy_is_forgotten_with_the_device(void **state)
{
    bench_t *bench = *state;
    esp_err_t verdict = ESP_FAIL;
    seen.asked = 0;
    otter_ota_set_policy(answer_with, &verdict);
    otter_config_t config = bench_config();
    bench_configure(bench, &config);
    fake_assert_update_works(bench);
    assert_int_equal(seen.asked, 0);
}

static esp_err_t judge(const char *old, const char *new)
{
    esp_app_desc_t running = {.magic_word = ESP_APP_DESC_MAGIC_WORD, .project_name = "river"};
    esp_app_desc_t offered = running;
    memcpy(running.version, old, strlen(old)); /* At most the field, which need not be terminated. */
    memcpy(offered.version, new, strlen(new));
    return otter_ota_policy_forward(&running, &offered, NULL);
}

static void forward_takes_newer_versions_and_the_same_one(void **state)
{
    (void)state;
    const char *const rising[] = {"0.9", "1.0.0-alpha", "1.0.0-rc1", "1.0.0-rc2", "1.0.0-rc10", "1.0.0", "v1.0.1",
                                  "1.2", "1.9",         "v1.10.0",   "1.10.0.1",  "2",          "2.0.0", "10.0"};
    size_t count = sizeof(rising) / sizeof(rising[0]);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            esp_err_t expected = j < i ? ESP_ERR_INVALID_VERSION : ESP_OK;
            if (judge(rising[i], rising[j]) != expected) {
                fail_msg("from %s to %s is not %s", rising[i], rising[j], esp_err_to_name(expected));
            }
        }
    }
}

static void forward_knows_the_same_version_in_other_spellings(void **state)
{
    (void)state;
    assert_err(judge("v1.2.3", "1.2.3"), ESP_OK);
    assert_err(judge("1.02.3", "v1.2.03"), ESP_OK);
    assert_err(judge("", ""), ESP_OK);
    assert_err(judge("12345678901234567890123456789012", "12345678901234567890123456789011"), ESP_ERR_INVALID_VERSION);
    assert_err(judge("12345678901234567890123456789012", "12345678901234567890123456789013"), ESP_OK);
}

static void forward_refuses_another_project(void **state)
{
    bench_t *bench = *state;
    fixture_image_t spec = FIXTURE_IMAGE("trench", "9.0.0");
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    http_fake_exchange_t other = {.body = image, .body_len = len};
    otter_ota_set_policy(otter_ota_policy_forward, NULL);
    fake_answer(&other);
    assert_err(fake_update(), ESP_ERR_NOT_ALLOWED);
    assert_int_equal(bench->slot_erases + bench->slot_programs + bench->otadata_changes, 0);
    free(image);
}

static void forward_refuses_a_downgrade(void **state)
{
    bench_t *bench = *state;
    fixture_image_t spec = FIXTURE_IMAGE("bench", "0.9.9");
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    http_fake_exchange_t older = {.body = image, .body_len = len};
    otter_ota_set_policy(otter_ota_policy_forward, NULL);
    fake_answer(&older);
    assert_err(fake_update(), ESP_ERR_INVALID_VERSION);
    assert_int_equal(bench->slot_erases + bench->slot_programs + bench->otadata_changes, 0);
    otter_ota_set_policy(NULL, NULL);
    fake_answer(&older);
    assert_err(fake_update(), ESP_OK);
    assert_int_equal(bench_boots(bench), 1);
    free(image);
}

static void forward_takes_anything_where_nothing_runs(void **state)
{
    (void)state;
    esp_app_desc_t none = {0};
    esp_app_desc_t offered = {.magic_word = ESP_APP_DESC_MAGIC_WORD, .project_name = "river", .version = "0.1"};
    assert_err(otter_ota_policy_forward(&none, &offered, NULL), ESP_OK);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(policy_sees_both_apps_before_anything_is_written, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(policy_is_forgotten_with_the_device, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(forward_takes_newer_versions_and_the_same_one, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(forward_knows_the_same_version_in_other_spellings, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(forward_refuses_another_project, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(forward_refuses_a_downgrade, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(forward_takes_anything_where_nothing_runs, bench_setup, fake_teardown),
};

TEST_MAIN(tests)
