/* SPDX-License-Identifier: Apache-2.0 */
/* The memories that lose power: cells that are half done, pages that are lost, bits that are burned or not. */
#include "core/util/bytes.h"
#include "otter/otter_flash_cells.h"
#include "otter/otter_flash_pages.h"
#include "otter/otter_key_store_cells.h"
#include "tests/support/test.h"

#define SECTOR  4096u
#define SECTORS 4u
#define SIZE    (SECTOR * SECTORS)

typedef struct bench {
    otter_power_t power;
    otter_flash_cells_t cells;
    otter_flash_pages_t pages;
    otter_flash_t *flash;
    jmp_buf off;
    uint8_t bytes[SIZE];
    uint8_t unstable[SIZE];
    uint8_t scars[SECTORS];
    uint32_t erases[SECTORS];
    uint8_t synced[SIZE];
    uint8_t version[SIZE];
    uint32_t changes[SECTORS];
} bench_t;

static bench_t bench;

static void jump_off(void *arg)
{
    (void)arg;
    longjmp(bench.off, 1);
}

static const otter_flash_t geometry = {.size_bytes = SIZE, .sector_bytes = SECTOR, .program_bytes = 1};

static void power_on(void)
{
    bench.power = (otter_power_t){.random = 12345, .off = jump_off};
}

static void make(void)
{
    memset(&bench, 0, sizeof(bench));
    memset(bench.bytes, 0xFF, SIZE);
    power_on();
}

static void make_cells(void)
{
    make();
    otter_flash_cells_memory_t memory = {bench.bytes, bench.unstable, bench.scars, bench.erases};
    bench.flash = otter_flash_cells_init(&bench.cells, &memory, &geometry, &bench.power);
}

static void make_pages(void)
{
    make();
    otter_flash_pages_memory_t memory = {bench.bytes, bench.synced, bench.version, bench.changes, bench.erases};
    bench.flash = otter_flash_pages_init(&bench.pages, &memory, &geometry, &bench.power);
}

static void program(uint32_t off, uint8_t value, size_t len)
{
    uint8_t bytes[256];
    memset(bytes, value, len);
    assert_err(otter_flash_program(bench.flash, off, bytes, len), ESP_OK);
}

/* Programs 0 into 64 bytes at 100, and loses the power in it. */
static void program_cut(otter_cut_t cut, uint32_t random)
{
    bench.power.cut_at = bench.power.ops + 1;
    bench.power.cut = cut;
    bench.power.cut_random = random;
    if (setjmp(bench.off) == 0) {
        program(100, 0, 64);
        fail_msg("the power did not go");
    }
    assert_true(bench.power.is_off);
    power_on();
}

static unsigned count_bits(const uint8_t *bytes, size_t len)
{
    unsigned count = 0;
    for (size_t i = 0; i < len * 8; i++) {
        count += (bytes[i / 8] >> (i % 8)) & 1;
    }
    return count;
}

static void read_at(uint8_t bytes[64])
{
    assert_err(otter_flash_read(bench.flash, 100, bytes, 64), ESP_OK);
}

static void before_and_after_leave_all_or_nothing(void **state)
{
    (void)state;
    make_cells();
    program_cut(OTTER_CUT_BEFORE, 1);
    assert_true(bytes_all(bench.bytes, SIZE, 0xFF));
    program_cut(OTTER_CUT_AFTER, 1);
    assert_true(bytes_all(bench.bytes + 100, 64, 0));
    assert_true(bytes_all(bench.unstable, SIZE, 0));
}

static void a_prefix_and_a_word_are_whole_bytes(void **state)
{
    (void)state;
    for (uint32_t random = 1; random < 50; random++) {
        make_cells();
        program_cut(OTTER_CUT_PREFIX, random);
        size_t done = 0;
        while (done < 64 && bench.bytes[100 + done] == 0) {
            done++;
        }
        assert_true(bytes_all(bench.bytes + 100 + done, 64 - done, 0xFF));
        make_cells();
        program_cut(OTTER_CUT_WORD, random);
        assert_int_equal(count_bits(bench.bytes + 100, 64), 60 * 8);
    }
}

static void half_programmed_cells_read_differently_each_time(void **state)
{
    (void)state;
    make_cells();
    program_cut(OTTER_CUT_BITS, 7);
    uint8_t first[64];
    uint8_t second[64];
    read_at(first);
    read_at(second);
    assert_memory_not_equal(first, second, 64);
    assert_true(count_bits(bench.unstable + 100, 64) > 100);
    assert_true(bytes_all(bench.unstable, 100, 0));
    program(100, 0, 64);
    read_at(first);
    assert_true(bytes_all(first, 64, 0));
}

static void weak_cells_go_up_and_down_together(void **state)
{
    (void)state;
    make_cells();
    program_cut(OTTER_CUT_WEAK, 7);
    unsigned up = 0;
    unsigned down = 0;
    for (int i = 0; i < 100; i++) {
        uint8_t bytes[64];
        read_at(bytes);
        assert_true(bytes_all(bytes, 64, bytes[0]));
        up += bytes[0] == 0xFF;
        down += bytes[0] == 0;
    }
    assert_int_equal(up + down, 100);
    assert_true(up > 10 && down > 10);
    assert_err(otter_flash_erase(bench.flash, 0, SECTOR), ESP_OK);
    assert_true(bytes_all(bench.unstable, SIZE, 0));
    assert_int_equal(bench.scars[0], 0);
}

static void each_sector_of_an_erase_is_an_operation(void **state)
{
    (void)state;
    make_cells();
    program(100, 0, 64);
    program(SECTOR + 100, 0, 64);
    bench.power.cut_at = 4;
    bench.power.cut = OTTER_CUT_BEFORE;
    if (setjmp(bench.off) == 0) {
        (void)otter_flash_erase(bench.flash, 0, 2 * SECTOR);
        fail_msg("the power did not go");
    }
    assert_true(bytes_all(bench.bytes, SECTOR, 0xFF));
    assert_int_equal(bench.bytes[SECTOR + 100], 0);
    assert_int_equal(bench.erases[0], 1);
}

static void what_nor_cannot_do_is_refused(void **state)
{
    (void)state;
    make_cells();
    uint8_t ones[4] = {0xFF, 0xFF, 0xFF, 0xFF};
    program(0, 0, 4);
    assert_err(otter_flash_program(bench.flash, 0, ones, 4), ESP_ERR_FLASH_OP_FAIL);
    bench.cells.base.program_bytes = 4;
    assert_err(otter_flash_program(bench.flash, 10, ones, 4), ESP_ERR_FLASH_OP_FAIL);
    assert_err(otter_flash_program(bench.flash, 8, ones, 2), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(bench.cells.violations, 3);
}

static void errors_wear_and_stuck_bits_happen_when_told(void **state)
{
    (void)state;
    make_cells();
    bench.power.fail_at = 2;
    bench.power.fails = 1;
    program(0, 0, 4);
    assert_err(otter_flash_sync(bench.flash), ESP_ERR_FLASH_OP_FAIL);
    assert_err(otter_flash_sync(bench.flash), ESP_OK);
    assert_int_equal(bench.power.failed, 1);
    bench.cells.wear_limit = 1;
    assert_err(otter_flash_erase(bench.flash, 0, SECTOR), ESP_OK);
    assert_err(otter_flash_erase(bench.flash, 0, SECTOR), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(bench.cells.worn, 1);
    bench.cells.stuck_off = 20;
    bench.cells.stuck_bit = 0x08;
    program(16, 0, 8);
    assert_int_equal(bench.bytes[20], 0x08);
    assert_int_equal(bench.cells.stuck, 1);
}

/* ---- Page cache ---- */

/* Page 0 synced as 1; since then page 0 as 2, page 1 as 3, and the operation that is cut: 0 at 100 in page 0. */
static void cut_pages(otter_cut_t cut, uint32_t random)
{
    make_pages();
    program(0, 1, 8);
    assert_err(otter_flash_sync(bench.flash), ESP_OK);
    program(0, 2, 8);
    program(SECTOR, 3, 8);
    program_cut(cut, random);
}

static void what_was_synced_stays_and_the_rest_may_go(void **state)
{
    (void)state;
    cut_pages(OTTER_CUT_LOST, 1);
    assert_int_equal(bench.bytes[0], 1);
    assert_int_equal(bench.bytes[SECTOR], 0xFF);
    assert_int_equal(bench.bytes[100], 0xFF);
    cut_pages(OTTER_CUT_NEWEST, 1);
    assert_int_equal(bench.bytes[0], 2);
    assert_int_equal(bench.bytes[100], 0);
    assert_int_equal(bench.bytes[SECTOR], 0xFF);
    cut_pages(OTTER_CUT_OLDER, 1);
    assert_int_equal(bench.bytes[0], 1);
    assert_int_equal(bench.bytes[SECTOR], 3);
    cut_pages(OTTER_CUT_AFTER, 1);
    assert_int_equal(bench.bytes[100], 0);
    assert_int_equal(bench.bytes[SECTOR], 3);
}

/* A page with two versions since the sync is seen as each of the three; pages are lost apart. */
static void each_page_keeps_any_of_its_versions(void **state)
{
    (void)state;
    unsigned seen[3] = {0};
    unsigned apart = 0;
    for (uint32_t random = 1; random <= 300; random++) {
        make_pages();
        bench.power.random = random * 2654435761u | 1;
        program(0, 2, 8);
        program(SECTOR, 3, 8);
        program_cut(OTTER_CUT_ANY, random * 40503u | 1);
        bool first = bench.bytes[0] == 2;
        bool second = bench.bytes[100] == 0;
        assert_true(first || !second);
        seen[first + second]++;
        apart += first != (bench.bytes[SECTOR] == 3);
    }
    for (int i = 0; i < 3; i++) {
        assert_in_range(seen[i], 50, 150);
    }
    assert_true(apart > 50);
}

static void a_sync_can_be_left_out(void **state)
{
    (void)state;
    make_pages();
    bench.pages.drop = (otter_flash_pages_drop_t){0, SECTOR};
    program(0, 1, 8);
    assert_err(otter_flash_sync(bench.flash), ESP_OK);
    assert_int_equal(bench.pages.dropped, 1);
    program_cut(OTTER_CUT_LOST, 1);
    assert_int_equal(bench.bytes[0], 0xFF);
}

/* ---- Key store ---- */

static void a_burn_that_is_cut_burns_some_of_its_bits(void **state)
{
    (void)state;
    uint8_t bits[OTTER_KEY_STORE_BYTES];
    uint8_t ones[16];
    otter_key_store_cells_t cells;
    memset(ones, 0xFF, sizeof(ones));
    unsigned partly = 0;
    for (uint32_t random = 1; random <= 20; random++) {
        make();
        memset(bits, 0, sizeof(bits));
        otter_key_store_t *store = otter_key_store_cells_init(&cells, bits, &bench.power);
        bench.power.cut_at = 1;
        bench.power.cut = OTTER_CUT_BITS;
        bench.power.cut_random = random;
        if (setjmp(bench.off) == 0) {
            (void)otter_key_store_burn(store, 8, ones, sizeof(ones));
            fail_msg("the power did not go");
        }
        unsigned burned = count_bits(bits + 8, sizeof(ones));
        partly += burned > 0 && burned < 128;
        assert_int_equal(count_bits(bits, sizeof(bits)), burned);
    }
    assert_true(partly > 15);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(before_and_after_leave_all_or_nothing),
    cmocka_unit_test(a_prefix_and_a_word_are_whole_bytes),
    cmocka_unit_test(half_programmed_cells_read_differently_each_time),
    cmocka_unit_test(weak_cells_go_up_and_down_together),
    cmocka_unit_test(each_sector_of_an_erase_is_an_operation),
    cmocka_unit_test(what_nor_cannot_do_is_refused),
    cmocka_unit_test(errors_wear_and_stuck_bits_happen_when_told),
    cmocka_unit_test(what_was_synced_stays_and_the_rest_may_go),
    cmocka_unit_test(each_page_keeps_any_of_its_versions),
    cmocka_unit_test(a_sync_can_be_left_out),
    cmocka_unit_test(a_burn_that_is_cut_burns_some_of_its_bits),
};

TEST_MAIN(tests)
