/* SPDX-License-Identifier: Apache-2.0 */
/* What esp_https_ota_begin() takes and refuses: configuration, HTTP status, redirects. */
#include "otter/otter_device.h"
#include "tests/device/https_ota_fake.h"

static const void *const poison = "must not stay";

/* Begins with a configuration that must be refused with @p expected before any request. */
static void assert_refused_unsent(const esp_https_ota_config_t *config, esp_err_t expected)
{
    http_fake_script(NULL, 0);
    esp_https_ota_handle_t handle = (void *)(uintptr_t)poison;
    assert_err(esp_https_ota_begin(config, &handle), expected);
    assert_null(handle);
    assert_int_equal(http_fake_seen()->request_count, 0);
    assert_int_equal(http_fake_seen()->clients, 0);
}

/* Begins against @p count answers; it must fail with @p expected and leave no handle. */
static void assert_begin_fails(const http_fake_exchange_t *exchange, size_t count, esp_err_t expected)
{
    http_fake_script(exchange, count);
    esp_https_ota_handle_t handle = (void *)(uintptr_t)poison;
    assert_err(fake_begin(&handle), expected);
    assert_null(handle);
    assert_int_equal(http_fake_seen()->request_count, count);
    assert_int_equal(http_fake_seen()->clients, 0);
}

static void missing_arguments_are_refused(void **state)
{
    (void)state;
    esp_http_client_config_t client = fake_client();
    esp_https_ota_config_t config = {.http_config = &client};
    esp_https_ota_config_t no_client = {0};
    assert_refused_unsent(NULL, ESP_ERR_INVALID_ARG);
    assert_refused_unsent(&no_client, ESP_ERR_INVALID_ARG);
    assert_err(esp_https_ota_begin(&config, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(http_fake_seen()->request_count, 0);
}

static void server_without_verification_is_refused(void **state)
{
    (void)state;
    esp_http_client_config_t client = {.url = FAKE_URL};
    esp_https_ota_config_t config = {.http_config = &client};
    assert_refused_unsent(&config, ESP_ERR_INVALID_ARG);
}

static void each_way_to_verify_the_server_is_enough(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t good = fake_good(bench);
    const esp_http_client_config_t clients[] = {
        {.url = FAKE_URL, .cert_pem = "a certificate"},
        {.url = FAKE_URL, .use_global_ca_store = true},
        {.url = FAKE_URL, .crt_bundle_attach = esp_crt_bundle_attach},
    };
    for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
        fake_answer(&good);
        esp_https_ota_config_t config = {.http_config = &clients[i]};
        assert_err(esp_https_ota(&config), ESP_OK);
        assert_int_equal(http_fake_seen()->has_ca, clients[i].cert_pem != NULL);
        assert_int_equal(http_fake_seen()->use_system_ca, clients[i].cert_pem == NULL);
        assert_false(http_fake_seen()->insecure);
    }
}

static void plain_http_url_is_refused_even_with_a_certificate(void **state)
{
    (void)state;
    const esp_http_client_config_t clients[] = {
        {.url = "http://updates.example/fw.bin", .cert_pem = "a certificate"},
        {.url = "HTTP://updates.example/fw.bin", .crt_bundle_attach = esp_crt_bundle_attach},
        {.host = "updates.example", .path = "/fw.bin", .cert_pem = "a certificate"},
    };
    for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
        esp_https_ota_config_t config = {.http_config = &clients[i]};
        assert_refused_unsent(&config, ESP_ERR_INVALID_ARG);
    }
}

static esp_err_t point_to_http(esp_http_client_handle_t client)
{
    return esp_http_client_set_url(client, "http://updates.example/fw.bin");
}

static void plain_http_set_by_the_callback_is_refused(void **state)
{
    (void)state;
    esp_http_client_config_t client = fake_client();
    esp_https_ota_config_t config = {.http_config = &client, .http_client_init_cb = point_to_http};
    assert_refused_unsent(&config, ESP_ERR_INVALID_ARG);
}

static void allow_http_permits_plain_http(void **state)
{
    bench_t *bench = *state;
    otter_config_t device = bench_config();
    device.allow_http = true;
    bench_configure(bench, &device);
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    esp_http_client_config_t client = {.url = "http://updates.example/fw.bin"};
    esp_https_ota_config_t config = {.http_config = &client};
    assert_err(esp_https_ota(&config), ESP_OK);
    bench_assert_switched(bench);
}

static esp_err_t never_decrypt(decrypt_cb_arg_t *args, void *user_ctx)
{
    (void)args;
    (void)user_ctx;
    return ESP_FAIL;
}

static esp_err_t post_a_question(esp_http_client_handle_t client)
{
    esp_http_client_set_method(client, HTTP_METHOD_POST);
    return esp_http_client_set_post_field(client, "device=42", 9);
}

static void what_cannot_be_done_together_is_refused(void **state)
{
    (void)state;
    esp_http_client_config_t client = fake_client();
    const esp_https_ota_config_t configs[] = {
        {.http_config = &client, .ota_resumption = true, .decrypt_cb = never_decrypt},
        {.http_config = &client, .partial_http_download = true, .http_client_init_cb = post_a_question},
        {.http_config = &client, .ota_resumption = true, .http_client_init_cb = post_a_question},
    };
    for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
        assert_refused_unsent(&configs[i], ESP_ERR_NOT_SUPPORTED);
    }
}

static void one_call_does_not_resume_where_it_is_told(void **state)
{
    (void)state;
    esp_http_client_config_t client = fake_client();
    const esp_https_ota_config_t config = {.http_config = &client, .ota_resumption = true};
    http_fake_script(NULL, 0);
    assert_err(esp_https_ota(&config), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(http_fake_seen()->request_count, 0);
}

static void image_too_large_for_where_it_ends_up_is_refused_unwritten(void **state)
{
    bench_t *bench = *state;
    const esp_partition_t *nvs = esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, "nvs");
    const esp_partition_t *ota_1 = esp_ota_get_next_update_partition(NULL);
    assert_non_null(nvs);
    http_fake_exchange_t good = fake_good(bench);
    esp_http_client_config_t client = fake_client();
    const esp_https_ota_config_t configs[] = {
        {.http_config = &client, .partition.staging = nvs},
        {.http_config = &client, .partition = {.final = nvs, .finalize_with_copy = true}},
        {.http_config = &client, .partition = {.staging = ota_1, .final = nvs, .finalize_with_copy = true}},
    };
    for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
        fake_answer(&good);
        assert_err(esp_https_ota(&configs[i]), ESP_ERR_INVALID_SIZE);
        assert_int_equal(bench->slot_erases + bench->slot_programs + bench->otadata_changes, 0);
        bench_assert_nothing_switched(bench);
    }
}

static void staging_partition_that_is_not_listed_is_refused(void **state)
{
    bench_t *bench = *state;
    esp_partition_t stranger = *esp_ota_get_next_update_partition(NULL);
    stranger.address += 0x1000;
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    esp_http_client_config_t client = fake_client();
    esp_https_ota_config_t config = {.http_config = &client, .partition.staging = &stranger};
    assert_err(esp_https_ota(&config), ESP_FAIL);
    bench_assert_nothing_switched(bench);
}

static esp_err_t refuse(esp_http_client_handle_t client)
{
    (void)client;
    return ESP_ERR_NOT_ALLOWED;
}

static void error_of_the_init_callback_ends_begin(void **state)
{
    (void)state;
    esp_http_client_config_t client = fake_client();
    esp_https_ota_config_t config = {.http_config = &client, .http_client_init_cb = refuse};
    assert_refused_unsent(&config, ESP_ERR_NOT_ALLOWED);
}

static esp_err_t add_header(esp_http_client_handle_t client)
{
    return esp_http_client_set_header(client, "X-Device", "42");
}

static void header_of_the_init_callback_is_sent(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    esp_http_client_config_t client = fake_client();
    esp_https_ota_config_t config = {.http_config = &client, .http_client_init_cb = add_header};
    assert_err(esp_https_ota(&config), ESP_OK);
    assert_non_null(strstr(http_fake_seen()->request[0].headers, "X-Device: 42\n"));
}

static void post_field_is_sent_as_the_body(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    esp_http_client_config_t client = fake_client();
    esp_https_ota_config_t config = {.http_config = &client, .http_client_init_cb = post_a_question};
    assert_err(esp_https_ota(&config), ESP_OK);
    assert_string_equal(http_fake_seen()->request[0].method, "POST");
    assert_string_equal(http_fake_seen()->request[0].body, "device=42");
    bench_assert_switched(bench);
}

/* --- status --- */

static void each_refusing_status_has_its_code(void **state)
{
    (void)state;
    const struct {
        int status;
        esp_err_t expected;
    } table[] = {
        {304, ESP_ERR_HTTP_NOT_MODIFIED},
        {400, ESP_FAIL},
        {403, ESP_FAIL},
        {404, ESP_FAIL},
        {410, ESP_FAIL},
        {416, ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE},
        {429, ESP_FAIL},
        {499, ESP_FAIL},
        {500, ESP_FAIL},
        {503, ESP_FAIL},
        {599, ESP_FAIL},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        http_fake_exchange_t exchange = {.status = table[i].status, .body = "no", .body_len = 2};
        assert_begin_fails(&exchange, 1, table[i].expected);
    }
}

static void other_statuses_are_taken_as_the_image(void **state)
{
    bench_t *bench = *state;
    const int statuses[] = {200, 201, 203, 206, 300};
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        http_fake_exchange_t good = fake_good(bench);
        good.status = statuses[i];
        fake_answer(&good);
        esp_https_ota_handle_t handle = fake_begun();
        assert_int_equal(esp_https_ota_get_status_code(handle), statuses[i]);
        assert_err(fake_download(handle), ESP_OK);
        assert_err(esp_https_ota_finish(handle), ESP_OK);
        bench_assert_switched(bench);
    }
}

static void failed_connection_is_reported_as_such(void **state)
{
    (void)state;
    http_fake_exchange_t no_connection = {.open_error = ESP_ERR_HTTP_CONNECT};
    assert_begin_fails(&no_connection, 1, ESP_ERR_HTTP_CONNECT);
    http_fake_exchange_t bad_head = {.open_error = ESP_ERR_HTTP_FETCH_HEADER};
    assert_begin_fails(&bad_head, 1, ESP_FAIL);
}

static void silent_server_ends_begin_with_a_timeout(void **state)
{
    (void)state;
    http_fake_exchange_t silent = {.head_stalls = true};
    assert_begin_fails(&silent, 1, ESP_ERR_TIMEOUT);
    assert_int_equal(http_fake_seen()->stalls, 1);
}

/* --- redirects and authentication --- */

static void each_redirect_status_is_followed(void **state)
{
    bench_t *bench = *state;
    const int statuses[] = {301, 302, 303, 307, 308};
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        http_fake_exchange_t script[] = {
            {.status = statuses[i],
             .headers = "Location: https://cdn.example/v2.bin\n",
             .body = "moved",
             .body_len = 5},
            fake_good(bench),
        };
        http_fake_script(script, 2);
        assert_err(fake_update(), ESP_OK);
        assert_string_equal(http_fake_seen()->request[1].url, "https://cdn.example/v2.bin");
        bench_assert_switched(bench);
    }
}

static void relative_redirect_is_resolved(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t script[] = {{.status = 302, .headers = "Location: /store/v2.bin\n"}, fake_good(bench)};
    http_fake_script(script, 2);
    assert_err(fake_update(), ESP_OK);
    assert_string_equal(http_fake_seen()->request[1].url, "https://updates.example/store/v2.bin");
}

static void redirect_to_plain_http_is_refused(void **state)
{
    (void)state;
    http_fake_exchange_t down = {.status = 302, .headers = "Location: http://updates.example/fw.bin\n"};
    assert_begin_fails(&down, 1, ESP_ERR_HTTP_REDIRECT_DOWNGRADE);
}

static void redirect_without_location_is_refused(void **state)
{
    (void)state;
    http_fake_exchange_t nowhere = {.status = 301};
    assert_begin_fails(&nowhere, 1, ESP_ERR_INVALID_ARG);
}

static void redirect_loop_ends_after_ten(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t script[12];
    for (size_t i = 0; i < 12; i++) {
        script[i] = (http_fake_exchange_t){.status = 302, .headers = "Location: https://updates.example/again\n"};
    }
    assert_begin_fails(script, 11, ESP_ERR_HTTP_MAX_REDIRECT);
    script[10] = fake_good(bench);
    http_fake_script(script, 11);
    assert_err(fake_update(), ESP_OK);
    bench_assert_switched(bench);
}

static void configured_limit_of_redirects_holds(void **state)
{
    bench_t *bench = *state;
    otter_config_t device = bench_config();
    device.ota_max_redirects = 2;
    bench_configure(bench, &device);
    http_fake_exchange_t on = {.status = 302, .headers = "Location: https://updates.example/again\n"};
    http_fake_exchange_t script[] = {on, on, on, fake_good(bench)};
    assert_begin_fails(script, 3, ESP_ERR_HTTP_MAX_REDIRECT);
    http_fake_script(script + 1, 3);
    assert_err(fake_update(), ESP_OK);
}

static void endless_redirect_body_is_not_read_to_its_end(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t script[] = {
        {.status = 302, .headers = "Location: /v2.bin\n", .body = "moved", .body_len = 5, .endless = true},
        fake_good(bench),
    };
    http_fake_script(script, 2);
    assert_err(fake_update(), ESP_OK);
    assert_true(http_fake_seen()->request[0].sent_bytes <= 256);
    bench_assert_switched(bench);
}

static void challenge_is_answered_with_name_and_password(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t script[] = {
        {.status = 401, .headers = "WWW-Authenticate: Basic realm=\"fw\"\n", .body = "who", .body_len = 3},
        fake_good(bench),
    };
    http_fake_script(script, 2);
    esp_http_client_config_t client = fake_client();
    client.username = "otter";
    client.password = "river";
    esp_https_ota_config_t config = {.http_config = &client};
    assert_err(esp_https_ota(&config), ESP_OK);
    assert_null(strstr(http_fake_seen()->request[0].headers, "Authorization"));
    assert_non_null(strstr(http_fake_seen()->request[1].headers, "Authorization: Basic b3R0ZXI6cml2ZXI=\n"));
    bench_assert_switched(bench);
}

static void challenge_without_retries_is_a_failure(void **state)
{
    (void)state;
    http_fake_exchange_t who = {.status = 401, .headers = "WWW-Authenticate: Basic realm=\"fw\"\n"};
    fake_answer(&who);
    esp_http_client_config_t client = fake_client();
    client.username = "otter";
    client.password = "river";
    client.max_authorization_retries = -1;
    esp_https_ota_config_t config = {.http_config = &client};
    assert_err(esp_https_ota(&config), ESP_FAIL);
    assert_int_equal(http_fake_seen()->request_count, 1);
}

/* --- size --- */

static void image_larger_than_the_slot_is_refused_before_anything_is_erased(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t large = fake_good(bench);
    large.announced_len = BENCH_SLOT_BYTES + 1;
    assert_begin_fails(&large, 1, ESP_ERR_INVALID_SIZE);
    assert_int_equal(http_fake_seen()->request[0].sent_bytes, 0);
    assert_int_equal(bench->slot_erases + bench->otadata_changes, 0);
    bench_assert_nothing_switched(bench);
}

static void image_as_large_as_the_slot_is_begun(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t full = fake_good(bench);
    full.announced_len = BENCH_SLOT_BYTES;
    fake_answer(&full);
    esp_https_ota_handle_t handle = fake_begun();
    assert_int_equal(esp_https_ota_get_image_size(handle), BENCH_SLOT_BYTES);
    assert_err(esp_https_ota_abort(handle), ESP_OK);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(missing_arguments_are_refused, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(server_without_verification_is_refused, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(each_way_to_verify_the_server_is_enough, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(plain_http_url_is_refused_even_with_a_certificate, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(plain_http_set_by_the_callback_is_refused, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(allow_http_permits_plain_http, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(what_cannot_be_done_together_is_refused, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(one_call_does_not_resume_where_it_is_told, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(image_too_large_for_where_it_ends_up_is_refused_unwritten, bench_setup,
                                    fake_teardown),
    cmocka_unit_test_setup_teardown(staging_partition_that_is_not_listed_is_refused, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(error_of_the_init_callback_ends_begin, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(header_of_the_init_callback_is_sent, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(post_field_is_sent_as_the_body, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(each_refusing_status_has_its_code, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(other_statuses_are_taken_as_the_image, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(failed_connection_is_reported_as_such, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(silent_server_ends_begin_with_a_timeout, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(each_redirect_status_is_followed, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(relative_redirect_is_resolved, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(redirect_to_plain_http_is_refused, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(redirect_without_location_is_refused, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(redirect_loop_ends_after_ten, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(configured_limit_of_redirects_holds, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(endless_redirect_body_is_not_read_to_its_end, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(challenge_is_answered_with_name_and_password, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(challenge_without_retries_is_a_failure, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(image_larger_than_the_slot_is_refused_before_anything_is_erased, bench_setup,
                                    fake_teardown),
    cmocka_unit_test_setup_teardown(image_as_large_as_the_slot_is_begun, bench_setup, fake_teardown),
};

TEST_MAIN(tests)
