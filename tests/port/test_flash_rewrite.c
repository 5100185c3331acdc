/* SPDX-License-Identifier: Apache-2.0 */
/* Flash that erases and programs in one go, and what NOR rules know without looking. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <unistd.h>

#include "otter/otter_flash_file.h"
#include "otter/otter_flash_nor.h"
#include "otter/otter_flash_ram.h"
#include "tests/support/test.h"

#define SIZE   0x8000u
#define SECTOR 0x1000u

/* A RAM flash that counts reads and can fail. */
typedef struct counter {
    otter_flash_t base;
    otter_flash_ram_t ram;
    uint8_t bytes[SIZE];
    uint32_t reads;
    bool fails;
} counter_t;

static counter_t *counter_of(otter_flash_t *flash)
{
    return (counter_t *)flash;
}

static esp_err_t count_read(otter_flash_t *flash, uint32_t off, void *dst, size_t len)
{
    counter_of(flash)->reads++;
    return otter_flash_read(&counter_of(flash)->ram.base, off, dst, len);
}

static esp_err_t pass_program(otter_flash_t *flash, uint32_t off, const void *src, size_t len)
{
    return otter_flash_program(&counter_of(flash)->ram.base, off, src, len);
}

static esp_err_t pass_erase(otter_flash_t *flash, uint32_t off, size_t len)
{
    return counter_of(flash)->fails ? ESP_ERR_FLASH_OP_FAIL : otter_flash_erase(&counter_of(flash)->ram.base, off, len);
}

static esp_err_t pass_sync(otter_flash_t *flash)
{
    return otter_flash_sync(&counter_of(flash)->ram.base);
}

static const otter_flash_ops_t counter_ops = {
    .read = count_read, .program = pass_program, .erase = pass_erase, .sync = pass_sync};

static otter_flash_t *counter_init(counter_t *counter)
{
    memset(counter, 0, sizeof(*counter)); /* Flash full of 0. */
    counter->base = *otter_flash_ram_init(&counter->ram, counter->bytes, SIZE, SECTOR);
    counter->base.ops = &counter_ops;
    return &counter->base;
}

/* ---- What NOR rules know ---- */

static void what_was_just_erased_is_programmed_without_a_look(void **state)
{
    counter_t counter;
    otter_flash_nor_t nor;
    otter_flash_t *flash = otter_flash_nor_init(&nor, counter_init(&counter));
    (void)state;
    assert_err(otter_flash_erase(flash, 0x1000, 0x1000), ESP_OK);
    assert_err(otter_flash_erase(flash, 0x2000, 0x2000), ESP_OK); /* Goes on from it. */
    for (uint32_t off = 0x1000; off < 0x4000; off += 0x300) {
        assert_err(otter_flash_program(flash, off, counter.bytes, 0x300), ESP_OK);
    }
    assert_int_equal(counter.reads, 0);
    assert_int_equal(nor.violations, 0);
}

static void what_was_programmed_since_is_looked_at(void **state)
{
    counter_t counter;
    otter_flash_nor_t nor;
    otter_flash_t *flash = otter_flash_nor_init(&nor, counter_init(&counter));
    (void)state;
    assert_err(otter_flash_erase(flash, 0x1000, 0x1000), ESP_OK);
    assert_err(otter_flash_program(flash, 0x1400, "\x0F", 1), ESP_OK);
    assert_err(otter_flash_program(flash, 0x1400, "\xF0", 1), ESP_ERR_FLASH_OP_FAIL);
    assert_err(otter_flash_program(flash, 0x13FF, "\xAA\xF0", 2), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(nor.violations, 2);
    assert_err(otter_flash_program(flash, 0x13FF, "\xAA\x0E", 2), ESP_OK);
    assert_true(counter.reads >= 3);
}

static void what_lies_around_an_erase_is_looked_at(void **state)
{
    counter_t counter;
    otter_flash_nor_t nor;
    otter_flash_t *flash = otter_flash_nor_init(&nor, counter_init(&counter));
    (void)state;
    assert_err(otter_flash_program(flash, 0, "\x01", 1), ESP_ERR_FLASH_OP_FAIL); /* Nothing was erased yet. */
    assert_err(otter_flash_erase(flash, 0x1000, 0x1000), ESP_OK);
    assert_err(otter_flash_program(flash, 0x0FFF, "\x01\x01", 2), ESP_ERR_FLASH_OP_FAIL);
    assert_err(otter_flash_program(flash, 0x1FFF, "\x01\x01", 2), ESP_ERR_FLASH_OP_FAIL);
    assert_err(otter_flash_program(flash, 0x2000, "\x01", 1), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(nor.violations, 4);
}

static void another_erase_is_no_reason_to_forget_what_was_programmed(void **state)
{
    counter_t counter;
    otter_flash_nor_t nor;
    otter_flash_t *flash = otter_flash_nor_init(&nor, counter_init(&counter));
    (void)state;
    assert_err(otter_flash_erase(flash, 0x1000, 0x1000), ESP_OK);
    assert_err(otter_flash_program(flash, 0x1000, "\x01", 1), ESP_OK);
    assert_err(otter_flash_erase(flash, 0x2000, 0x1000), ESP_OK);
    assert_err(otter_flash_program(flash, 0x1000, "\x02", 1), ESP_ERR_FLASH_OP_FAIL);
    assert_err(otter_flash_erase(flash, 0x5000, 0x1000), ESP_OK); /* Elsewhere: the first place is looked at again. */
    assert_err(otter_flash_program(flash, 0x1000, "\x02", 1), ESP_ERR_FLASH_OP_FAIL);
    assert_err(otter_flash_program(flash, 0x2000, "\x02", 1), ESP_OK);
}

static void an_erase_that_failed_is_not_believed(void **state)
{
    counter_t counter;
    otter_flash_nor_t nor;
    otter_flash_t *flash = otter_flash_nor_init(&nor, counter_init(&counter));
    (void)state;
    counter.fails = true;
    assert_err(otter_flash_erase(flash, 0x1000, 0x1000), ESP_ERR_FLASH_OP_FAIL);
    assert_err(otter_flash_program(flash, 0x1000, "\x01", 1), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(nor.violations, 1);
}

static void nor_rules_over_a_flash_that_cannot_rewrite_do_not_offer_it(void **state)
{
    counter_t counter;
    otter_flash_nor_t nor;
    (void)state;
    assert_null(otter_flash_nor_init(&nor, counter_init(&counter))->ops->rewrite);
}

/* ---- Rewriting a file ---- */

typedef struct bench {
    char path[64];
    otter_flash_file_t file;
    otter_flash_nor_t nor;
    otter_flash_t *flash;
} bench_t;

/* A file full of 0x5A. */
static int open_bench(void **state)
{
    bench_t *bench = calloc(1, sizeof(*bench));
    assert_non_null(bench);
    (void)snprintf(bench->path, sizeof(bench->path), "/tmp/otter-rewrite-XXXXXX");
    int fd = mkstemp(bench->path);
    uint8_t old[SIZE];
    memset(old, 0x5A, sizeof(old));
    assert_int_equal(write(fd, old, sizeof(old)), sizeof(old));
    assert_int_equal(close(fd), 0);
    assert_err(otter_flash_file_open(&bench->file, bench->path, SECTOR, OTTER_FLASH_FILE_WRITE), ESP_OK);
    bench->flash = otter_flash_nor_init(&bench->nor, &bench->file.base);
    *state = bench;
    return 0;
}

static int close_bench(void **state)
{
    bench_t *bench = *state;
    otter_flash_file_close(&bench->file);
    (void)unlink(bench->path);
    free(bench);
    return 0;
}

static void check_bytes(bench_t *bench, uint32_t from, uint32_t to, uint8_t wanted)
{
    uint8_t found[SIZE];
    assert_err(otter_flash_read(bench->flash, from, found, to - from), ESP_OK);
    for (uint32_t i = 0; i < to - from; i++) {
        assert_int_equal(found[i], wanted);
    }
}

static void a_rewritten_file_holds_the_bytes_and_ff_up_to_the_end_of_the_sector(void **state)
{
    bench_t *bench = *state;
    uint8_t bytes[SECTOR + 100];
    memset(bytes, 0x11, sizeof(bytes));
    assert_non_null(bench->flash->ops->rewrite);
    assert_err(bench->flash->ops->rewrite(bench->flash, 0x2000, bytes, sizeof(bytes)), ESP_OK);
    check_bytes(bench, 0, 0x2000, 0x5A);
    check_bytes(bench, 0x2000, 0x3000 + 100, 0x11);
    check_bytes(bench, 0x3000 + 100, 0x4000, 0xFF);
    check_bytes(bench, 0x4000, SIZE, 0x5A);
}

static void a_rewrite_of_whole_sectors_touches_no_other(void **state)
{
    bench_t *bench = *state;
    uint8_t bytes[SECTOR];
    memset(bytes, 0x22, sizeof(bytes));
    assert_err(bench->flash->ops->rewrite(bench->flash, 0x7000, bytes, sizeof(bytes)), ESP_OK);
    check_bytes(bench, 0, 0x7000, 0x5A);
    check_bytes(bench, 0x7000, SIZE, 0x22);
}

static void behind_a_rewrite_the_sector_can_be_programmed_and_not_before(void **state)
{
    bench_t *bench = *state;
    assert_err(bench->flash->ops->rewrite(bench->flash, 0x2000, "\x01\x02", 2), ESP_OK);
    assert_err(otter_flash_program(bench->flash, 0x2002, "\x03", 1), ESP_OK);
    assert_err(otter_flash_program(bench->flash, 0x2001, "\x04", 1), ESP_ERR_FLASH_OP_FAIL);
    assert_err(otter_flash_program(bench->flash, 0x3000, "\xFF", 1), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(bench->nor.violations, 2);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_was_just_erased_is_programmed_without_a_look),
    cmocka_unit_test(what_was_programmed_since_is_looked_at),
    cmocka_unit_test(what_lies_around_an_erase_is_looked_at),
    cmocka_unit_test(another_erase_is_no_reason_to_forget_what_was_programmed),
    cmocka_unit_test(an_erase_that_failed_is_not_believed),
    cmocka_unit_test(nor_rules_over_a_flash_that_cannot_rewrite_do_not_offer_it),
    cmocka_unit_test_setup_teardown(a_rewritten_file_holds_the_bytes_and_ff_up_to_the_end_of_the_sector, open_bench,
                                    close_bench),
    cmocka_unit_test_setup_teardown(a_rewrite_of_whole_sectors_touches_no_other, open_bench, close_bench),
    cmocka_unit_test_setup_teardown(behind_a_rewrite_the_sector_can_be_programmed_and_not_before, open_bench,
                                    close_bench),
};

TEST_MAIN(tests)
