/* SPDX-License-Identifier: Apache-2.0 */
#include "core/image/image.h"

#include <string.h>

#include "core/image/image_checksum.h"
#include "core/image/image_chip.h"
#include "core/image/image_signature.h"
#include "core/util/bytes.h"
#include "esp_image_format.h"

#define ALIGN_BYTES        16 /* The checksum is the last byte before a multiple of this. */
#define PAGE_BYTES_DEFAULT (64u << 10)
#define PAGE_LOG2_MIN      13
#define PAGE_LOG2_MAX      16
#define REVISION_UNSET     0xFFFF
#define SIGNATURE_REST     (SIGNATURE_SECTOR_BYTES - SIGNATURE_BLOCKS * SIGNATURE_BLOCK_BYTES)

/* Image offsets that faults are reported at. */
#define OFF_MAGIC           0
#define OFF_SEGMENT_COUNT   1
#define OFF_CHIP            12
#define OFF_MIN_REVISION    15
#define OFF_MAX_REVISION    17
#define OFF_HASH_APPENDED   23
#define OFF_SECURE_VERSION  (IMAGE_DESC_OFFSET + 4)
#define OFF_EFUSE_REVISIONS (IMAGE_DESC_OFFSET + 176)

static void record(image_walk_t *walk, image_fault_t fault, uint32_t off)
{
    if (walk->faults == 0) {
        walk->fault = fault;
        walk->fault_off = off;
    }
    walk->faults |= 1u << fault;
}

/* A fault after which no byte that follows can be understood. Returns false: the walk does not go on. */
static bool stop(image_walk_t *walk, image_fault_t fault, uint32_t off)
{
    record(walk, fault, off);
    walk->step = IMAGE_STEP_FAILED;
    return false;
}

/* A fault in the contents. Returns true if the walk goes on all the same. */
static bool note(image_walk_t *walk, image_fault_t fault, uint32_t off)
{
    if (!walk->expect.inspect) {
        return stop(walk, fault, off);
    }
    record(walk, fault, off);
    return true;
}

/* Stops the walk unless this holds. Returns true if the walk goes on. */
static bool demand(image_walk_t *walk, bool holds, image_fault_t fault, uint32_t off)
{
    if (!holds) {
        stop(walk, fault, off);
    }
    return holds;
}

/* Likewise, for the contents. */
static bool prefer(image_walk_t *walk, bool holds, image_fault_t fault, uint32_t off)
{
    return holds || note(walk, fault, off);
}

static void enter(image_walk_t *walk, image_step_t step, uint32_t len)
{
    walk->step = step;
    walk->step_left = len;
    walk->gathered = 0;
}

static bool is_app(const image_walk_t *walk)
{
    return walk->expect.kind == IMAGE_KIND_APP;
}

static bool is_over(uint16_t revision, uint16_t max)
{
    return max != 0 && max != REVISION_UNSET && revision > max;
}

static uint32_t padding_len(uint32_t off)
{
    return ALIGN_BYTES - off % ALIGN_BYTES;
}

/* ---- Checks. Each returns true if the walk goes on. ---- */

static bool check_magic(image_walk_t *walk)
{
    return demand(walk, walk->header.magic == ESP_IMAGE_HEADER_MAGIC, IMAGE_FAULT_MAGIC, OFF_MAGIC);
}

static bool check_chip(image_walk_t *walk)
{
    bool fits = walk->expect.any_chip || walk->header.chip_id == walk->expect.chip_id;
    return prefer(walk, fits, IMAGE_FAULT_CHIP, OFF_CHIP);
}

static bool check_min_revision(image_walk_t *walk)
{
    bool fits = walk->expect.any_chip || walk->expect.chip_revision >= walk->header.min_chip_rev_full;
    return prefer(walk, fits, IMAGE_FAULT_REVISION, OFF_MIN_REVISION);
}

static bool check_max_revision(image_walk_t *walk)
{
    bool fits =
        walk->expect.any_chip || !is_app(walk) || !is_over(walk->expect.chip_revision, walk->header.max_chip_rev_full);
    return prefer(walk, fits, IMAGE_FAULT_REVISION, OFF_MAX_REVISION);
}

static bool check_segment_count(image_walk_t *walk)
{
    uint8_t count = walk->header.segment_count;
    bool fits = count >= 1 && count <= IMAGE_MAX_SEGMENTS;
    return demand(walk, fits, IMAGE_FAULT_SEGMENT_COUNT, OFF_SEGMENT_COUNT);
}

static bool check_hash_appended(image_walk_t *walk)
{
    bool fits = walk->header.hash_appended != 0 || !is_app(walk);
    return prefer(walk, fits, IMAGE_FAULT_NO_HASH, OFF_HASH_APPENDED);
}

/* Does the least that must follow a segment's end still fit? Exact for the last segment. */
static bool check_fits(image_walk_t *walk, uint32_t data_off, uint32_t data_len, uint32_t segments_left, uint32_t off)
{
    uint64_t end = (uint64_t)data_off + data_len + (uint64_t)segments_left * IMAGE_SEGMENT_HEADER_BYTES;
    end += padding_len((uint32_t)(end % ALIGN_BYTES));
    end += walk->header.hash_appended != 0 ? OTTER_SHA256_BYTES : 0;
    if (image_signature_required(&walk->expect)) {
        end += image_signature_padding((uint32_t)(end % SIGNATURE_SECTOR_BYTES)) + SIGNATURE_SECTOR_BYTES;
    }
    bool fits = end <= walk->expect.max_len && end <= image_max_len(walk->header.chip_id);
    return demand(walk, fits, IMAGE_FAULT_TOO_LARGE, off);
}

static bool check_header(image_walk_t *walk)
{
    return check_magic(walk) && check_chip(walk) && check_min_revision(walk) && check_max_revision(walk) &&
           check_segment_count(walk) && check_hash_appended(walk) &&
           check_fits(walk, IMAGE_HEADER_BYTES, 0, walk->header.segment_count, OFF_SEGMENT_COUNT);
}

static bool check_segment_len(image_walk_t *walk, const image_segment_t *segment, uint32_t off)
{
    if (segment->data_len % 4 != 0 || segment->data_len >= IMAGE_SEGMENT_LIMIT) {
        return stop(walk, IMAGE_FAULT_SEGMENT_LEN, off);
    }
    bool too_short = walk->segment_count == 0 && is_app(walk) && segment->data_len < IMAGE_APP_DESC_BYTES;
    return prefer(walk, !too_short, IMAGE_FAULT_SEGMENT_LEN, off);
}

static bool check_wrap(image_walk_t *walk, const image_segment_t *segment, uint32_t off)
{
    bool wraps = segment->data_len > UINT32_MAX - segment->load_addr;
    return prefer(walk, !wraps, IMAGE_FAULT_ADDRESS, off);
}

static uint32_t page_bytes(const image_walk_t *walk, const image_chip_t *chip)
{
    uint8_t log2 = walk->desc.mmu_page_size;
    bool stated = chip->page_size_in_desc && walk->desc_known && log2 >= PAGE_LOG2_MIN && log2 <= PAGE_LOG2_MAX;
    return stated ? 1u << log2 : PAGE_BYTES_DEFAULT;
}

/* Slots begin on a page, so that the image offset says how a segment lies within its flash page. */
static bool check_mapping(image_walk_t *walk, const image_segment_t *segment)
{
    const image_chip_t *chip = image_find_chip(walk->header.chip_id);
    if (!is_app(walk) || !image_chip_maps(chip, segment->load_addr)) {
        return true;
    }
    bool aligned = (segment->load_addr - segment->data_off) % page_bytes(walk, chip) == 0;
    return prefer(walk, aligned, IMAGE_FAULT_ADDRESS, segment->data_off - IMAGE_SEGMENT_HEADER_BYTES);
}

/* The first segment's page size is in its data: see complete_desc(). */
static bool check_later_mapping(image_walk_t *walk, const image_segment_t *segment)
{
    return walk->segment_count == 0 || check_mapping(walk, segment);
}

static bool check_segment(image_walk_t *walk, const image_segment_t *segment)
{
    uint32_t off = segment->data_off - IMAGE_SEGMENT_HEADER_BYTES;
    uint32_t left = walk->header.segment_count - walk->segment_count - 1;
    return check_segment_len(walk, segment, off + 4) && check_wrap(walk, segment, off) &&
           check_fits(walk, segment->data_off, segment->data_len, left, off + 4) && check_later_mapping(walk, segment);
}

static bool check_efuse_revision(image_walk_t *walk)
{
    const image_chip_t *chip = image_find_chip(walk->header.chip_id);
    if (walk->expect.any_chip || chip == NULL || !chip->efuse_blk_checked) {
        return true;
    }
    uint16_t revision = walk->expect.efuse_blk_revision;
    bool fits = revision >= walk->desc.min_efuse_blk_rev_full && !is_over(revision, walk->desc.max_efuse_blk_rev_full);
    return prefer(walk, fits, IMAGE_FAULT_REVISION, OFF_EFUSE_REVISIONS);
}

static bool check_secure_version(image_walk_t *walk)
{
    bool fits = walk->desc.secure_version >= walk->expect.min_secure_version;
    return prefer(walk, fits, IMAGE_FAULT_SECURE_VERSION, OFF_SECURE_VERSION);
}

/* ---- Steps. Each runs once, when the last byte of its piece is there. ---- */

static void complete_header(image_walk_t *walk)
{
    memcpy(&walk->header, walk->gather, IMAGE_HEADER_BYTES);
    walk->header_known = true;
    if (check_header(walk)) {
        enter(walk, IMAGE_STEP_SEGMENT_HEADER, IMAGE_SEGMENT_HEADER_BYTES);
    }
}

static void complete_segment_data(image_walk_t *walk)
{
    if (walk->segment_count < walk->header.segment_count) {
        enter(walk, IMAGE_STEP_SEGMENT_HEADER, IMAGE_SEGMENT_HEADER_BYTES);
    } else {
        enter(walk, IMAGE_STEP_PADDING, padding_len(walk->fed));
    }
}

static bool announce(image_walk_t *walk, const image_segment_t *segment)
{
    if (walk->sink.segment == NULL) {
        return true;
    }
    esp_image_segment_header_t header = {.load_addr = segment->load_addr, .data_len = segment->data_len};
    esp_err_t err = walk->sink.segment(walk->sink.arg, walk->segment_count - 1, &header, segment->data_off);
    return demand(walk, err == ESP_OK, IMAGE_FAULT_SINK, segment->data_off);
}

static void complete_segment_header(image_walk_t *walk)
{
    image_segment_t segment = {
        .load_addr = bytes_get_u32(walk->gather),
        .data_len = bytes_get_u32(walk->gather + 4),
        .data_off = walk->fed,
    };
    if (!check_segment(walk, &segment)) {
        return;
    }
    walk->segment[walk->segment_count++] = segment;
    if (!announce(walk, &segment)) {
        return;
    }
    enter(walk, IMAGE_STEP_SEGMENT_DATA, segment.data_len);
    if (segment.data_len == 0) {
        complete_segment_data(walk);
    }
}

static bool complete_desc(image_walk_t *walk)
{
    walk->desc_known = walk->desc.magic_word == ESP_APP_DESC_MAGIC_WORD;
    if (!prefer(walk, walk->desc_known, IMAGE_FAULT_DESC, IMAGE_DESC_OFFSET) ||
        !check_mapping(walk, &walk->segment[0])) {
        return false;
    }
    return !walk->desc_known || (check_efuse_revision(walk) && check_secure_version(walk));
}

static void complete_signed_padding(image_walk_t *walk)
{
    if (image_signature_take_digests(walk) != ESP_OK) {
        stop(walk, IMAGE_FAULT_CRYPTO, walk->fed);
        return;
    }
    enter(walk, IMAGE_STEP_SIGNATURE, SIGNATURE_BLOCK_BYTES);
}

static void complete_signature(image_walk_t *walk)
{
    image_signature_check_block(walk);
    if (walk->blocks_checked < SIGNATURE_BLOCKS) {
        enter(walk, IMAGE_STEP_SIGNATURE, SIGNATURE_BLOCK_BYTES);
    } else {
        enter(walk, IMAGE_STEP_SIGNATURE_REST, SIGNATURE_REST);
    }
}

static void complete_signature_rest(image_walk_t *walk)
{
    image_fault_t fault = image_signature_judge(walk);
    bool accepted = fault == IMAGE_OK || !image_signature_required(&walk->expect);
    if (prefer(walk, accepted, fault, walk->fed - SIGNATURE_SECTOR_BYTES)) {
        enter(walk, IMAGE_STEP_DONE, 0);
    }
}

static void complete_image(image_walk_t *walk)
{
    walk->image_len = walk->fed;
    if (!image_signature_wanted(&walk->expect)) {
        enter(walk, IMAGE_STEP_DONE, 0);
        return;
    }
    uint32_t padding = image_signature_padding(walk->image_len);
    enter(walk, IMAGE_STEP_SIGNED_PADDING, padding);
    if (padding == 0) {
        complete_signed_padding(walk);
    }
}

static void complete_padding(image_walk_t *walk)
{
    walk->checksum_stored = walk->gather[walk->gathered - 1];
    if (otter_hash_peek(&walk->sha, walk->hash) != ESP_OK) {
        stop(walk, IMAGE_FAULT_CRYPTO, walk->fed);
        return;
    }
    if (!prefer(walk, walk->checksum == walk->checksum_stored, IMAGE_FAULT_CHECKSUM, walk->fed - 1)) {
        return;
    }
    if (walk->header.hash_appended != 0) {
        enter(walk, IMAGE_STEP_HASH, OTTER_SHA256_BYTES);
    } else {
        complete_image(walk);
    }
}

static void complete_hash(image_walk_t *walk)
{
    memcpy(walk->hash_stored, walk->gather, OTTER_SHA256_BYTES);
    bool equal = otter_equal_ct(walk->hash, walk->hash_stored, OTTER_SHA256_BYTES);
    if (prefer(walk, equal, IMAGE_FAULT_HASH, walk->fed - OTTER_SHA256_BYTES)) {
        complete_image(walk);
    }
}

static void (*const complete[])(image_walk_t *walk) = {
    [IMAGE_STEP_HEADER] = complete_header,
    [IMAGE_STEP_SEGMENT_HEADER] = complete_segment_header,
    [IMAGE_STEP_SEGMENT_DATA] = complete_segment_data,
    [IMAGE_STEP_PADDING] = complete_padding,
    [IMAGE_STEP_HASH] = complete_hash,
    [IMAGE_STEP_SIGNED_PADDING] = complete_signed_padding,
    [IMAGE_STEP_SIGNATURE] = complete_signature,
    [IMAGE_STEP_SIGNATURE_REST] = complete_signature_rest,
};

/* ---- Bytes. ---- */

static bool hash(image_walk_t *walk, const uint8_t *bytes, size_t len)
{
    esp_err_t err = otter_hash_update(&walk->sha, bytes, len);
    if (err == ESP_OK && image_signature_needs_sha384(&walk->expect)) {
        err = otter_hash_update(&walk->sha384, bytes, len);
    }
    return demand(walk, err == ESP_OK, IMAGE_FAULT_CRYPTO, walk->fed);
}

static bool take_gathered(image_walk_t *walk, const uint8_t *bytes, size_t len)
{
    memcpy(walk->gather + walk->gathered, bytes, len);
    walk->gathered += (uint32_t)len;
    return walk->step == IMAGE_STEP_SIGNATURE || hash(walk, bytes, len);
}

/* Bytes of the app descriptor that are still to come when @p off bytes of the segment are there. */
static uint32_t desc_left(const image_walk_t *walk, uint32_t off)
{
    bool within = is_app(walk) && walk->segment_count == 1 && off < IMAGE_APP_DESC_BYTES;
    return within ? IMAGE_APP_DESC_BYTES - off : 0;
}

static bool take_desc(image_walk_t *walk, uint32_t off, const uint8_t *bytes, size_t len)
{
    if (desc_left(walk, off) == 0) {
        return true;
    }
    memcpy((uint8_t *)&walk->desc + off, bytes, len);
    return off + len < IMAGE_APP_DESC_BYTES || complete_desc(walk);
}

static bool deliver(image_walk_t *walk, uint32_t off, const uint8_t *bytes, size_t len)
{
    if (walk->sink.data == NULL) {
        return true;
    }
    esp_err_t err = walk->sink.data(walk->sink.arg, walk->segment_count - 1, off, bytes, len);
    return demand(walk, err == ESP_OK, IMAGE_FAULT_SINK, walk->fed);
}

/* Offset in the present segment's data. */
static uint32_t data_off(const image_walk_t *walk)
{
    return walk->segment[walk->segment_count - 1].data_len - walk->step_left;
}

static bool take_data(image_walk_t *walk, const uint8_t *bytes, size_t len)
{
    uint32_t off = data_off(walk);
    walk->checksum_lanes = image_add_checksum(walk->checksum_lanes, bytes, len);
    walk->checksum = image_fold_checksum(walk->checksum_lanes);
    return take_desc(walk, off, bytes, len) && hash(walk, bytes, len) && deliver(walk, off, bytes, len);
}

static bool skip(image_walk_t *walk, const uint8_t *bytes, size_t len)
{
    (void)walk;
    (void)bytes;
    (void)len;
    return true;
}

static bool (*const take_piece[])(image_walk_t *walk, const uint8_t *bytes, size_t len) = {
    [IMAGE_STEP_HEADER] = take_gathered,    [IMAGE_STEP_SEGMENT_HEADER] = take_gathered,
    [IMAGE_STEP_SEGMENT_DATA] = take_data,  [IMAGE_STEP_PADDING] = take_gathered,
    [IMAGE_STEP_HASH] = take_gathered,      [IMAGE_STEP_SIGNED_PADDING] = hash,
    [IMAGE_STEP_SIGNATURE] = take_gathered, [IMAGE_STEP_SIGNATURE_REST] = skip,
};

/* How many bytes the present step takes at most in one go. The descriptor is a piece of its own. */
static size_t wanted(const image_walk_t *walk)
{
    uint32_t desc = walk->step == IMAGE_STEP_SEGMENT_DATA ? desc_left(walk, data_off(walk)) : 0;
    return desc != 0 && desc < walk->step_left ? desc : walk->step_left;
}

static size_t take(image_walk_t *walk, const uint8_t *bytes, size_t len)
{
    len = len < wanted(walk) ? len : wanted(walk);
    bool taken = take_piece[walk->step](walk, bytes, len);
    walk->fed += (uint32_t)len;
    walk->step_left -= (uint32_t)len;
    if (taken && walk->step_left == 0) {
        complete[walk->step](walk);
    }
    return len;
}

static bool is_over_with(const image_walk_t *walk)
{
    return walk->step == IMAGE_STEP_DONE || walk->step == IMAGE_STEP_FAILED;
}

static image_status_t status(const image_walk_t *walk)
{
    if (!is_over_with(walk)) {
        return IMAGE_STATUS_MORE;
    }
    return walk->step == IMAGE_STEP_DONE && walk->faults == 0 ? IMAGE_STATUS_DONE : IMAGE_STATUS_ERROR;
}

static esp_err_t begin_digests(image_walk_t *walk)
{
    esp_err_t err = otter_hash_begin(&walk->sha, OTTER_HASH_SHA256);
    if (err == ESP_OK && image_signature_needs_sha384(&walk->expect)) {
        err = otter_hash_begin(&walk->sha384, OTTER_HASH_SHA384);
    }
    return err;
}

/* ---- Interface ---- */

esp_err_t image_begin(image_walk_t *walk, const image_expect_t *expect, const image_sink_t *sink)
{
    memset(walk, 0, sizeof(*walk));
    walk->expect = *expect;
    if (sink != NULL) {
        walk->sink = *sink;
    }
    walk->checksum_lanes = IMAGE_CHECKSUM_SEED;
    walk->checksum = IMAGE_CHECKSUM_SEED;
    enter(walk, IMAGE_STEP_HEADER, IMAGE_HEADER_BYTES);
    if (!expect->any_chip && expect->max_len > image_max_len(expect->chip_id)) {
        stop(walk, IMAGE_FAULT_TOO_LARGE, 0);
        return ESP_ERR_INVALID_ARG;
    }
    if (image_signature_required(expect) && expect->trust == NULL) {
        stop(walk, IMAGE_FAULT_SIGNATURE_KEY, 0);
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = begin_digests(walk);
    if (err != ESP_OK) {
        stop(walk, IMAGE_FAULT_CRYPTO, 0);
    }
    return err;
}

image_status_t image_feed(image_walk_t *walk, const uint8_t *bytes, size_t len, size_t *used)
{
    size_t taken = 0;
    while (taken < len && !is_over_with(walk)) {
        taken += take(walk, bytes + taken, len - taken);
    }
    if (used != NULL) {
        *used = taken;
    }
    return status(walk);
}

/* Is the image whole, and nothing but padding behind it? */
static bool ends_before_sector(const image_walk_t *walk)
{
    return walk->step == IMAGE_STEP_SIGNED_PADDING ||
           (walk->step == IMAGE_STEP_SIGNATURE && walk->blocks_checked == 0 && walk->gathered == 0);
}

/* No more bytes, although the present step needs some. */
static void finish_early(image_walk_t *walk)
{
    bool shown = walk->image_len != 0 && !image_signature_required(&walk->expect);
    if (shown) {
        memset(walk->signature, 0, sizeof(walk->signature));
        enter(walk, IMAGE_STEP_DONE, 0);
        return;
    }
    stop(walk, ends_before_sector(walk) ? IMAGE_FAULT_UNSIGNED : IMAGE_FAULT_TRUNCATED, walk->fed);
}

image_fault_t image_finish(image_walk_t *walk)
{
    if (!is_over_with(walk)) {
        finish_early(walk);
    }
    return walk->fault;
}

void image_free(image_walk_t *walk)
{
    otter_hash_free(&walk->sha);
    otter_hash_free(&walk->sha384);
}
