/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "tests/download/resume_device.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "boot/boot.h"
#include "core/bootsel/otadata.h"
#include "core/ptable/ptable.h"
#include "esp_event.h"
#include "esp_https_ota.h"
#include "otter/otter_device.h"
#include "otter/otter_flash_cells.h"
#include "tests/support/image_fixture.h"

#define FLASH_BYTES   0xe0000u
#define TABLE_OFF     0x8000u
#define OTADATA_OFF   0xd000u
#define SLOT_BYTES    0x60000u
#define OTA_0         0x20000u
#define OTA_1         0x80000u
#define SECTORS       (FLASH_BYTES / RESUME_SECTOR_BYTES)
#define PROGRAM_BYTES 4
#define LIFE_SECONDS  60 /* A device that hangs is one, too. */
#define IDLE_MS       3000
#define BACKOFF_MS    5

/* In shared memory. */
typedef struct memory {
    resume_facts_t facts;
    uint8_t bytes[FLASH_BYTES];
    uint8_t unstable[FLASH_BYTES];
    uint8_t scars[SECTORS];
    uint32_t erases[SECTORS];
} memory_t;

struct resume_device {
    memory_t *memory;
    uint8_t *old_image;
    size_t old_len;
    uint8_t *image;
};

static void must(bool ok, const char *what)
{
    if (!ok) {
        perror(what);
        exit(2);
    }
}

/* ---- as new ---- */

static void write_table(uint8_t *bytes)
{
    static const ptable_t table = {
        .count = 4,
        .partition = {{.type = 1, .subtype = 2, .offset = 0x9000, .size = 0x4000, .label = "nvs"},
                      {.type = 1, .subtype = 0, .offset = OTADATA_OFF, .size = 0x2000, .label = "otadata"},
                      {.type = 0, .subtype = 0x10, .offset = OTA_0, .size = SLOT_BYTES, .label = "ota_0"},
                      {.type = 0, .subtype = 0x11, .offset = OTA_1, .size = SLOT_BYTES, .label = "ota_1"}},
    };
    must(ptable_build(&table, true, bytes + TABLE_OFF) == PTABLE_OK, "partition table");
}

void resume_device_renew(resume_device_t *device)
{
    memory_t *memory = device->memory;
    memset(memory, 0, sizeof(*memory));
    memset(memory->bytes, 0xff, sizeof(memory->bytes));
    memory->facts.power.random = 1;
    write_table(memory->bytes);
    memcpy(memory->bytes + OTA_0, device->old_image, device->old_len);
    otadata_encode(memory->bytes + OTADATA_OFF, 1, ESP_OTA_IMG_VALID);
}

static uint8_t *make_image(const char *version, uint32_t payload_bytes, size_t *len)
{
    fixture_image_t spec = FIXTURE_IMAGE("resume", version);
    spec.segment_bytes[0] = 1280;
    spec.segment_bytes[1] = payload_bytes - 1280;
    spec.seed = payload_bytes;
    return fixture_image(&spec, len);
}

resume_device_t *resume_device_new(void)
{
    resume_device_t *device = calloc(1, sizeof(*device));
    must(device != NULL, "calloc");
    device->memory = mmap(NULL, sizeof(*device->memory), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(device->memory != MAP_FAILED, "mmap");
    size_t len;
    device->old_image = make_image("1.0.0", 4096, &device->old_len);
    /* Header, two segment headers, checksum, hash: the rest of a length that is a multiple of 16. */
    device->image = make_image("2.0.0", RESUME_IMAGE_BYTES - 76, &len);
    must(len == RESUME_IMAGE_BYTES, "image of that size");
    resume_device_renew(device);
    return device;
}

const uint8_t *resume_device_image(const resume_device_t *device)
{
    return device->image;
}

resume_facts_t *resume_device_facts(resume_device_t *device)
{
    return &device->memory->facts;
}

void resume_device_free(resume_device_t *device)
{
    munmap(device->memory, sizeof(*device->memory));
    free(device->old_image);
    free(device->image);
    free(device);
}

/* ---- a life: what is fetched ---- */

/* Of the process that is a life. */
static struct {
    resume_facts_t *facts;
    size_t at;      /* Offset in the file of the next byte. */
    bool has_begun; /* The first answer was seen. */
} fetching;

static void note_start(size_t at)
{
    fetching.at = at;
    if (!fetching.has_begun && at > 0) {
        fetching.facts->resumed++;
    }
    fetching.has_begun = true;
}

static void note_bytes(size_t len)
{
    resume_facts_t *facts = fetching.facts;
    facts->fetched += len;
    for (size_t i = 0; i < len && fetching.at < RESUME_IMAGE_BYTES; i++) {
        uint8_t *times = &facts->times[fetching.at++];
        facts->twice += *times > 0;
        *times = *times < UINT8_MAX ? (uint8_t)(*times + 1) : UINT8_MAX;
    }
}

static void note_header(const esp_http_client_event_t *event)
{
    unsigned long at;
    if (strcasecmp(event->header_key, "Content-Range") == 0 && sscanf(event->header_value, "bytes %lu-", &at) == 1) {
        note_start(at);
    }
}

static esp_err_t note_event(esp_http_client_event_t *event)
{
    switch (event->event_id) {
    case HTTP_EVENT_HEADERS_SENT:
        fetching.facts->requests++;
        fetching.at = 0;
        break;
    case HTTP_EVENT_ON_HEADER:
        note_header(event);
        break;
    case HTTP_EVENT_ON_DATA:
        note_bytes((size_t)event->data_len);
        fetching.has_begun = true;
        break;
    default:
        break;
    }
    return ESP_OK;
}

/* ---- a life: the device ---- */

static void lose_power(void *arg)
{
    (void)arg;
    _exit(RESUME_CUT);
}

static otter_config_t configure(void)
{
    otter_config_t config;
    otter_config_default(&config);
    config.chip_id = OTTER_CHIP_ID_LINUX_X86_64;
    config.log_level = 0;
    config.download.idle_ms = IDLE_MS;
    config.download.backoff_first_ms = BACKOFF_MS;
    config.download.backoff_most_ms = BACKOFF_MS;
    return config;
}

static void power_on(memory_t *memory, otter_flash_cells_t *cells)
{
    const otter_flash_t geometry = {
        .size_bytes = FLASH_BYTES, .sector_bytes = RESUME_SECTOR_BYTES, .program_bytes = PROGRAM_BYTES};
    const otter_flash_cells_memory_t arrays = {
        .bytes = memory->bytes, .unstable = memory->unstable, .scars = memory->scars, .erases = memory->erases};
    memory->facts.power.off = lose_power;
    otter_flash_cells_init(cells, &arrays, &geometry, &memory->facts.power);
}

static void init_device(otter_flash_t *flash, const boot_result_t *boot)
{
    otter_device_t device = {
        .flash = flash, .config = configure(), .running_address = boot->partition.offset, .app_desc = boot->desc};
    must(otter_device_init(&device) == ESP_OK && esp_event_loop_create_default() == ESP_OK, "device");
}

static esp_err_t update(const char *url, const char *ca_pem)
{
    esp_http_client_config_t http = {.url = url,
                                     .cert_pem = ca_pem,
                                     .timeout_ms = 2 * IDLE_MS,
                                     .buffer_size = RESUME_BUFFER_BYTES,
                                     .event_handler = note_event};
    esp_https_ota_config_t config = {.http_config = &http};
    esp_https_ota_handle_t handle;
    esp_err_t err = esp_https_ota_begin(&config, &handle);
    if (err != ESP_OK) {
        return err;
    }
    do {
        err = esp_https_ota_perform(handle);
    } while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    if (err != ESP_OK) {
        (void)esp_https_ota_abort(handle);
        return err;
    }
    return esp_https_ota_finish(handle);
}

/* Whether the new app lies whole in the slot that boots. */
static bool is_new_app(const resume_device_t *device, const boot_result_t *boot)
{
    return boot->partition.offset == OTA_1 &&
           memcmp(device->memory->bytes + OTA_1, device->image, RESUME_IMAGE_BYTES) == 0;
}

static resume_end_t live(resume_device_t *device, const char *url, const char *ca_pem)
{
    static otter_flash_cells_t cells;
    power_on(device->memory, &cells);
    otter_config_t config = configure();
    boot_env_t env = {.flash = &cells.base, .config = &config};
    boot_result_t boot;
    if (boot_choose(&env, &boot) != ESP_OK) {
        return RESUME_FAILED;
    }
    if (is_new_app(device, &boot)) {
        return RESUME_RUNS;
    }
    if (boot.partition.offset != OTA_0) {
        return RESUME_FAILED;
    }
    fetching.facts = &device->memory->facts;
    init_device(&cells.base, &boot);
    device->memory->facts.error = update(url, ca_pem);
    bool good = device->memory->facts.error == ESP_OK && cells.violations == 0;
    return good ? RESUME_UPDATED : RESUME_FAILED;
}

resume_end_t resume_device_live(resume_device_t *device, const char *url, const char *ca_pem)
{
    (void)fflush(NULL);
    pid_t child = fork();
    must(child >= 0, "fork");
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)alarm(LIFE_SECONDS);
        _exit((int)live(device, url, ca_pem));
    }
    int status;
    must(waitpid(child, &status, 0) == child, "waitpid");
    return WIFEXITED(status) ? (resume_end_t)WEXITSTATUS(status) : RESUME_FAILED;
}
