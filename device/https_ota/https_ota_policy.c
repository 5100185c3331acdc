/* SPDX-License-Identifier: Apache-2.0 */
/* Which firmware the device wants. */
#include <string.h>

#include "device/https_ota/https_ota.h"
#include "device/system/device.h"
#include "esp_log.h"
#include "otter/otter_device.h"
#include "otter/otter_os.h"
#include "otter/otter_ota_policy.h"

static const char *const TAG = HTTPS_OTA_TAG;

static struct {
    otter_mutex_t lock;
    otter_ota_policy_t policy;
    void *ctx;
} chosen;

void otter_ota_set_policy(otter_ota_policy_t policy, void *ctx)
{
    otter_mutex_lock(&chosen.lock);
    chosen.policy = policy;
    chosen.ctx = ctx;
    otter_mutex_unlock(&chosen.lock);
}

void policy_reset(void)
{
    otter_ota_set_policy(NULL, NULL);
}

esp_err_t https_ota_ask_policy(const esp_app_desc_t *offered)
{
    otter_mutex_lock(&chosen.lock);
    otter_ota_policy_t policy = chosen.policy;
    void *ctx = chosen.ctx;
    otter_mutex_unlock(&chosen.lock);
    if (policy == NULL) {
        return ESP_OK;
    }
    esp_err_t err = policy(&otter_device_get()->app_desc, offered, ctx);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "%.32s %.32s is not wanted: %s", offered->project_name, offered->version, esp_err_to_name(err));
    }
    return err;
}

/* ---- comparing versions ---- */

/* A piece of a descriptor's text field, which need not be terminated. */
typedef struct text {
    const char *at;
    const char *end;
} text_t;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static text_t field(const char *bytes, size_t size)
{
    const char *end = memchr(bytes, '\0', size);
    text_t text = {bytes, end != NULL ? end : bytes + size};
    bool prefixed = text.end - text.at > 1 && (text.at[0] == 'v' || text.at[0] == 'V') && is_digit(text.at[1]);
    text.at += prefixed;
    return text;
}

/* Takes a run of digits, leading zeros dropped: the longer one is the larger number. */
static text_t take_number(text_t *text)
{
    while (text->at < text->end && *text->at == '0') {
        text->at++;
    }
    text_t number = {text->at, text->at};
    while (text->at < text->end && is_digit(*text->at)) {
        text->at++;
    }
    number.end = text->at;
    return number;
}

static int compare_numbers(text_t *a, text_t *b)
{
    text_t left = take_number(a);
    text_t right = take_number(b);
    ptrdiff_t left_len = left.end - left.at;
    ptrdiff_t right_len = right.end - right.at;
    return left_len != right_len ? (left_len < right_len ? -1 : 1) : memcmp(left.at, right.at, (size_t)left_len);
}

/* What one version has and the other, the same so far, has not: a suffix makes it older, more numbers newer. */
static int weigh_rest(text_t rest)
{
    if (rest.at == rest.end) {
        return 0;
    }
    return *rest.at == '-' ? -1 : 1;
}

static int compare_chars(text_t *a, text_t *b)
{
    char left = *a->at++;
    char right = *b->at++;
    if (left == right) {
        return 0;
    }
    if (left == '-' || right == '-') {
        return left == '-' ? -1 : 1;
    }
    return left < right ? -1 : 1;
}

static int compare_versions(text_t a, text_t b)
{
    while (a.at < a.end && b.at < b.end) {
        bool numbers = is_digit(*a.at) && is_digit(*b.at);
        int order = numbers ? compare_numbers(&a, &b) : compare_chars(&a, &b);
        if (order != 0) {
            return order;
        }
    }
    return a.at < a.end ? weigh_rest(a) : -weigh_rest(b);
}

esp_err_t otter_ota_policy_forward(const esp_app_desc_t *running, const esp_app_desc_t *offered, void *ctx)
{
    (void)ctx;
    if (running->magic_word != ESP_APP_DESC_MAGIC_WORD) {
        return ESP_OK; /* Nothing runs: there is nothing to go back from. */
    }
    if (strncmp(running->project_name, offered->project_name, sizeof(running->project_name)) != 0) {
        ESP_LOGE(TAG, "%.32s is another project than %.32s", offered->project_name, running->project_name);
        return ESP_ERR_NOT_ALLOWED;
    }
    text_t old = field(running->version, sizeof(running->version));
    text_t new = field(offered->version, sizeof(offered->version));
    if (compare_versions(new, old) < 0) {
        ESP_LOGE(TAG, "version %.32s is older than %.32s", offered->version, running->version);
        return ESP_ERR_INVALID_VERSION;
    }
    return ESP_OK;
}
