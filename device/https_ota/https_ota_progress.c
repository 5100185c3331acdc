/* SPDX-License-Identifier: Apache-2.0 */
#include "device/https_ota/https_ota_progress.h"

#include <stdlib.h>
#include <string.h>

#include "device/https_ota/https_ota.h"
#include "device/partition/partition_internal.h"
#include "esp_log.h"
#include "otter/otter_device.h"
#include "otter/otter_os.h"

static const char *const TAG = HTTPS_OTA_TAG;

/* What a host that loses power may cost at most: what was written since is in its cache only. */
#define SYNC_INTERVAL_US 1000000

/* Times that wavering bits are given to read right. */
#define SETTLE_MOST 20

static uint32_t record_off(const esp_partition_t *staging)
{
    return staging->size - staging->erase_size;
}

static progress_slot_t slot_of(const esp_partition_t *staging)
{
    return (progress_slot_t){
        .size_bytes = staging->size,
        .sector_bytes = staging->erase_size,
        .program_bytes = otter_device_get()->flash->program_bytes,
    };
}

/* The end of an app slot is nobody's. In other partitions it may be part of what they hold. */
static bool has_tail(const esp_partition_t *staging)
{
    return staging->type == ESP_PARTITION_TYPE_APP && staging->size > staging->erase_size;
}

static esp_err_t hash_url(const char *url, uint8_t digest[OTTER_SHA256_BYTES])
{
    otter_hash_t hash = {0};
    esp_err_t err = otter_hash_begin(&hash, OTTER_HASH_SHA256);
    if (err == ESP_OK) {
        err = otter_hash_update(&hash, url, strlen(url));
    }
    if (err == ESP_OK) {
        err = otter_hash_finish(&hash, digest);
    }
    otter_hash_free(&hash);
    return err;
}

/* ---- Find ---- */

static bool read_record(const esp_partition_t *staging, uint8_t header[PROGRESS_HEADER_BYTES],
                        progress_record_t *record)
{
    progress_slot_t slot = slot_of(staging);
    return has_tail(staging) &&
           esp_partition_read(staging, record_off(staging), header, PROGRESS_HEADER_BYTES) == ESP_OK &&
           progress_decode(record, header, &slot);
}

static bool is_of_url(const progress_record_t *record, const char *url)
{
    uint8_t digest[OTTER_SHA256_BYTES];
    return hash_url(url, digest) == ESP_OK && memcmp(digest, record->url_hash, sizeof(digest)) == 0;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Memory to read a slot with. */
typedef struct reader {
    const esp_partition_t *staging;
    uint8_t *buffer;
    size_t buffer_len;
    bool settles; /* What was read is programmed again. */
} reader_t;

static esp_err_t read_piece(const reader_t *reader, uint32_t off, size_t len)
{
    esp_err_t err = esp_partition_read(reader->staging, off, reader->buffer, len);
    return err == ESP_OK && reader->settles ? esp_partition_write(reader->staging, off, reader->buffer, len) : err;
}

/* Takes what lies in the slot up to the end of the next block. False: there is none with a check value. */
static bool read_block(const reader_t *reader, progress_walk_t *walk)
{
    bool ends = false;
    while (!ends && walk->at < walk->image_len) {
        size_t took = least(reader->buffer_len, walk->image_len - walk->at);
        took = least(took, walk->block_bytes - walk->at % walk->block_bytes);
        if (read_piece(reader, walk->at, took) != ESP_OK) {
            return false;
        }
        ends = progress_take(walk, reader->buffer, took, &took);
    }
    return ends;
}

static bool is_noted(const esp_partition_t *staging, const progress_walk_t *walk)
{
    uint8_t place[PROGRESS_PLACE_BYTES];
    uint8_t noted[PROGRESS_PLACE_BYTES];
    uint32_t off = record_off(staging) + progress_place(walk, place);
    return esp_partition_read(staging, off, noted, walk->place_bytes) == ESP_OK &&
           memcmp(noted, place, walk->place_bytes) == 0;
}

/* Moves the walk to the end of the last block that is there, together with all before it. */
static void prove(https_ota_progress_t *progress)
{
    reader_t reader = {.staging = progress->staging};
    reader.buffer = partition_alloc_buffer(&reader.buffer_len);
    if (reader.buffer == NULL) {
        return;
    }
    progress_walk_t next = progress->walk;
    while (read_block(&reader, &next) && is_noted(reader.staging, &next)) {
        progress->before = progress->walk;
        progress->walk = next;
    }
    free(reader.buffer);
}

bool https_ota_progress_find(https_ota_progress_t *progress, const esp_partition_t *staging, const char *url,
                             https_ota_found_t *found)
{
    uint8_t header[PROGRESS_HEADER_BYTES];
    progress_record_t record;
    *progress = (https_ota_progress_t){0};
    if (!read_record(staging, header, &record) || !is_of_url(&record, url)) {
        return false;
    }
    progress->staging = staging;
    progress_begin(&progress->walk, &record, header);
    prove(progress);
    if (progress->walk.at == 0) {
        return false;
    }
    *found =
        (https_ota_found_t){.image_len = progress->walk.at, .file_len = record.file_len, .head_len = record.head_len};
    memcpy(found->etag, record.etag, sizeof(found->etag));
    return true;
}

/* ---- Note ---- */

static void log_failure(const esp_partition_t *staging, esp_err_t err)
{
    ESP_LOGW(TAG, "the record of this download cannot be written to %s: %s", staging->label, esp_err_to_name(err));
}

/* Notes the block that ends here. False: it cannot be.
 *
 * Its place may be written already, by someone whose power went: with the same value or a part of it, which is completed, or
 * with something else. On NOR that cannot be changed, and what would come behind it is of no use without it. */
static bool note_block(const https_ota_progress_t *progress)
{
    uint8_t place[PROGRESS_PLACE_BYTES];
    uint8_t old[PROGRESS_PLACE_BYTES];
    const esp_partition_t *staging = progress->staging;
    size_t len = progress->walk.place_bytes;
    uint32_t off = record_off(staging) + progress_place(&progress->walk, place);
    esp_err_t err = esp_partition_read(staging, off, old, len);
    if (err == ESP_OK) {
        err = progress_can_program(old, place, len) ? esp_partition_write(staging, off, place, len)
                                                    : ESP_ERR_INVALID_STATE;
    }
    if (err != ESP_OK) {
        log_failure(staging, err);
    }
    return err == ESP_OK;
}

static void sync_at_times(https_ota_progress_t *progress)
{
    int64_t now_us = otter_now_us();
    if (now_us - progress->synced_us < SYNC_INTERVAL_US) {
        return;
    }
    esp_err_t err = partition_flash_sync();
    if (err != ESP_OK) {
        log_failure(progress->staging, err);
    }
    progress->synced_us = otter_now_us();
}

void https_ota_progress_note(https_ota_progress_t *progress, const uint8_t *bytes, size_t len)
{
    while (progress->noting && len > 0) {
        size_t took = 0;
        if (progress_take(&progress->walk, bytes, len, &took)) {
            progress->noting = note_block(progress);
        }
        bytes += took;
        len -= took;
    }
    if (progress->noting) {
        sync_at_times(progress);
    }
}

/* Programs the last block as it reads. Bits that should be 0, and waver since their programming was cut, last once they were
 * read right: each time that is done, fewer are left. */
static void settle_block(const https_ota_progress_t *progress)
{
    reader_t reader = {.staging = progress->staging, .settles = true};
    reader.buffer = partition_alloc_buffer(&reader.buffer_len);
    bool goes = reader.buffer != NULL;
    bool settled = false;
    for (int i = 0; i < SETTLE_MOST && goes && !settled; i++) {
        progress_walk_t walk = progress->before;
        goes = read_block(&reader, &walk);
        settled = memcmp(walk.lane, progress->walk.lane, sizeof(walk.lane)) == 0;
    }
    free(reader.buffer);
    if (!settled) {
        ESP_LOGW(TAG, "the last bytes that %s holds may not last", reader.staging->label);
    }
}

void https_ota_progress_resume(https_ota_progress_t *progress)
{
    if (progress->walk.at == 0) {
        return;
    }
    progress->synced_us = otter_now_us();
    settle_block(progress);
    progress->noting = note_block(progress);
}

/* ---- Start, drop ---- */

static bool make_record(progress_record_t *record, const esp_partition_t *staging, const https_ota_identity_t *identity)
{
    progress_slot_t slot = slot_of(staging);
    if (!has_tail(staging) || identity->etag == NULL || !progress_is_strong(identity->etag) || identity->file_len < 0 ||
        identity->file_len > UINT32_MAX) {
        return false;
    }
    *record = (progress_record_t){.file_len = (uint32_t)identity->file_len, .head_len = identity->head_len};
    memcpy(record->etag, identity->etag, strlen(identity->etag));
    return progress_plan(record, &slot) && hash_url(identity->url, record->url_hash) == ESP_OK;
}

static esp_err_t forget(const esp_partition_t *staging)
{
    static const uint8_t zeros[PROGRESS_MAGIC_BYTES];
    return esp_partition_write(staging, record_off(staging), zeros, sizeof(zeros));
}

static void forget_old(const esp_partition_t *staging)
{
    uint8_t header[PROGRESS_HEADER_BYTES];
    progress_record_t record;
    esp_err_t err = read_record(staging, header, &record) ? forget(staging) : ESP_OK;
    if (err != ESP_OK) {
        log_failure(staging, err);
    }
}

void https_ota_progress_start(https_ota_progress_t *progress, const esp_partition_t *staging,
                              const https_ota_identity_t *identity)
{
    uint8_t header[PROGRESS_HEADER_BYTES];
    progress_record_t record;
    *progress = (https_ota_progress_t){0};
    if (!make_record(&record, staging, identity)) {
        forget_old(staging);
        return;
    }
    progress_encode(&record, header);
    /* Also if it reads as erased: an erase that was cut can leave that, for a while. */
    esp_err_t err = esp_partition_erase_range(staging, record_off(staging), staging->erase_size);
    if (err == ESP_OK) {
        err = esp_partition_write(staging, record_off(staging), header, sizeof(header));
    }
    if (err != ESP_OK) {
        log_failure(staging, err);
        return;
    }
    progress->staging = staging;
    progress->noting = true;
    progress->synced_us = otter_now_us();
    progress_begin(&progress->walk, &record, header);
}

void https_ota_progress_drop(https_ota_progress_t *progress)
{
    const esp_partition_t *staging = progress->staging;
    *progress = (https_ota_progress_t){0};
    if (staging == NULL) {
        return;
    }
    esp_err_t err = forget(staging);
    err = err == ESP_OK ? partition_flash_sync() : err;
    if (err != ESP_OK) {
        log_failure(staging, err);
    }
}
