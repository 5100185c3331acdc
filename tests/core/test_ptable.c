/* SPDX-License-Identifier: Apache-2.0 */
#include "core/ptable/ptable.h"

#include <stdlib.h>

#include "otter/otter_crypto.h"
#include "tests/support/test.h"

#define FLASH_BYTES  (4u * 1024 * 1024)
#define TABLE_OFFSET 0x8000u
#define SECTOR       4096u
#define ENTRY        32u

/* The table of ESP-IDF's partitions_two_ota.csv. */
static const ptable_t two_ota = {
    .count = 6,
    .partition = {{1, 2, 0x9000, 0x4000, 0, "nvs"},
                  {1, 0, 0xd000, 0x2000, 0, "otadata"},
                  {1, 1, 0xf000, 0x1000, 0, "phy_init"},
                  {0, 0, 0x10000, 0x100000, 0, "factory"},
                  {0, 0x10, 0x110000, 0x100000, 0, "ota_0"},
                  {0, 0x11, 0x210000, 0x100000, 0, "ota_1"}},
};

static ptable_fault_t parse(ptable_t *table, const uint8_t *bytes, uint32_t *index)
{
    return ptable_parse(table, bytes, PTABLE_BYTES, FLASH_BYTES, index);
}

static ptable_fault_t check(const ptable_t *table, uint32_t *index)
{
    return ptable_check(table, TABLE_OFFSET, SECTOR, index);
}

static void build_two_ota(uint8_t bytes[PTABLE_BYTES])
{
    assert_int_equal(ptable_build(&two_ota, true, bytes), PTABLE_OK);
}

/* A table of as many small data partitions as asked for. */
static void fill_table(ptable_t *table, uint32_t count)
{
    memset(table, 0, sizeof *table);
    table->count = count;
    for (uint32_t i = 0; i < count; i++) {
        ptable_partition_t *p = &table->partition[i];
        p->type = 1;
        p->subtype = 6;
        p->offset = 0x9000 + i * 0x1000;
        p->size = 0x1000;
        snprintf(p->label, sizeof p->label, "p%u", (unsigned)i);
    }
}

static void assert_same_partitions(const ptable_t *a, const ptable_t *b)
{
    assert_int_equal(a->count, b->count);
    for (uint32_t i = 0; i < a->count; i++) {
        const ptable_partition_t *p = &a->partition[i];
        const ptable_partition_t *q = &b->partition[i];
        assert_int_equal(p->type, q->type);
        assert_int_equal(p->subtype, q->subtype);
        assert_int_equal(p->offset, q->offset);
        assert_int_equal(p->size, q->size);
        assert_int_equal(p->flags, q->flags);
        assert_string_equal(p->label, q->label);
    }
}

static void a_built_table_equals_that_of_the_genuine_tool(void **state)
{
    (void)state;
    static const uint8_t sha_expected[] = {0xd1, 0xc0, 0xe9, 0xd0, 0x2f, 0xa9, 0xd2, 0x6c, 0xd2, 0xe1, 0x98,
                                           0x4e, 0x7b, 0x5d, 0xd2, 0x01, 0x57, 0x20, 0x4f, 0x50, 0x1d, 0xdc,
                                           0x83, 0xce, 0x82, 0x22, 0x9e, 0x5f, 0x31, 0x75, 0xee, 0x8b};
    static const uint8_t md5_expected[] = {0xbf, 0x25, 0x82, 0x2c, 0x0f, 0xa6, 0xd8, 0x64,
                                           0x1b, 0xd9, 0x30, 0x25, 0x1e, 0x06, 0xb4, 0xc4};
    uint8_t bytes[PTABLE_BYTES];
    build_two_ota(bytes);
    assert_memory_equal(bytes + 6 * ENTRY + 16, md5_expected, sizeof md5_expected);

    uint8_t digest[OTTER_SHA256_BYTES];
    otter_hash_t sha = {{0}};
    assert_err(otter_hash_begin(&sha, OTTER_HASH_SHA256), ESP_OK);
    assert_err(otter_hash_update(&sha, bytes, sizeof bytes), ESP_OK);
    assert_err(otter_hash_finish(&sha, digest), ESP_OK);
    otter_hash_free(&sha);
    assert_memory_equal(digest, sha_expected, sizeof sha_expected);
}

static void a_built_table_parses_back(void **state)
{
    (void)state;
    ptable_t table;
    uint8_t bytes[PTABLE_BYTES];
    build_two_ota(bytes);
    assert_int_equal(parse(&table, bytes, NULL), PTABLE_OK);
    assert_true(table.has_md5);
    assert_same_partitions(&table, &two_ota);
    assert_int_equal(check(&table, NULL), PTABLE_OK);
    assert_int_equal(ptable_slot_count(&table), 2);
}

static void a_table_without_md5_is_accepted(void **state)
{
    (void)state;
    ptable_t table;
    uint8_t bytes[PTABLE_BYTES];
    assert_int_equal(ptable_build(&two_ota, false, bytes), PTABLE_OK);
    assert_int_equal(parse(&table, bytes, NULL), PTABLE_OK);
    assert_false(table.has_md5);
    assert_same_partitions(&table, &two_ota);
}

static void a_label_of_sixteen_bytes_needs_no_terminator(void **state)
{
    (void)state;
    ptable_t table = two_ota;
    uint8_t bytes[PTABLE_BYTES];
    strcpy(table.partition[0].label, "0123456789abcdef");
    assert_int_equal(ptable_build(&table, true, bytes), PTABLE_OK);
    assert_memory_equal(bytes + 12, "0123456789abcdef", 16);
    assert_int_equal(parse(&table, bytes, NULL), PTABLE_OK);
    assert_string_equal(table.partition[0].label, "0123456789abcdef");
    assert_non_null(ptable_find_label(&table, "0123456789abcdef"));
}

static void a_table_holds_94_partitions_with_md5_and_95_without(void **state)
{
    (void)state;
    ptable_t table;
    ptable_t back;
    uint8_t bytes[PTABLE_BYTES];
    fill_table(&table, 94);
    assert_int_equal(ptable_build(&table, true, bytes), PTABLE_OK);
    assert_int_equal(parse(&back, bytes, NULL), PTABLE_OK);
    assert_same_partitions(&back, &table);

    fill_table(&table, 95);
    assert_int_equal(ptable_build(&table, true, bytes), PTABLE_FAULT_FULL);
    assert_int_equal(ptable_build(&table, false, bytes), PTABLE_OK);
    assert_int_equal(parse(&back, bytes, NULL), PTABLE_OK);
    assert_same_partitions(&back, &table);
}

static void ninety_six_entries_without_an_end_are_refused(void **state)
{
    (void)state;
    ptable_t table;
    uint32_t index = 0;
    uint8_t bytes[PTABLE_BYTES];
    fill_table(&table, 95);
    assert_int_equal(ptable_build(&table, false, bytes), PTABLE_OK);
    memcpy(bytes + 95 * ENTRY, bytes, ENTRY);
    assert_int_equal(parse(&table, bytes, &index), PTABLE_FAULT_END);
    assert_int_equal(index, 95);
    assert_int_equal(table.count, 0);
}

static void an_end_marker_behind_the_tables_bytes_does_not_count(void **state)
{
    (void)state;
    ptable_t table;
    uint8_t bytes[PTABLE_BYTES + ENTRY];
    fill_table(&table, 95);
    assert_int_equal(ptable_build(&table, false, bytes), PTABLE_OK);
    assert_err(otter_md5(bytes, 95 * ENTRY, bytes + 95 * ENTRY + 16), ESP_OK);
    memset(bytes + 95 * ENTRY, 0xEB, 2); /* An MD5 entry takes the last place, the end marker lies behind it. */
    memset(bytes + PTABLE_BYTES, 0xFF, ENTRY);
    assert_int_equal(ptable_parse(&table, bytes, sizeof bytes, FLASH_BYTES, NULL), PTABLE_FAULT_END);
}

static void a_changed_byte_breaks_the_md5(void **state)
{
    (void)state;
    uint8_t good[PTABLE_BYTES];
    build_two_ota(good);
    for (size_t i = 4; i < 6 * ENTRY; i++) {
        ptable_t table;
        uint8_t bytes[PTABLE_BYTES];
        memcpy(bytes, good, sizeof bytes);
        bytes[i] ^= 0x01;
        assert_int_not_equal(parse(&table, bytes, NULL), PTABLE_OK);
        assert_int_equal(table.count, 0);
    }
}

static void a_wrong_md5_is_named_as_such(void **state)
{
    (void)state;
    ptable_t table;
    uint32_t index = 0;
    uint8_t bytes[PTABLE_BYTES];
    build_two_ota(bytes);
    bytes[6 * ENTRY + 31] ^= 0x80;
    assert_int_equal(parse(&table, bytes, &index), PTABLE_FAULT_MD5);
    assert_int_equal(index, 6);
}

static void a_second_md5_entry_is_refused(void **state)
{
    (void)state;
    ptable_t table;
    uint32_t index = 0;
    uint8_t bytes[PTABLE_BYTES];
    build_two_ota(bytes);
    uint8_t *second = bytes + 7 * ENTRY;
    memcpy(second, bytes + 6 * ENTRY, ENTRY);
    assert_err(otter_md5(bytes, 7 * ENTRY, second + 16), ESP_OK);
    assert_int_equal(parse(&table, bytes, &index), PTABLE_FAULT_MD5);
    assert_int_equal(index, 7);
}

static void partitions_behind_the_md5_entry_are_read_as_the_bootloader_does(void **state)
{
    (void)state;
    ptable_t table;
    uint8_t bytes[PTABLE_BYTES];
    build_two_ota(bytes);
    memcpy(bytes + 7 * ENTRY, bytes, ENTRY);
    assert_int_equal(parse(&table, bytes, NULL), PTABLE_OK);
    assert_int_equal(table.count, 7);
    assert_string_equal(table.partition[6].label, "nvs");
}

static void a_table_of_only_an_md5_entry_parses_but_does_not_pass_the_check(void **state)
{
    (void)state;
    ptable_t table = {0};
    uint8_t bytes[PTABLE_BYTES];
    assert_int_equal(ptable_build(&table, true, bytes), PTABLE_OK);
    assert_int_equal(parse(&table, bytes, NULL), PTABLE_OK);
    assert_true(table.has_md5);
    assert_int_equal(table.count, 0);
    assert_int_equal(check(&table, NULL), PTABLE_FAULT_EMPTY);
}

static void erased_flash_is_no_table(void **state)
{
    (void)state;
    ptable_t table;
    uint32_t index = 99;
    uint8_t bytes[PTABLE_BYTES];
    memset(bytes, 0xFF, sizeof bytes);
    assert_int_equal(parse(&table, bytes, &index), PTABLE_FAULT_EMPTY);
    assert_int_equal(index, 0);
}

static void a_wrong_magic_is_refused_where_it_stands(void **state)
{
    (void)state;
    ptable_t table;
    uint32_t index = 0;
    uint8_t bytes[PTABLE_BYTES];
    build_two_ota(bytes);
    bytes[2 * ENTRY] = 0xAB;
    assert_int_equal(parse(&table, bytes, &index), PTABLE_FAULT_MAGIC);
    assert_int_equal(index, 2);
}

static void an_end_marker_needs_type_and_subtype_ff(void **state)
{
    (void)state;
    for (size_t at = 2; at <= 3; at++) {
        ptable_t table;
        uint32_t index = 0;
        uint8_t bytes[PTABLE_BYTES];
        build_two_ota(bytes);
        bytes[7 * ENTRY + at] = 0x00;
        assert_int_equal(parse(&table, bytes, &index), PTABLE_FAULT_MAGIC);
        assert_int_equal(index, 7);
    }
}

static void a_partition_must_lie_inside_the_flash(void **state)
{
    (void)state;
    static const struct {
        uint32_t offset;
        uint32_t size;
        ptable_fault_t fault;
    } cases[] = {
        {FLASH_BYTES - 0x1000, 0x1000, PTABLE_OK},           {FLASH_BYTES, 0, PTABLE_OK},
        {FLASH_BYTES - 0x1000, 0x1001, PTABLE_FAULT_BOUNDS}, {FLASH_BYTES + 1, 0, PTABLE_FAULT_BOUNDS},
        {0x10000, 0xFFFFFFFF, PTABLE_FAULT_BOUNDS},          {0xFFFFFFFF, 0xFFFFFFFF, PTABLE_FAULT_BOUNDS},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ptable_t table = two_ota;
        uint32_t index = 99;
        uint8_t bytes[PTABLE_BYTES];
        table.partition[5].offset = cases[i].offset;
        table.partition[5].size = cases[i].size;
        assert_int_equal(ptable_build(&table, true, bytes), PTABLE_OK);
        assert_int_equal(parse(&table, bytes, &index), cases[i].fault);
        assert_int_equal(index, cases[i].fault == PTABLE_OK ? 99 : 5);
    }
}

static void a_table_cut_short_anywhere_is_refused(void **state)
{
    (void)state;
    uint8_t good[PTABLE_BYTES];
    build_two_ota(good);
    const size_t whole = 8 * ENTRY; /* Six partitions, the MD5 entry, the end marker. */
    for (size_t len = 0; len <= PTABLE_BYTES; len++) {
        ptable_t table;
        uint32_t index = 0;
        uint8_t *bytes = malloc(len + 1); /* On the heap, so that a read behind the end is seen. */
        assert_non_null(bytes);
        memcpy(bytes + 1, good, len);
        ptable_fault_t fault = ptable_parse(&table, bytes + 1, len, FLASH_BYTES, &index);
        free(bytes);
        assert_int_equal(fault, len < whole ? PTABLE_FAULT_END : PTABLE_OK);
        assert_int_equal(index, len < whole ? len / ENTRY : 0);
    }
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void random_bytes_never_give_a_partition_outside_the_flash(void **state)
{
    (void)state;
    uint32_t seed = 20240501;
    unsigned accepted = 0;
    uint8_t good[PTABLE_BYTES];
    assert_int_equal(ptable_build(&two_ota, false, good), PTABLE_OK);
    for (unsigned round = 0; round < 20000; round++) {
        ptable_t table;
        uint8_t bytes[PTABLE_BYTES];
        memcpy(bytes, good, sizeof bytes);
        for (uint32_t n = next_random(&seed) % 4 + 1; n > 0; n--) {
            bytes[next_random(&seed) % (8 * ENTRY)] = (uint8_t)next_random(&seed);
        }
        if (parse(&table, bytes, NULL) != PTABLE_OK) {
            assert_int_equal(table.count, 0);
            continue;
        }
        accepted++;
        for (uint32_t i = 0; i < table.count; i++) {
            const ptable_partition_t *p = &table.partition[i];
            assert_true((uint64_t)p->offset + p->size <= FLASH_BYTES);
            assert_true(strlen(p->label) < PTABLE_LABEL_BYTES);
        }
        check(&table, NULL);
    }
    assert_true(accepted > 100 && accepted < 19900);
}

static void noise_is_refused(void **state)
{
    (void)state;
    uint32_t seed = 7;
    for (unsigned round = 0; round < 2000; round++) {
        ptable_t table;
        uint8_t bytes[PTABLE_BYTES];
        for (size_t i = 0; i < sizeof bytes; i++) {
            bytes[i] = (uint8_t)next_random(&seed);
        }
        if (round % 2 == 0) {
            bytes[0] = 0xAA;
            bytes[1] = 0x50;
        }
        assert_int_not_equal(parse(&table, bytes, NULL), PTABLE_OK);
    }
}

/* One change to the two-OTA table, and the fault that the check must find in it. */
typedef struct change {
    uint32_t index;
    ptable_partition_t partition;
    ptable_fault_t fault;
    uint32_t bad_index;
} change_t;

static void assert_check(const change_t *changes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ptable_t table = two_ota;
        uint32_t bad_index = 99;
        table.partition[changes[i].index] = changes[i].partition;
        assert_int_equal(check(&table, &bad_index), changes[i].fault);
        assert_int_equal(bad_index, changes[i].fault == PTABLE_OK ? 99 : changes[i].bad_index);
    }
}

#define ASSERT_CHECK(changes) assert_check(changes, sizeof(changes) / sizeof((changes)[0]))

static void overlaps_are_found_in_any_order(void **state)
{
    (void)state;
    static const change_t changes[] = {
        {0, {1, 2, 0x9000, 0x4001, 0, "nvs"}, PTABLE_FAULT_OVERLAP, 1},
        {0, {1, 2, 0x9000, 0x4000, 0, "nvs"}, PTABLE_OK, 0},
        {0, {1, 2, 0x310000, 0x4000, 0, "nvs"}, PTABLE_OK, 0},
        {0, {1, 2, 0x30f000, 0x4000, 0, "nvs"}, PTABLE_FAULT_OVERLAP, 5},
        {5, {0, 0x11, 0x210000, 0xFFFFF000, 0, "ota_1"}, PTABLE_OK, 0},
        {2, {1, 1, 0xf000, 0xFFFFFFFF, 0, "phy_init"}, PTABLE_FAULT_OVERLAP, 3},
    };
    ASSERT_CHECK(changes);
}

static void nothing_may_lie_on_or_before_the_table(void **state)
{
    (void)state;
    static const change_t changes[] = {
        {2, {1, 1, 0x8000, 0x1000, 0, "phy_init"}, PTABLE_FAULT_OVERLAP, 2},
        {2, {1, 1, 0x1000, 0x1000, 0, "phy_init"}, PTABLE_FAULT_OVERLAP, 2},
        {2, {2, 0, 0x0000, 0x8000, 0, "bootloader"}, PTABLE_OK, 0},
        {2, {2, 0, 0x0000, 0x8001, 0, "bootloader"}, PTABLE_FAULT_OVERLAP, 2},
        {2, {2, 1, 0x0000, 0x8000, 0, "bootloader"}, PTABLE_FAULT_OVERLAP, 2},
        {2, {3, 0, 0x8000, 0x1000, 0, "table"}, PTABLE_OK, 0},
        {2, {3, 1, 0x8000, 0x1000, 0, "table"}, PTABLE_FAULT_OVERLAP, 2},
    };
    ASSERT_CHECK(changes);
}

static void offsets_and_app_sizes_must_be_aligned(void **state)
{
    (void)state;
    static const change_t changes[] = {
        {5, {0, 0x11, 0x211000, 0x100000, 0, "ota_1"}, PTABLE_FAULT_ALIGN, 5},
        {5, {0, 0x11, 0x210000, 0x100800, 0, "ota_1"}, PTABLE_FAULT_ALIGN, 5},
        {5, {0, 0x11, 0x210000, 0x101000, 0, "ota_1"}, PTABLE_OK, 0},
        {2, {1, 1, 0xf800, 0x100, 0, "phy_init"}, PTABLE_FAULT_ALIGN, 2},
        {2, {1, 1, 0xf000, 100, 0, "phy_init"}, PTABLE_OK, 0},
        {2, {0x40, 1, 0xf800, 0x100, 0, "custom"}, PTABLE_FAULT_ALIGN, 2},
    };
    ASSERT_CHECK(changes);
}

static void larger_sectors_raise_the_alignment(void **state)
{
    (void)state;
    const uint32_t sector = 0x40000;
    ptable_t table = {.count = 2,
                      .partition = {{1, 0, 0x80000, 2 * 0x40000, 0, "otadata"}, {0, 0x10, 0x100000, 0x80000, 0, "a"}}};
    uint32_t index = 99;
    assert_int_equal(ptable_check(&table, 0x40000, sector, &index), PTABLE_OK);
    table.partition[1].offset = 0x110000;
    assert_int_equal(ptable_check(&table, 0x40000, sector, &index), PTABLE_FAULT_ALIGN);
    table.partition[1].offset = 0x100000;
    table.partition[1].size = 0x81000;
    assert_int_equal(ptable_check(&table, 0x40000, sector, &index), PTABLE_FAULT_ALIGN);
    table.partition[1].size = 0x80000;
    table.partition[0].size = 0x2000;
    assert_int_equal(ptable_check(&table, 0x40000, sector, &index), PTABLE_FAULT_OTADATA);
    assert_int_equal(index, 0);
}

static void names_slots_and_otadata_are_unique(void **state)
{
    (void)state;
    static const change_t changes[] = {
        {2, {1, 1, 0xf000, 0x1000, 0, "nvs"}, PTABLE_FAULT_DUPLICATE, 2},
        {5, {0, 0x10, 0x210000, 0x100000, 0, "ota_1"}, PTABLE_FAULT_DUPLICATE, 5},
        {5, {0, 0x00, 0x210000, 0x100000, 0, "ota_1"}, PTABLE_FAULT_DUPLICATE, 5},
        {2, {1, 0, 0x310000, 0x2000, 0, "otadata2"}, PTABLE_FAULT_DUPLICATE, 2},
        {2, {1, 2, 0x310000, 0x4000, 0, "nvs2"}, PTABLE_OK, 0},
    };
    ASSERT_CHECK(changes);
}

static void a_gap_in_slot_numbers_is_refused(void **state)
{
    (void)state;
    static const change_t changes[] = {
        {5, {0, 0x12, 0x210000, 0x100000, 0, "ota_2"}, PTABLE_FAULT_SLOT_GAP, 5},
        {4, {0, 0x20, 0x110000, 0x100000, 0, "test"}, PTABLE_FAULT_SLOT_GAP, 5},
        {5, {0, 0x20, 0x210000, 0x100000, 0, "test"}, PTABLE_OK, 0},
        {5, {0, 0x30, 0x210000, 0x100000, 0, "tee_0"}, PTABLE_OK, 0},
    };
    ASSERT_CHECK(changes);
}

static void slots_may_be_listed_in_any_order(void **state)
{
    (void)state;
    ptable_t table = two_ota;
    table.partition[4] = two_ota.partition[5];
    table.partition[5] = two_ota.partition[4];
    assert_int_equal(check(&table, NULL), PTABLE_OK);
    assert_int_equal(ptable_slot_count(&table), 2);
}

static void otadata_is_two_writable_sectors(void **state)
{
    (void)state;
    static const change_t changes[] = {
        {1, {1, 0, 0xd000, 0x1000, 0, "otadata"}, PTABLE_FAULT_OTADATA, 1},
        {1, {1, 0, 0x310000, 0x3000, 0, "otadata"}, PTABLE_FAULT_OTADATA, 1},
        {1, {1, 0, 0xd000, 0x2000, PART_FLAG_READONLY, "otadata"}, PTABLE_FAULT_OTADATA, 1},
        {1, {1, 0, 0xd000, 0x2000, PART_FLAG_ENCRYPTED, "otadata"}, PTABLE_OK, 0},
    };
    ASSERT_CHECK(changes);
}

static void small_nvs_must_be_and_coredump_may_not_be_readonly(void **state)
{
    (void)state;
    static const change_t changes[] = {
        {0, {1, 2, 0x9000, 0x2000, 0, "nvs"}, PTABLE_FAULT_RULE, 0},
        {0, {1, 2, 0x9000, 0x2000, PART_FLAG_READONLY, "nvs"}, PTABLE_OK, 0},
        {0, {1, 2, 0x9000, 0x3000, 0, "nvs"}, PTABLE_OK, 0},
        {2, {1, 3, 0xf000, 0x1000, PART_FLAG_READONLY, "core"}, PTABLE_FAULT_RULE, 2},
        {2, {1, 3, 0xf000, 0x1000, 0, "core"}, PTABLE_OK, 0},
    };
    ASSERT_CHECK(changes);
}

static void slots_are_counted_by_their_numbers(void **state)
{
    (void)state;
    ptable_t table = {0};
    assert_int_equal(ptable_slot_count(&table), 0);
    for (uint32_t i = 0; i < PTABLE_MAX_SLOTS; i++) {
        table.partition[table.count++] = (ptable_partition_t){0, (uint8_t)(0x10 + i), 0, 0, 0, ""};
        assert_int_equal(ptable_slot_count(&table), i + 1);
    }
    table.partition[table.count++] = (ptable_partition_t){0, 0x20, 0, 0, 0, "test"};
    table.partition[table.count++] = (ptable_partition_t){0, 0x10, 0, 0, 0, "twice"};
    assert_int_equal(ptable_slot_count(&table), 16);
}

static void partitions_are_found_by_kind_and_by_label(void **state)
{
    (void)state;
    assert_ptr_equal(ptable_find(&two_ota, 0, 0x11), &two_ota.partition[5]);
    assert_null(ptable_find(&two_ota, 0, 0x12));
    assert_ptr_equal(ptable_find_label(&two_ota, "phy_init"), &two_ota.partition[2]);
    assert_null(ptable_find_label(&two_ota, "phy"));
}

static void every_fault_has_its_own_text(void **state)
{
    (void)state;
    for (int a = PTABLE_OK; a <= PTABLE_FAULT_FULL; a++) {
        assert_true(strlen(ptable_fault_text((ptable_fault_t)a)) > 0);
        for (int b = PTABLE_OK; b < a; b++) {
            assert_string_not_equal(ptable_fault_text((ptable_fault_t)a), ptable_fault_text((ptable_fault_t)b));
        }
    }
}

static const char *corpus(void)
{
    const char *path = getenv("OTTER_CORPUS");
    return path != NULL ? path : OTTER_SOURCE_DIR "/../shared/corpus";
}

static bool read_corpus(const char *name, uint8_t bytes[PTABLE_BYTES])
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", corpus(), name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    size_t len = fread(bytes, 1, PTABLE_BYTES, file);
    fclose(file);
    return len == PTABLE_BYTES;
}

static void genuine_tables_parse_and_build_back_byte_for_byte(void **state)
{
    (void)state;
    static const char *const names[] = {"beanio-c3-partition-table.bin", "hello-world-c3-partition-table.bin",
                                        "wled-c3-partition-table.bin"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        ptable_t table;
        uint8_t bytes[PTABLE_BYTES];
        uint8_t built[PTABLE_BYTES];
        if (!read_corpus(names[i], bytes)) {
            fprintf(stderr, "SKIPPED: no %s in %s: set OTTER_CORPUS\n", names[i], corpus());
            exit(TEST_SKIPPED);
        }
        assert_int_equal(parse(&table, bytes, NULL), PTABLE_OK);
        assert_int_equal(check(&table, NULL), PTABLE_OK);
        assert_int_equal(ptable_build(&table, table.has_md5, built), PTABLE_OK);
        assert_memory_equal(bytes, built, sizeof bytes);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_built_table_equals_that_of_the_genuine_tool),
    cmocka_unit_test(a_built_table_parses_back),
    cmocka_unit_test(a_table_without_md5_is_accepted),
    cmocka_unit_test(a_label_of_sixteen_bytes_needs_no_terminator),
    cmocka_unit_test(a_table_holds_94_partitions_with_md5_and_95_without),
    cmocka_unit_test(ninety_six_entries_without_an_end_are_refused),
    cmocka_unit_test(an_end_marker_behind_the_tables_bytes_does_not_count),
    cmocka_unit_test(a_changed_byte_breaks_the_md5),
    cmocka_unit_test(a_wrong_md5_is_named_as_such),
    cmocka_unit_test(a_second_md5_entry_is_refused),
    cmocka_unit_test(partitions_behind_the_md5_entry_are_read_as_the_bootloader_does),
    cmocka_unit_test(a_table_of_only_an_md5_entry_parses_but_does_not_pass_the_check),
    cmocka_unit_test(erased_flash_is_no_table),
    cmocka_unit_test(a_wrong_magic_is_refused_where_it_stands),
    cmocka_unit_test(an_end_marker_needs_type_and_subtype_ff),
    cmocka_unit_test(a_partition_must_lie_inside_the_flash),
    cmocka_unit_test(a_table_cut_short_anywhere_is_refused),
    cmocka_unit_test(random_bytes_never_give_a_partition_outside_the_flash),
    cmocka_unit_test(noise_is_refused),
    cmocka_unit_test(overlaps_are_found_in_any_order),
    cmocka_unit_test(nothing_may_lie_on_or_before_the_table),
    cmocka_unit_test(offsets_and_app_sizes_must_be_aligned),
    cmocka_unit_test(larger_sectors_raise_the_alignment),
    cmocka_unit_test(names_slots_and_otadata_are_unique),
    cmocka_unit_test(a_gap_in_slot_numbers_is_refused),
    cmocka_unit_test(slots_may_be_listed_in_any_order),
    cmocka_unit_test(otadata_is_two_writable_sectors),
    cmocka_unit_test(small_nvs_must_be_and_coredump_may_not_be_readonly),
    cmocka_unit_test(slots_are_counted_by_their_numbers),
    cmocka_unit_test(partitions_are_found_by_kind_and_by_label),
    cmocka_unit_test(every_fault_has_its_own_text),
    cmocka_unit_test(genuine_tables_parse_and_build_back_byte_for_byte),
};

TEST_MAIN(tests)
