/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the inputs that each harness begins with: FOLDER/<what>/<name>. Good ones, for a fuzzer to damage.
 *
 * usage: make_seeds FOLDER
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/bootsel/otadata.h"
#include "core/ptable/ptable.h"
#include "core/util/bytes.h"
#include "fuzz/fix.h"
#include "fuzz/fuzz.h"
#include "fuzz/sign.h"
#include "fuzz/stranger.h"
#include "tests/support/image_fixture.h"
#include "tests/support/signed_fixture.h"

#define CHIP OTTER_CHIP_ID_LINUX_X86_64

static const char *out_folder;

/* ---- An input that grows ---- */

typedef struct seed {
    uint8_t bytes[32768];
    size_t len;
} seed_t;

static void put(seed_t *seed, const void *bytes, size_t len)
{
    FUZZ_CHECK(len <= sizeof(seed->bytes) - seed->len);
    memcpy(seed->bytes + seed->len, bytes, len);
    seed->len += len;
}

static void put_u8(seed_t *seed, unsigned value)
{
    uint8_t byte = (uint8_t)value;
    put(seed, &byte, 1);
}

static void put_u16(seed_t *seed, unsigned value)
{
    put_u8(seed, value & 0xFF);
    put_u8(seed, value >> 8);
}

static void put_u32(seed_t *seed, uint32_t value)
{
    put_u16(seed, value & 0xFFFF);
    put_u16(seed, value >> 16);
}

static void put_text(seed_t *seed, const char *text)
{
    put(seed, text, strlen(text));
}

static void make_folder(const char *path)
{
    if (mkdir(path, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "cannot make %s: %s\n", path, strerror(errno));
        exit(1);
    }
}

/* Writes it, and begins the next. */
static void save(seed_t *seed, const char *what, const char *name)
{
    char path[4096];
    FUZZ_CHECK(snprintf(path, sizeof(path), "%s/%s", out_folder, what) < (int)sizeof(path) - 64);
    make_folder(path);
    strncat(path, "/", 2);
    strncat(path, name, 60);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(seed->bytes, 1, seed->len, file) != seed->len || fclose(file) != 0) {
        fprintf(stderr, "cannot write %s: %s\n", path, strerror(errno));
        exit(1);
    }
    seed->len = 0;
}

/* ---- Flash from a stranger ---- */

static void put_record(seed_t *seed, unsigned sector, uint32_t seq, unsigned state)
{
    put_u8(seed, STRANGER_RECORD);
    put_u8(seed, sector);
    put_u32(seed, seq);
    put_u8(seed, state);
}

static void put_app(seed_t *seed, unsigned place, unsigned version)
{
    put_u8(seed, STRANGER_APP_GOOD);
    put_u8(seed, place);
    put_u8(seed, version);
}

static void put_signed_app(seed_t *seed, unsigned place, unsigned version, unsigned key)
{
    put_u8(seed, STRANGER_APP_SIGNED);
    put_u8(seed, place);
    put_u8(seed, version);
    put_u8(seed, key);
}

static void put_entry(seed_t *seed, unsigned index, const ptable_partition_t *partition)
{
    uint8_t bytes[PTABLE_BYTES];
    ptable_t table = {.count = 1, .partition = {*partition}};
    FUZZ_CHECK(ptable_build(&table, false, bytes) == PTABLE_OK);
    put_u8(seed, STRANGER_ENTRY);
    put_u8(seed, index);
    put(seed, bytes, 32);
}

/* Another table: entries from the front, then the MD5 of them, then its end. */
static void put_table(seed_t *seed, const ptable_partition_t *partition, unsigned count)
{
    uint8_t md5[32];
    uint8_t end[32];
    for (unsigned i = 0; i < count; i++) {
        put_entry(seed, i, &partition[i]);
    }
    memset(md5, 0xFF, sizeof(md5));
    memset(end, 0xFF, sizeof(end));
    md5[0] = 0xEB;
    md5[1] = 0xEB;
    put_u8(seed, STRANGER_ENTRY);
    put_u8(seed, count);
    put(seed, md5, sizeof(md5));
    put_u8(seed, STRANGER_ENTRY);
    put_u8(seed, count + 1);
    put(seed, end, sizeof(end));
    put_u8(seed, STRANGER_FIX_TABLE);
}

typedef struct flash_seed {
    const char *name;
    void (*make)(seed_t *seed);
} flash_seed_t;

static void flash_erased(seed_t *seed)
{
    (void)seed;
}

static void flash_factory(seed_t *seed)
{
    put_app(seed, 0, 0);
}

static void flash_two_slots(seed_t *seed)
{
    put_app(seed, 0, 0);
    put_app(seed, 1, 1);
    put_app(seed, 2, 2);
    put_record(seed, 0, 1, ESP_OTA_IMG_VALID);
    put_record(seed, 1, 2, ESP_OTA_IMG_NEW);
}

static void flash_pending(seed_t *seed)
{
    flash_two_slots(seed);
    put_record(seed, 1, 2, ESP_OTA_IMG_PENDING_VERIFY);
}

static void flash_refused(seed_t *seed)
{
    flash_two_slots(seed);
    put_record(seed, 0, 1, ESP_OTA_IMG_INVALID);
    put_record(seed, 1, 2, ESP_OTA_IMG_ABORTED);
}

static void flash_numbers_used_up(seed_t *seed)
{
    flash_two_slots(seed);
    put_record(seed, 0, UINT32_MAX - 1, ESP_OTA_IMG_NEW);
    put_record(seed, 1, UINT32_MAX, 0xFF);
}

static void flash_damaged(seed_t *seed)
{
    flash_two_slots(seed);
    put_u8(seed, STRANGER_APP_BYTES);
    put_u8(seed, 2);
    put_u16(seed, 100);
    put_u8(seed, 4);
    put_text(seed, "oops");
}

static void flash_renamed(seed_t *seed)
{
    flash_two_slots(seed);
    put_u8(seed, STRANGER_APP_BYTES);
    put_u8(seed, 2);
    put_u16(seed, IMAGE_DESC_OFFSET + 16);
    put_u8(seed, 16);
    put_text(seed, "\xC2\x9B"
                   "31m\x1B[2J\r\n\xFFtext\"");
    put_u8(seed, STRANGER_APP_FIX);
    put_u8(seed, 2);
}

static void flash_torn(seed_t *seed)
{
    uint8_t record[OTADATA_RECORD_BYTES];
    flash_two_slots(seed);
    otadata_encode(record, 2, ESP_OTA_IMG_VALID);
    record[24] = 0x77;
    put_u8(seed, STRANGER_TORN);
    put_u8(seed, 1);
    put(seed, record, sizeof(record));
}

static void flash_switch_cut(seed_t *seed)
{
    flash_two_slots(seed);
    put_record(seed, 1, 2, ESP_OTA_IMG_ABORTED);
    put_u8(seed, STRANGER_SWITCH);
    put_u8(seed, 0 + 3);
    put_u8(seed, 1 + 3);
    put_u8(seed, 7);
}

static void flash_signed(seed_t *seed)
{
    put_signed_app(seed, 0, 1, 0);
    put_signed_app(seed, 1, 2, 1);
    put_signed_app(seed, 2, 7, 0);
    put_record(seed, 0, 1, ESP_OTA_IMG_VALID);
    put_record(seed, 1, 2, ESP_OTA_IMG_VALID);
}

static void flash_foreign_key(seed_t *seed)
{
    put_signed_app(seed, 1, 5, 0);
    put_signed_app(seed, 2, 6, 3);
    put_record(seed, 0, 1, ESP_OTA_IMG_VALID);
    put_record(seed, 1, 2, ESP_OTA_IMG_NEW);
}

static void flash_no_otadata(seed_t *seed)
{
    static const ptable_partition_t table[] = {
        {0, 0, 0x10000, 0x10000, 0, "factory"},
        {0, 0x20, 0x20000, 0x10000, 0, "test"},
    };
    put_table(seed, table, 2);
    put_app(seed, 0, 0);
}

static void flash_overlap(seed_t *seed)
{
    static const ptable_partition_t table[] = {
        {1, 0, 0x20000, 0x2000, 0, "otadata"},
        {0, 0x10, 0x20000, 0x10000, 0, "ota_0"},
        {0, 0x15, 0x30000, 0x10000, 2, "ota_5\x1B[2J"},
    };
    put_table(seed, table, 3);
    put_app(seed, 1, 0);
    put_app(seed, 2, 0);
}

static void flash_odd_otadata(seed_t *seed)
{
    static const ptable_partition_t table[] = {
        {1, 0, 0xd800, 0x3000, 0, "otadata"},
        {0, 0x10, 0x20000, 0x10000, 0, "ota_0"},
        {0, 0x11, 0x30000, 0x10000, 0,
         "\xC2\x9B"
         "31m"},
    };
    put_table(seed, table, 3);
    put_app(seed, 1, 0);
    put_app(seed, 2, 0);
}

static const flash_seed_t flashes[] = {
    {"erased", flash_erased},         {"factory", flash_factory}, {"two-slots", flash_two_slots},
    {"pending", flash_pending},       {"refused", flash_refused}, {"numbers-used-up", flash_numbers_used_up},
    {"damaged", flash_damaged},       {"renamed", flash_renamed}, {"torn", flash_torn},
    {"switch-cut", flash_switch_cut}, {"signed", flash_signed},   {"foreign-key", flash_foreign_key},
    {"no-otadata", flash_no_otadata}, {"overlap", flash_overlap}, {"odd-otadata", flash_odd_otadata},
};

/* A boot with each of these device's flags; see fuzz_boot.c. */
static void make_boot(seed_t *seed)
{
    static const unsigned flags[] = {0, 1, 4, 4 | 8, 4 | 8 | 16, 4 | 8 | 2 << 5};
    char name[64];
    for (size_t i = 0; i < sizeof(flashes) / sizeof(flashes[0]); i++) {
        for (size_t j = 0; j < sizeof(flags) / sizeof(flags[0]); j++) {
            put_u8(seed, flags[j]);
            flashes[i].make(seed);
            (void)snprintf(name, sizeof(name), "%s-%u", flashes[i].name, flags[j]);
            save(seed, "boot", name);
        }
    }
}

static void make_flash_users(seed_t *seed)
{
    for (size_t i = 0; i < sizeof(flashes) / sizeof(flashes[0]); i++) {
        put_u8(seed, 0);
        put_u8(seed, 0);
        flashes[i].make(seed);
        save(seed, "json", flashes[i].name);
        flashes[i].make(seed);
        save(seed, "descriptor", flashes[i].name);
    }
}

/* ---- Boot selection ---- */

static void put_boot_case(seed_t *seed, unsigned flags, unsigned slots, unsigned running, unsigned target,
                          const uint8_t records[4])
{
    put_u8(seed, flags);
    put_u32(seed, (slots % 2 != 0 ? 0x10000u : 0) | ((1u << slots) - 1));
    put_u32(seed, 0);
    put_u8(seed, running + 3);
    put_u8(seed, target + 3);
    put_u8(seed, 2);
    for (int i = 0; i < 2; i++) {
        put_u8(seed, records[2 * i] != 0 ? 2 : 3);
        if (records[2 * i] != 0) {
            put_u8(seed, records[2 * i]);
            put_u8(seed, records[2 * i + 1]);
        }
        put_u8(seed, 0);
    }
    put_text(seed, "\xFF\x55\x00\xAA");
}

static void make_bootsel(seed_t *seed)
{
    /* Sequence and state of both records; sequence 0: blank. */
    static const uint8_t records[][4] = {{0, 0, 0, 0}, {1, 2, 0, 0}, {1, 2, 2, 0},      {1, 2, 2, 1},
                                         {3, 3, 2, 4}, {1, 4, 2, 3}, {0xFF, 2, 0xFE, 0}};
    char name[32];
    for (unsigned i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        for (unsigned variant = 0; variant < 12; variant++) {
            unsigned slots = 1 + variant / 4;
            put_boot_case(seed, 4 | variant % 4, slots, 0, slots - 1, records[i]);
            (void)snprintf(name, sizeof(name), "records-%u-variant-%u", i, variant);
            save(seed, "bootsel", name);
        }
    }
}

/* ---- Partition table ---- */

static void make_ptable(seed_t *seed)
{
    uint8_t bytes[PTABLE_BYTES];
    ptable_t table = {.count = 0};
    for (uint32_t count = 0; count <= 18; count += 6) {
        for (uint32_t i = table.count; i < count; i++) {
            ptable_partition_t *p = &table.partition[table.count++];
            *p = (ptable_partition_t){0, (uint8_t)(0x10 + i % 16), 0x10000 + i * 0x10000, 0x10000, 0, "ota"};
            p->type = i >= 16 ? PART_TYPE_DATA : PART_TYPE_APP;
            p->label[3] = (char)('a' + i);
        }
        for (unsigned md5 = 0; md5 < 2; md5++) {
            char name[32];
            FUZZ_CHECK(ptable_build(&table, md5 != 0, bytes) == PTABLE_OK);
            put_u8(seed, 0x61);
            put(seed, bytes, 32 * (size_t)(count + 2));
            (void)snprintf(name, sizeof(name), "entries-%u-md5-%u", (unsigned)count, md5);
            save(seed, "ptable", name);
        }
    }
}

/* ---- Images and signatures ---- */

static void put_image(seed_t *seed, unsigned flags, const fixture_image_t *spec)
{
    size_t len;
    uint8_t *image = fixture_image(spec, &len);
    put_u8(seed, flags);
    put_u16(seed, 77);
    put_u8(seed, 1);
    put_u16(seed, spec->chip_id);
    put(seed, image, len);
    free(image);
}

static void make_image(seed_t *seed)
{
    fixture_image_t app = FIXTURE_IMAGE("seed", "1.0.0");
    app.segment_bytes[0] = 256;
    app.segment_bytes[1] = 64;
    app.segment_bytes[2] = 4;
    put_image(seed, 1, &app);
    save(seed, "image", "app");
    fixture_image_t old = app;
    old.secure_version = 0;
    put_image(seed, 1 | 8 | 4, &old);
    save(seed, "image", "below-floor");
    put_image(seed, 1 | 16, &app); /* A byte too long. */
    save(seed, "image", "too-large");
    fixture_image_t foreign = app;
    foreign.chip_id = 5;
    put_image(seed, 1, &foreign);
    seed->bytes[4] = CHIP & 0xFF;
    seed->bytes[5] = CHIP >> 8;
    save(seed, "image", "foreign-chip");
    fixture_image_t bootloader = app;
    bootloader.no_desc = true;
    bootloader.no_hash = true;
    put_image(seed, 1 | 2 | 16, &bootloader);
    save(seed, "image", "bootloader");
    fixture_image_t esp32c3 = FIXTURE_IMAGE_FOR(5, "seed", "1.0.0");
    esp32c3.load_addr = 0x3C000020;
    put_image(seed, 1, &esp32c3);
    save(seed, "image", "esp32c3");
}

/* Padded, with a sector whose first bytes say which key signs each block. */
static void make_signed_image(seed_t *seed, unsigned flags, const uint8_t keys[3], const char *name)
{
    static uint8_t sector[SIGNATURE_SECTOR_BYTES];
    fixture_image_t app = FIXTURE_IMAGE("seed", "1.0.0");
    put_image(seed, flags, &app);
    memset(sector, 0xFF, sizeof(sector));
    while ((seed->len - 6) % SIGNATURE_SECTOR_BYTES != 0) {
        put_u8(seed, 0xFF);
    }
    for (size_t i = 0; i < 3; i++) {
        sector[i * SIGNATURE_BLOCK_BYTES] = keys[i];
    }
    put(seed, sector, sizeof(sector));
    save(seed, "image", name);
}

static void make_signed_images(seed_t *seed)
{
    make_signed_image(seed, 1 | 32 | 128, (const uint8_t[]){0, 0xFF, 0xFF}, "signed");
    make_signed_image(seed, 1 | 32 | 128, (const uint8_t[]){2, 1, 0}, "signed-third");
    make_signed_image(seed, 1 | 32 | 128, (const uint8_t[]){1, 0xFF, 0xFF}, "signed-revoked");
    make_signed_image(seed, 1 | 32 | 64, (const uint8_t[]){2, 0xFF, 3}, "signed-shown");
    make_signed_image(seed, 1 | 64, (const uint8_t[]){0xFF, 0xFF, 0xFF}, "unsigned-shown");
}

static void make_signature(seed_t *seed)
{
    static const trust_scheme_t schemes[] = {TRUST_SCHEME_RSA3072, TRUST_SCHEME_P256, TRUST_SCHEME_P384};
    static const unsigned flags[] = {0, 8, 8 | 16, 8 | 64, 4};
    signature_digests_t digests = fixture_digests((const uint8_t *)"seed", 4);
    for (size_t i = 0; i < 3; i++) {
        uint8_t block[SIGNATURE_BLOCK_BYTES];
        char name[64];
        fixture_sign(fixture_key(schemes[i], 0), &digests, block);
        for (size_t j = 0; j < sizeof(flags) / sizeof(flags[0]); j++) {
            put_u8(seed, flags[j]);
            put_u16(seed, 1000);
            put(seed, digests.sha256, sizeof(digests.sha256));
            put(seed, digests.sha384, sizeof(digests.sha384));
            put(seed, block, sizeof(block));
            (void)snprintf(name, sizeof(name), "%s-%u", trust_scheme_name(schemes[i]), flags[j]);
            save(seed, "signature", name);
        }
    }
    put_u8(seed, 8 | 32);
    put_u16(seed, 5);
    save(seed, "signature", "signed-there");
}

static void make_key_store(seed_t *seed)
{
    static const uint8_t blank[128];
    put(seed, blank, sizeof(blank));
    /* Two keys, secure boot, floor 2, revoke the first, then the other: the last is refused. */
    put(seed, (const uint8_t[]){0, 0, 2, 7, 0, 1, 1, 9, 2, 3, 2, 1, 0, 1, 1, 4, 5, 3}, 18);
    save(seed, "key_store", "life");
    put(seed, blank, sizeof(blank));
    put(seed, (const uint8_t[]){0, 0, 2, 7, 0, 1, 2, 7, 1, 0, 2, 0, 2, 2, 7}, 15);
    save(seed, "key_store", "same-key-twice");
}

/* A download of so many bytes of the file, of which some came. */
static void put_download(seed_t *seed, unsigned unit, uint32_t file_len, unsigned head_len, unsigned came)
{
    put_u8(seed, 0);
    put_u8(seed, unit);
    put_u32(seed, file_len);
    put_u16(seed, head_len);
    put_u16(seed, came);
    put_u8(seed, 23);
    put(seed, "\"v2\"", 5);
}

/* Offsets count from the end of a slot of 32 KiB: the record begins 4095 before, its first check value 3903. */
static void make_progress(seed_t *seed)
{
    put_download(seed, 0, 20000, 0, 13000);
    save(seed, "progress", "interrupted");
    put_download(seed, 2, 28672 + 512, 512, 28671);
    save(seed, "progress", "encrypted");
    put_download(seed, 0, 20000, 0, 13000);
    put_u16(seed, 3903 - 16);
    put_u8(seed, 8);
    put(seed, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8);
    save(seed, "progress", "torn");
    put_download(seed, 0, 20000, 0, 13000);
    put_u16(seed, 32767 - 5000);
    put_u8(seed, 1);
    put_u8(seed, 0);
    save(seed, "progress", "damaged");
    put_download(seed, 6, 20000, 0, 13000);
    put_u16(seed, 3903 - 64 * 3);
    put_u8(seed, 4);
    put_u32(seed, 0);
    save(seed, "progress", "used-up");
    put_download(seed, 0, 20000, 0, 20000);
    put_u16(seed, 4095);
    put_u8(seed, 192);
    put(seed, "OTDL\1\010\0\0\0\140\0\0\0\0\0\0\0\020\0\0\0\020\0\0", 24);
    seed->bytes[0] = 1; /* Sealed. */
    save(seed, "progress", "forged");
}

/* ---- Text ---- */

typedef struct text_seed {
    const char *what;
    const char *name;
    const char *text;
} text_seed_t;

static const text_seed_t texts[] = {
    {"csv", "two-ota",
     "!# Name, Type, SubType, Offset, Size, Flags\nnvs,data,nvs,,0x4000,\notadata,data,ota,,0x2000\nphy,data,phy,,4K\n"
     "factory,app,factory,,1M\nota_0,app,ota_0,,1M\nota_1,app,ota_1,,1M,encrypted\n"},
    {"csv", "variables", " \"a\",data,$V,0x9000,0x3000,readonly:encrypted\r\nb, 0x40, 7, , ${SIZE}\n"},
    {"csv", "negative", "!nvs,data,nvs,,-0x10000\napp,app,factory,,-2M\n"},
    {"csv", "not-given", "<boot,bootloader,primary,N/A,N/A\nrec,bootloader,recovery,N/A,N/A\nx,app,factory,,64K\n"},
    {"csv", "utf8-mark", "!\xEF\xBB\xBF\xC3\xA4,data,fat,,4K"},
    {"http_head", "plain", "HTTP/1.1 200 OK\r\nContent-Length: 42 \r\nETag: \"a\"\r\nX-A:b\r\n\r\n"},
    {"http_head", "interim",
     "HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\nHTTP/1.1 206 Partial\r\nContent-Range: bytes 0-1/2\r\n\r\nX: y\r\n"},
    {"http_head", "chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\nConnection: close\r\n\r\n"},
    {"http_head", "http2", "HTTP/2 200\r\ncontent-length: 0\r\n\r\n"},
    {"http_head", "two-lengths", "HTTP/1.0 200 OK\nContent-Length: 1\nContent-Length: 2\n\n"},
    {"auth", "sha-256",
     "me\nsecret\n/a?b\nDigest realm=\"r\", nonce=\"n\", qop=\"auth, auth-int\", algorithm=SHA-256, opaque=\"o\""},
    {"auth", "session",
     "me\nsecret\n/\nDigest realm=\"r\", nonce=\"n\", algorithm=MD5-sess, userhash=true, stale=true"},
    {"auth", "escapes", "m\"e\nsecret\n/\nDigest realm=\"a \\\"b\\\" c\", nonce=\"\\\\\""},
    {"auth", "several", "me\n\n/\nBasic realm=\"x\", Digest realm=\"r\", nonce=\"n\", Bearer abc==, Negotiate"},
    {"fields", "range", "\1\1\1\1bytes 100-199/1000"},
    {"fields", "unsatisfied", "\1\1\1\1bytes */1000"},
    {"fields", "unknown-total", "\1\1\1\1bytes 0-9/*"},
    {"fields", "date", "\1\1\1\1Fri, 31 Jul 2026 12:00:30 GMT"},
    {"fields", "old-date", "\1\1\1\1Friday, 31-Jul-26 12:01:00 GMT"},
    {"fields", "seconds",
     "\1\1\1\1"
     "120"},
    {"fields", "etag", "\1\1\1\1W/\"abc\""},
    {"http1", "length", "\4\1\1HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: \"a\"\r\n\r\nhello"},
    {"http1", "chunked",
     "\4\2\3HTTP/1.1 206 Part\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n00A \r\n, my world!\r\n0\r\nT: "
     "1\r\n\r\n"},
    {"http1", "until-close", "\4\377\1HTTP/1.0 200 OK\nServer: old\n\nhello"},
    {"http1", "cut", "\6\3\1HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhello"},
    {"http1", "interim", "\4\7\7HTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 204 No\r\nConnection: close, x\r\n\r\n"},
    {"http1", "head", "\5\7\7HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"},
    {"http1", "both", "\4\1\1HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {"http1", "two", "\4\1\1HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 404 No\r\n\r\n"},
    {"url", "relative", "http://a/b/c/d;p?q\n../g?y#s"},
    {"url", "absolute", "https://old/x?y\nhttps://user:pw@new:8443/a/../b?c=d"},
    {"url", "ipv6", "https://[::1]:8443/x/y\n./../../z/."},
    {"url", "authority", "http://a/x\n//user:pw@b:81/y"},
    {"url", "empty", "https://h:/\n"},
    {"path", "plain", "\xFF/esp32/fw-1.2.0.bin?token=x"},
    {"path", "escaped", "\xFF/a%2Fb/%2e%2e/%66w.bin"},
    {"path", "absolute", "\x10http://host:80/fw.bin#x"},
    {"options", "flags", "\x04--root\n/srv\n--plain-http\n--threads=4\n# comment\nconnections = 99\n"},
    {"options", "file",
     "\1--access-log=off\nroot = /srv\ncert = a.pem\nkey = b.pem\nlisten = [::]:8443\nidle-timeout = 5\nplain-http = "
     "no\n"},
    {"options", "wrong", "\2--help\n--connections\nthreads = 0\n"},
};

/* With NUL bytes in them. */
static void make_conditional(seed_t *seed)
{
    static const struct {
        const char *name;
        unsigned flags;
        const char *headers;
    } cases[] = {
        {"range", 64 | 32, "\n\n\n\n\nbytes=10-99"},
        {"suffix", 64 | 32, "\n\n\n\n\nbytes=-5, 2000-"},
        {"several", 64 | 32, "\n\n\n\n\nbytes=0-9, 20-29,,5-24 ,-5"},
        {"if-range", 64 | 48, "\n\n\n\n\"5d8c72a5edda8-1f4\"\nbytes=0-"},
        {"if-match", 64 | 1, "\"x\", \"5d8c72a5edda8-1f4\"\n\n\n\n\n"},
        {"if-none-match", 64 | 2, "\nW/\"5d8c72a5edda8-1f4\", *\n\n\n\n"},
        {"dates", 12, "\n\nSun, 06 Nov 1994 08:49:37 GMT\nSunday, 06-Nov-94 08:49:37 GMT\nSun Nov  6 08:49:37 1994\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        put_u8(seed, cases[i].flags);
        put_u32(seed, 1000);
        put_text(seed, cases[i].headers);
        save(seed, "conditional", cases[i].name);
    }
}

static void put_answer(seed_t *seed, unsigned status, const char *headers)
{
    put_u16(seed, status);
    put_u16(seed, (unsigned)strlen(headers));
    put_text(seed, headers);
}

static void make_update(seed_t *seed)
{
    static const struct {
        const char *name;
        unsigned flags;
        unsigned status;
        const char *headers;
    } firsts[] = {
        {"redirect", 8, 302, "Location: /other.bin\n"},
        {"redirect-away", 8, 307, "Location: https://evil.example/fw.bin\n"},
        {"downgrade", 8, 301, "Location: http://updates.example/fw.bin\n"},
        {"unauthorized", 8, 401, "WWW-Authenticate: Basic realm=\"x\"\n"},
        {"partial", 8 | 1, 206, "Content-Range: bytes 0-9/100\n"},
        {"chunked", 8 | 2, 303, "Location: ?x\n"},
        {"secure", 8 | 16, 302, "Location: //updates.example:8443/\n"},
        {"signed", 16 | 32, 308, "Location: ../x\n"},
    };
    uint8_t app[FUZZ_APP_MAX];
    size_t len = fuzz_make_app(app, CHIP, 0);
    for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++) {
        put_u8(seed, firsts[i].flags);
        put_u8(seed, 1);
        put_answer(seed, firsts[i].status, firsts[i].headers);
        put_answer(seed, 200, "ETag: \"1\"\nContent-Type: application/octet-stream\n");
        put(seed, app, firsts[i].flags & 32 ? 0 : len);
        save(seed, "update", firsts[i].name);
    }
}

/* Flags, step, where resumed, bit changed, 512 bytes of header, image. */
static void make_encrypted(seed_t *seed)
{
    static const struct {
        const char *name;
        unsigned flags;
        unsigned step;
        unsigned where;
        uint32_t image_len;
    } cases[] = {
        {"whole", 1, 5999, 0, 5000},
        {"bytes", 1, 0, 0, 70},
        {"blocks", 1, 15, 0, 64},
        {"one-byte", 1, 599, 0, 1},
        {"changed", 3, 599, 600 * 8, 200},
        {"changed-tag", 3, 599, 410 * 8, 200},
        {"changed-len", 3, 599, 404 * 8, 1},
        {"mended", 4 | 8 | 16 | 32, 599, 0, 200},
        {"other-key", 4 | 8 | 16, 100, 0, 40},
        {"empty", 1, 599, 0, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        put_u8(seed, cases[i].flags);
        put_u16(seed, cases[i].step);
        put_u16(seed, 33);
        put_u16(seed, cases[i].where);
        for (unsigned at = 0; at < 512 + cases[i].image_len; at++) {
            put_u8(seed, (at * 7 + 1) & 0xFF);
        }
        save(seed, "encrypted", cases[i].name);
    }
}

static void make_texts(seed_t *seed)
{
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        put_text(seed, texts[i].text);
        save(seed, texts[i].what, texts[i].name);
    }
    put_text(seed, "!\xFF\xFE");
    for (const char *c = "a,data,fat,,4K\n"; *c != '\0'; c++) {
        put_u16(seed, (unsigned)*c);
    }
    save(seed, "csv", "utf16");
}

int main(int argc, char **argv)
{
    static seed_t seed;
    if (argc != 2) {
        fprintf(stderr, "usage: make_seeds FOLDER\n");
        return 2;
    }
    out_folder = argv[1];
    make_folder(out_folder);
    make_boot(&seed);
    make_flash_users(&seed);
    make_bootsel(&seed);
    make_ptable(&seed);
    make_image(&seed);
    make_signed_images(&seed);
    make_signature(&seed);
    make_key_store(&seed);
    make_progress(&seed);
    make_encrypted(&seed);
    make_texts(&seed);
    make_conditional(&seed);
    make_update(&seed);
    return 0;
}
