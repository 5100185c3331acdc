/* SPDX-License-Identifier: Apache-2.0 */
/* The second place of a partition table: which one counts, what its mark says, and what is left of one. */
#include "core/ptable/ptable_spare.h"

#include "core/util/bytes.h"
#include "otter/otter_crypto.h"
#include "tests/support/test.h"

#define FLASH_BYTES (4u * 1024 * 1024)
#define TABLE_OFF   0x8000u
#define SPARE_OFF   0xF000u
#define USED_BYTES  56u /* Of a mark. */

enum { NVS, OTADATA, SPARE, OTA_0, PARTITIONS };

static const ptable_t layout = {
    .count = PARTITIONS,
    .partition =
        {
            [NVS] = {PART_TYPE_DATA, PART_SUBTYPE_DATA_WIFI, 0x9000, 0x4000, 0, "nvs"},
            [OTADATA] = {PART_TYPE_DATA, PART_SUBTYPE_DATA_OTA, 0xD000, 0x2000, 0, "otadata"},
            [SPARE] = {PART_TYPE_PARTITION_TABLE, PART_SUBTYPE_PARTITION_TABLE_OTA, SPARE_OFF, 0x1000, 0, "table2"},
            [OTA_0] = {PART_TYPE_APP, PART_SUBTYPE_OTA_FLAG, 0x10000, 0x100000, 0, "ota_0"},
        },
};

/* ---- A crypto port whose SHA-256 can fail ---- */

typedef enum hash_call { NO_CALL, BEGIN, UPDATE, FINISH } hash_call_t;

static hash_call_t broken;
static uint32_t failures;

static bool fails(hash_call_t call)
{
    failures += call == broken;
    return call == broken;
}

static void break_hash(hash_call_t call)
{
    broken = call;
    failures = 0;
}

esp_err_t __real_otter_hash_begin(otter_hash_t *hash, otter_hash_kind_t kind);
esp_err_t __real_otter_hash_update(otter_hash_t *hash, const void *bytes, size_t len);
esp_err_t __real_otter_hash_finish(otter_hash_t *hash, uint8_t *digest);
esp_err_t __wrap_otter_hash_begin(otter_hash_t *hash, otter_hash_kind_t kind);
esp_err_t __wrap_otter_hash_update(otter_hash_t *hash, const void *bytes, size_t len);
esp_err_t __wrap_otter_hash_finish(otter_hash_t *hash, uint8_t *digest);

esp_err_t __wrap_otter_hash_begin(otter_hash_t *hash, otter_hash_kind_t kind)
{
    return fails(BEGIN) ? ESP_ERR_NO_MEM : __real_otter_hash_begin(hash, kind);
}

esp_err_t __wrap_otter_hash_update(otter_hash_t *hash, const void *bytes, size_t len)
{
    return fails(UPDATE) ? ESP_FAIL : __real_otter_hash_update(hash, bytes, len);
}

/* The digest is there all the same: only the code says that it does not count. */
esp_err_t __wrap_otter_hash_finish(otter_hash_t *hash, uint8_t *digest)
{
    esp_err_t err = __real_otter_hash_finish(hash, digest);
    return fails(FINISH) ? ESP_FAIL : err;
}

static int hash_works(void **state)
{
    (void)state;
    break_hash(NO_CALL);
    return 0;
}

/* ---- What lies in the spare ---- */

typedef struct content {
    uint8_t bytes[PTABLE_SPARE_BYTES];
} content_t;

static void put_mark(content_t *content, uint32_t spare_off, uint32_t table_off)
{
    assert_err(ptable_make_mark(content->bytes, spare_off, table_off, content->bytes + PTABLE_MARK_OFF), ESP_OK);
}

/* As it lies there from the moment the mark is whole. */
static content_t marked_with(const ptable_t *table, bool with_md5)
{
    content_t content;
    memset(content.bytes, 0, sizeof(content.bytes));
    assert_int_equal(ptable_build(table, with_md5, content.bytes), PTABLE_OK);
    put_mark(&content, SPARE_OFF, TABLE_OFF);
    return content;
}

static content_t marked(void)
{
    return marked_with(&layout, true);
}

static bool is_marked(const content_t *content)
{
    ptable_t table;
    return ptable_is_marked(content->bytes, SPARE_OFF, TABLE_OFF, FLASH_BYTES, &table);
}

static bool remains(const content_t *content)
{
    ptable_t table;
    return ptable_mark_remains(content->bytes, SPARE_OFF, TABLE_OFF, FLASH_BYTES, &table);
}

/* ---- Which place counts ---- */

static void the_first_partition_of_that_type_is_the_place(void **state)
{
    (void)state;
    ptable_t table = layout;
    assert_ptr_equal(ptable_spare(&table, TABLE_OFF), &table.partition[SPARE]);
    table.partition[table.count] = table.partition[SPARE];
    table.partition[table.count].offset = 0x110000;
    table.count++;
    assert_ptr_equal(ptable_spare(&table, TABLE_OFF), &table.partition[SPARE]);
    table.partition[SPARE].size = 0xFFF; /* The second one does not stand in for it. */
    assert_null(ptable_spare(&table, TABLE_OFF));
}

static void a_table_without_such_a_partition_names_no_place(void **state)
{
    (void)state;
    ptable_t table = layout;
    table.partition[SPARE].subtype = PART_SUBTYPE_PARTITION_TABLE_PRIMARY;
    assert_null(ptable_spare(&table, TABLE_OFF));
    table = layout;
    table.partition[SPARE].type = PART_TYPE_DATA;
    assert_null(ptable_spare(&table, TABLE_OFF));
    table.count = 0;
    assert_null(ptable_spare(&table, TABLE_OFF));
}

static void a_place_of_less_than_4_kib_is_none(void **state)
{
    (void)state;
    ptable_t table = layout;
    table.partition[SPARE].size = 0xFFF;
    assert_null(ptable_spare(&table, TABLE_OFF));
    table.partition[SPARE].size = 0;
    assert_null(ptable_spare(&table, TABLE_OFF));
    table.partition[SPARE].size = 0x1000;
    assert_ptr_equal(ptable_spare(&table, TABLE_OFF), &table.partition[SPARE]);
}

/* The only partition of a table, at that place. */
static bool counts_at(uint32_t off, uint32_t size, uint32_t table_off)
{
    ptable_t table = {.count = 1, .partition = {layout.partition[SPARE]}};
    table.partition[0].offset = off;
    table.partition[0].size = size;
    return ptable_spare(&table, table_off) == &table.partition[0];
}

static void a_place_may_touch_the_table_but_not_lie_over_it(void **state)
{
    (void)state;
    assert_true(counts_at(0x7000, 0x1000, TABLE_OFF));
    assert_false(counts_at(0x7000, 0x1001, TABLE_OFF));
    assert_false(counts_at(0x7001, 0x1000, TABLE_OFF));
    assert_false(counts_at(0x8000, 0x1000, TABLE_OFF));
    assert_false(counts_at(0x8FFF, 0x1000, TABLE_OFF));
    assert_true(counts_at(0x9000, 0x1000, TABLE_OFF));
    assert_false(counts_at(0x0000, 0x10000, TABLE_OFF));
}

static void a_place_at_the_end_of_4_gib_does_not_wrap_around(void **state)
{
    (void)state;
    assert_true(counts_at(0xFFFFF000, 0x1000, 0));
    assert_true(counts_at(0, 0x1000, 0xFFFFF000));
    assert_false(counts_at(0xFFFFF000, 0x1000, 0xFFFFF000));
    assert_false(counts_at(0xFFFFE000, 0xFFFFFFFF, 0xFFFFF000));
}

/* Every other partition in turn, moved to where it ends or begins. */
static void a_place_may_touch_a_partition_but_not_lie_over_it(void **state)
{
    (void)state;
    static const struct {
        uint32_t offset;
        uint32_t size;
        bool apart;
    } cases[] = {
        {SPARE_OFF - 0x1000, 0x1000, true},
        {SPARE_OFF - 0x1000, 0x1001, false},
        {SPARE_OFF - 0xFFF, 0x1000, false},
        {SPARE_OFF, 0x1000, false},
        {SPARE_OFF + 0x800, 1, false},
        {SPARE_OFF + 0xFFF, 0x1000, false},
        {SPARE_OFF + 0x1000, 0x1000, true},
        {0, FLASH_BYTES, false},
        {SPARE_OFF, 0, true},
        {SPARE_OFF + 0x1000, 0xFFFF0000, true},
    };
    for (uint32_t i = 0; i < PARTITIONS; i++) {
        for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]) && i != SPARE; c++) {
            ptable_t table = layout;
            table.partition[i].offset = cases[c].offset;
            table.partition[i].size = cases[c].size;
            assert_int_equal(ptable_spare(&table, TABLE_OFF) == &table.partition[SPARE], cases[c].apart);
        }
    }
}

static void two_partitions_for_tables_at_one_place_are_none(void **state)
{
    (void)state;
    ptable_t table = layout;
    table.partition[table.count++] = table.partition[SPARE];
    assert_null(ptable_spare(&table, TABLE_OFF));
}

/* ---- The mark ---- */

/* As docs/FORMATS.md has it. */
static void a_mark_has_the_documented_bytes(void **state)
{
    (void)state;
    static const uint8_t head[24] = "otter new table\0\x78\x56\x34\x12\xDD\xCC\xBB\xAA";
    static const uint8_t digest_of_zeros[OTTER_SHA256_BYTES] = {
        0xE8, 0x02, 0x32, 0xB4, 0xD1, 0x8D, 0x0B, 0xB7, 0xE7, 0x94, 0xBE, 0x26, 0x3B, 0xA9, 0x37, 0x62,
        0x6F, 0x38, 0x3F, 0x99, 0x17, 0xD4, 0xB8, 0xA7, 0x37, 0xBA, 0x89, 0x3A, 0x8F, 0x75, 0x22, 0x93};
    uint8_t mark[PTABLE_MARK_BYTES] = {0};
    static const uint8_t table[PTABLE_BYTES];
    assert_err(ptable_make_mark(table, 0xAABBCCDD, 0x12345678, mark), ESP_OK);
    assert_memory_equal(mark, head, sizeof(head));
    assert_memory_equal(mark + 24, digest_of_zeros, sizeof(digest_of_zeros));
    assert_true(bytes_all(mark + USED_BYTES, PTABLE_MARK_BYTES - USED_BYTES, 0xFF));
    assert_int_equal(PTABLE_MARK_OFF, 0xC00);
    assert_int_equal(PTABLE_INTENT_OFF, 0xC40);
    assert_int_equal(PTABLE_SPARE_BYTES, 0xC60);
}

static void a_mark_is_not_made_if_its_digest_cannot_be_computed(void **state)
{
    (void)state;
    static const struct {
        hash_call_t call;
        esp_err_t err;
    } cases[] = {{BEGIN, ESP_ERR_NO_MEM}, {UPDATE, ESP_FAIL}, {FINISH, ESP_FAIL}, {NO_CALL, ESP_OK}};
    static const uint8_t table[PTABLE_BYTES];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t mark[PTABLE_MARK_BYTES];
        break_hash(cases[i].call);
        assert_err(ptable_make_mark(table, SPARE_OFF, TABLE_OFF, mark), cases[i].err);
        assert_int_equal(failures, cases[i].err != ESP_OK);
    }
}

static void a_whole_mark_counts_and_gives_its_table(void **state)
{
    (void)state;
    content_t content = marked();
    ptable_t table = {0};
    assert_true(ptable_is_marked(content.bytes, SPARE_OFF, TABLE_OFF, FLASH_BYTES, &table));
    assert_int_equal(table.count, layout.count);
    assert_true(table.has_md5);
    assert_memory_equal(table.partition, layout.partition, sizeof(table.partition));
}

static void a_mark_whose_digest_cannot_be_computed_does_not_count(void **state)
{
    (void)state;
    content_t content = marked();
    for (hash_call_t call = BEGIN; call <= FINISH; call++) {
        break_hash(call);
        assert_false(is_marked(&content));
        assert_int_equal(failures, 1);
    }
    break_hash(NO_CALL);
    assert_true(is_marked(&content));
}

static void a_mark_with_any_bit_changed_does_not_count(void **state)
{
    (void)state;
    content_t content = marked();
    for (uint32_t bit = 0; bit < USED_BYTES * 8; bit++) {
        uint8_t *at = &content.bytes[PTABLE_MARK_OFF + bit / 8];
        *at ^= (uint8_t)(1u << bit % 8);
        assert_false(is_marked(&content));
        *at ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(is_marked(&content));
}

/* Also where no entry lies. */
static void a_table_with_any_byte_changed_is_not_the_marked_one(void **state)
{
    (void)state;
    content_t content = marked();
    for (uint32_t i = 0; i < PTABLE_BYTES; i++) {
        content.bytes[i] ^= 0x10;
        assert_false(is_marked(&content));
        content.bytes[i] ^= 0x10;
    }
    assert_true(is_marked(&content));
}

static void what_lies_behind_the_digest_is_no_part_of_a_mark(void **state)
{
    (void)state;
    content_t content = marked();
    for (uint32_t i = PTABLE_MARK_OFF + USED_BYTES; i < PTABLE_SPARE_BYTES; i++) {
        content.bytes[i] ^= 0xFF;
        assert_true(is_marked(&content));
    }
}

static void a_mark_for_another_place_does_not_count(void **state)
{
    (void)state;
    content_t content = marked();
    ptable_t table;
    assert_false(ptable_is_marked(content.bytes, SPARE_OFF, TABLE_OFF - 0x1000, FLASH_BYTES, &table));
    assert_false(ptable_is_marked(content.bytes, SPARE_OFF + 0x1000, TABLE_OFF, FLASH_BYTES, &table));
    put_mark(&content, SPARE_OFF, TABLE_OFF - 0x1000);
    assert_false(is_marked(&content));
    assert_true(ptable_is_marked(content.bytes, SPARE_OFF, TABLE_OFF - 0x1000, FLASH_BYTES, &table));
    put_mark(&content, SPARE_OFF + 0x1000, TABLE_OFF);
    assert_false(is_marked(&content));
    put_mark(&content, TABLE_OFF, SPARE_OFF);
    assert_false(is_marked(&content));
    put_mark(&content, SPARE_OFF, TABLE_OFF);
    assert_true(is_marked(&content));
}

/* ---- What is left of a mark ---- */

static void a_mark_between_its_first_bit_and_its_last_remains(void **state)
{
    (void)state;
    content_t content = marked();
    uint8_t *mark = content.bytes + PTABLE_MARK_OFF;
    assert_true(remains(&content));
    for (uint32_t i = 0; i < PTABLE_MARK_BYTES; i++) {
        memset(mark, 0, PTABLE_MARK_BYTES);
        assert_false(remains(&content));
        mark[i] = 0x01;
        assert_true(remains(&content));
    }
}

/* Cut as soon as the mark was touched: its cells read as erased now, and may read as something else later. */
static void an_intent_without_a_mark_may_become_one(void **state)
{
    (void)state;
    content_t content = marked();
    memset(content.bytes + PTABLE_MARK_OFF, 0xFF, PTABLE_MARK_BYTES);
    assert_true(remains(&content));
    assert_false(is_marked(&content));
}

static void without_a_whole_intent_nothing_remains(void **state)
{
    (void)state;
    content_t content = marked();
    for (uint32_t bit = 0; bit < PTABLE_INTENT_BYTES * 8; bit++) {
        uint8_t *at = &content.bytes[PTABLE_INTENT_OFF + bit / 8];
        *at = (uint8_t)(1u << bit % 8);
        assert_false(remains(&content));
        *at = 0;
    }
    assert_true(remains(&content));
    memset(content.bytes + PTABLE_INTENT_OFF, 0xFF, PTABLE_INTENT_BYTES);
    assert_false(remains(&content));
}

/* ---- The table that is marked ---- */

static void assert_not_at_home(const ptable_t *table, bool with_md5)
{
    content_t content = marked_with(table, with_md5);
    assert_false(is_marked(&content));
    assert_false(remains(&content));
}

static void a_table_without_md5_is_not_taken(void **state)
{
    (void)state;
    assert_not_at_home(&layout, false);
}

/* Its mark is right: it was broken before it was marked. */
static void a_broken_table_is_not_taken(void **state)
{
    (void)state;
    content_t content = marked();
    content.bytes[NVS * 32 + 4] ^= 1; /* The MD5 does not match. */
    put_mark(&content, SPARE_OFF, TABLE_OFF);
    assert_false(is_marked(&content));
    assert_false(remains(&content));
    memset(content.bytes, 0xFF, PTABLE_BYTES);
    put_mark(&content, SPARE_OFF, TABLE_OFF);
    assert_false(is_marked(&content));
    assert_false(remains(&content));
}

static void a_table_for_a_larger_flash_is_not_taken(void **state)
{
    (void)state;
    const ptable_partition_t *last = &layout.partition[OTA_0];
    uint32_t end = last->offset + last->size;
    content_t content = marked();
    ptable_t table;
    assert_true(ptable_is_marked(content.bytes, SPARE_OFF, TABLE_OFF, end, &table));
    assert_true(ptable_mark_remains(content.bytes, SPARE_OFF, TABLE_OFF, end, &table));
    assert_false(ptable_is_marked(content.bytes, SPARE_OFF, TABLE_OFF, end - 1, &table));
    assert_false(ptable_mark_remains(content.bytes, SPARE_OFF, TABLE_OFF, end - 1, &table));
}

static void a_table_that_names_no_place_is_not_taken(void **state)
{
    (void)state;
    ptable_t table = layout;
    table.partition[SPARE].subtype = PART_SUBTYPE_PARTITION_TABLE_PRIMARY;
    assert_not_at_home(&table, true);
    table = layout;
    table.partition[SPARE].size = 0xFFF;
    assert_not_at_home(&table, true);
    table = layout;
    table.partition[OTA_0].offset = SPARE_OFF;
    assert_not_at_home(&table, true);
}

static void a_table_that_names_another_place_is_not_taken(void **state)
{
    (void)state;
    ptable_t table = layout;
    table.partition[SPARE].offset = 0x110000;
    assert_not_at_home(&table, true);
    table.partition[SPARE].offset = SPARE_OFF - 1;
    table.partition[OTADATA].size = 0x1000;
    assert_not_at_home(&table, true);
}

/* ---- The steps ---- */

/* Where a step stands; it stands there once. */
static int place_of(ptable_step_t step)
{
    int place = -1;
    for (int i = 0; i < PTABLE_STEPS; i++) {
        if (ptable_steps[i] == step) {
            assert_int_equal(place, -1);
            place = i;
        }
    }
    assert_int_not_equal(place, -1);
    return place;
}

static void assert_durable_before(ptable_step_t first, ptable_step_t second)
{
    bool synced = false;
    for (int i = place_of(first) + 1; i < place_of(second); i++) {
        synced = synced || ptable_steps[i] == PTABLE_STEP_SYNC;
    }
    assert_true(synced);
}

static void each_step_is_durable_before_one_that_rests_on_it(void **state)
{
    (void)state;
    assert_durable_before(PTABLE_STEP_INTENT, PTABLE_STEP_MARK);
    assert_durable_before(PTABLE_STEP_MARK, PTABLE_STEP_ERASE);
    assert_int_equal(place_of(PTABLE_STEP_PROGRAM), place_of(PTABLE_STEP_ERASE) + 1);
    assert_durable_before(PTABLE_STEP_PROGRAM, PTABLE_STEP_WIPE);
    assert_int_equal(ptable_steps[PTABLE_STEPS - 1], PTABLE_STEP_SYNC);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_first_partition_of_that_type_is_the_place),
    cmocka_unit_test(a_table_without_such_a_partition_names_no_place),
    cmocka_unit_test(a_place_of_less_than_4_kib_is_none),
    cmocka_unit_test(a_place_may_touch_the_table_but_not_lie_over_it),
    cmocka_unit_test(a_place_at_the_end_of_4_gib_does_not_wrap_around),
    cmocka_unit_test(a_place_may_touch_a_partition_but_not_lie_over_it),
    cmocka_unit_test(two_partitions_for_tables_at_one_place_are_none),
    cmocka_unit_test_setup(a_mark_has_the_documented_bytes, hash_works),
    cmocka_unit_test_setup(a_mark_is_not_made_if_its_digest_cannot_be_computed, hash_works),
    cmocka_unit_test_setup(a_whole_mark_counts_and_gives_its_table, hash_works),
    cmocka_unit_test_setup(a_mark_whose_digest_cannot_be_computed_does_not_count, hash_works),
    cmocka_unit_test_setup(a_mark_with_any_bit_changed_does_not_count, hash_works),
    cmocka_unit_test_setup(a_table_with_any_byte_changed_is_not_the_marked_one, hash_works),
    cmocka_unit_test_setup(what_lies_behind_the_digest_is_no_part_of_a_mark, hash_works),
    cmocka_unit_test_setup(a_mark_for_another_place_does_not_count, hash_works),
    cmocka_unit_test_setup(a_mark_between_its_first_bit_and_its_last_remains, hash_works),
    cmocka_unit_test_setup(an_intent_without_a_mark_may_become_one, hash_works),
    cmocka_unit_test_setup(without_a_whole_intent_nothing_remains, hash_works),
    cmocka_unit_test_setup(a_table_without_md5_is_not_taken, hash_works),
    cmocka_unit_test_setup(a_broken_table_is_not_taken, hash_works),
    cmocka_unit_test_setup(a_table_for_a_larger_flash_is_not_taken, hash_works),
    cmocka_unit_test_setup(a_table_that_names_no_place_is_not_taken, hash_works),
    cmocka_unit_test_setup(a_table_that_names_another_place_is_not_taken, hash_works),
    cmocka_unit_test(each_step_is_durable_before_one_that_rests_on_it),
};

TEST_MAIN(tests)
