#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The program of the text that describes ESP-IDF's OTA mechanism: its typographical damage repaired, its elided parts
# filled in, compiled by a third party against an installed Otter, it updates a device.
#
# usage: test_reference.sh SOURCE_DIR BUILD_DIR
# OTTER_REFERENCE: the text (default: ../shared/reference/ota-mechanism.txt beside the source). It is not part of
# Otter: without it the test is skipped.
set -eu

source=$1
build=$2
text=${OTTER_REFERENCE:-$source/../shared/reference/ota-mechanism.txt}
if [ ! -r "$text" ]; then
    echo "SKIPPED: $text is not there; name the text in OTTER_REFERENCE"
    exit 77
fi

work=$(mktemp -d)
server_pid=
device_pid=
cleanup()
{
    for pid in $device_pid $server_pid; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap cleanup EXIT

fail()
{
    echo "$*"
    for log in "$work"/*.log; do
        echo "--- $log" && cat "$log"
    done
    exit 1
}

quietly()
{
    "$@" >"$work/command.log" 2>&1 || fail "failed: $*"
}

prefix=$work/prefix
quietly cmake --install "$build" --prefix "$prefix"
PATH=$prefix/bin:$PATH
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name otter.pc)")
export PATH PKG_CONFIG_PATH

quietly "$source/tools/make_certs" "$work/certs"
mkdir "$work/www"
otterd --listen 127.0.0.1:0 --root "$work/www" --cert "$work/certs/server_cert.pem" \
    --key "$work/certs/server_key.pem" --port-file "$work/port" >"$work/otterd.log" 2>&1 &
server_pid=$!
for _ in $(seq 200); do
    [ -s "$work/port" ] && break
    sleep 0.05
done
[ -s "$work/port" ] || fail "otterd does not start"

# What the text takes for granted.
cat >"$work/program.c" <<EOT
#include <string.h>
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "esp_system.h"
#include "esp_event.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_http_client.h"
#include "esp_https_ota.h"
#include "nvs_flash.h"

#define CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL "https://localhost:$(cat "$work/port")/firmware.bin"
#define CONFIG_EXAMPLE_OTA_RECV_TIMEOUT     5000

static const char *TAG = "advanced_https_ota_example";
extern const uint8_t server_cert_pem_start[] asm("_binary_ca_cert_pem_start");

static esp_err_t validate_image_header(esp_app_desc_t *new_app_info)
{
    esp_app_desc_t running;
    if (new_app_info == NULL ||
        esp_ota_get_partition_description(esp_ota_get_running_partition(), &running) != ESP_OK) {
        return ESP_ERR_INVALID_ARG;
    }
    ESP_LOGI(TAG, "running %s, offered %s", running.version, new_app_info->version);
    return memcmp(running.version, new_app_info->version, sizeof(running.version)) == 0 ? ESP_FAIL : ESP_OK;
}
EOT
# The program itself: from its first line to the brace that closes its last function. "! =" was "!=", and the lines of
# dots (one of them the rest of a comment) stand for what the text leaves out.
sed -n '/^static esp_err_t _http_client_init_cb/,/^}$/p; /^void advanced_ota_example_task/,/^}$/p' "$text" |
    sed -e 's/! =/!=/g' -e '/^ *\.\.\.\.*$/d' -e '/^ *\/\.$/d' -e '/^ *…$/d' >>"$work/program.c"
cat >>"$work/program.c" <<EOT

void app_main(void)
{
    esp_err_t err = nvs_flash_init();
    ESP_ERROR_CHECK(err);
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    esp_ota_mark_app_valid_cancel_rollback();
    xTaskCreate(&advanced_ota_example_task, "advanced_ota_example_task", 1024 * 8, NULL, 5, NULL);
}
EOT
{
    echo 'const char certificate[] asm("_binary_ca_cert_pem_start");'
    echo 'const char certificate[] ='
    sed 's/.*/    "&\\n"/' "$work/certs/ca_cert.pem"
    echo '    ;'
} >"$work/certificate.c"

# shellcheck disable=SC2046,SC2086
quietly ${CC:-cc} ${CFLAGS-} -Wall -Wextra "$work/program.c" "$work/certificate.c" -o "$work/program" \
    $(pkg-config --cflags --libs otter)
for version in 1.0 2.0; do
    quietly otter image build --elf "$work/program" --project reference --app-version "$version" -o "$work/v$version.bin"
done
cp "$work/v2.0.bin" "$work/www/firmware.bin"
quietly otter flash create --size 64M --app "$work/v1.0.bin" "$work/flash.bin"

otter boot "$work/flash.bin" >"$work/device.log" 2>&1 &
device_pid=$!
for _ in $(seq 300); do
    grep -q 'running 2.0, offered 2.0' "$work/device.log" && break
    sleep 0.1
done
grep -q 'running 1.0, offered 2.0' "$work/device.log" || fail "version 1.0 was offered nothing"
grep -q 'upgrade successful' "$work/device.log" || fail "the program did not say that it succeeded"
grep -q 'running 2.0, offered 2.0' "$work/device.log" || fail "version 2.0 does not run"
kill "$device_pid"
wait "$device_pid" || fail "otter boot did not end in good order"
device_pid=
otter flash info --json "$work/flash.bin" >"$work/info.log"
tr -d ' \n' <"$work/info.log" | grep -q '"boot":{"partition":"ota_1"' || fail "the flash does not boot ota_1"
