/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/otter_flash_cells.h"

#include <stdbool.h>
#include <string.h>

/* Contents of otter_flash_cells_memory.scars. */
#define SCAR_NONE     0
#define SCAR_APART    1 /* Unstable bits change one by one. */
#define SCAR_TOGETHER 2 /* All go up and down together. */

#define PROGRAM_WORD_BYTES 4u
#define ERASE_WORD_BYTES   256u

static const uint8_t blank = 0xFF;

static otter_flash_cells_t *self(otter_flash_t *flash)
{
    return (otter_flash_cells_t *)(void *)flash;
}

/* An operation on the cells: program of bytes, or erase of a sector. */
typedef struct cell_op {
    uint32_t off;
    uint32_t len;
    const uint8_t *src; /* NULL: erase. */
} cell_op_t;

static uint8_t *scar_of(otter_flash_cells_t *cells, uint32_t off)
{
    return &cells->memory.scars[off / cells->base.sector_bytes];
}

/* ---- Reading ---- */

static void read_scarred(otter_flash_cells_t *cells, uint32_t off, uint8_t *dst, size_t len)
{
    uint8_t together = (otter_power_draw(cells->power) & 1) != 0 ? 0xFF : 0;
    for (size_t i = 0; i < len; i++) {
        uint8_t scar = *scar_of(cells, off + (uint32_t)i);
        uint8_t unstable = cells->memory.unstable[off + i];
        if (scar != SCAR_NONE && unstable != 0) {
            uint8_t noise = scar == SCAR_TOGETHER ? together : (uint8_t)otter_power_draw(cells->power);
            dst[i] = (uint8_t)((dst[i] & ~unstable) | (noise & unstable));
        }
    }
}

static bool is_scarred(otter_flash_cells_t *cells, uint32_t off, size_t len)
{
    for (uint32_t at = off; len > 0 && at < off + len; at += cells->base.sector_bytes - at % cells->base.sector_bytes) {
        if (*scar_of(cells, at) != SCAR_NONE) {
            return true;
        }
    }
    return false;
}

static esp_err_t cells_read(otter_flash_t *flash, uint32_t off, void *dst, size_t len)
{
    otter_flash_cells_t *cells = self(flash);
    memcpy(dst, cells->memory.bytes + off, len);
    if (is_scarred(cells, off, len)) {
        read_scarred(cells, off, dst, len);
    }
    return ESP_OK;
}

/* ---- Changing ---- */

static uint8_t wanted(const cell_op_t *op, uint32_t index)
{
    return op->src != NULL ? op->src[index] : blank;
}

/* A byte, done completely: programming makes its 0 bits stable, erasing all. */
static void do_byte(otter_flash_cells_t *cells, const cell_op_t *op, uint32_t index)
{
    uint8_t *byte = &cells->memory.bytes[op->off + index];
    uint8_t *unstable = &cells->memory.unstable[op->off + index];
    if (op->src == NULL) {
        *byte = blank;
        *unstable = 0;
        return;
    }
    uint8_t stuck = op->off + index == cells->stuck_off ? cells->stuck_bit : 0;
    cells->stuck += (*byte & stuck & ~wanted(op, index)) != 0;
    *byte = (uint8_t)(*byte & (wanted(op, index) | stuck));
    *unstable = (uint8_t)(*unstable & wanted(op, index));
}

/* A byte of which the bits in @p done are done; the rest of those that should change become unstable. */
static void half_do_byte(otter_flash_cells_t *cells, const cell_op_t *op, uint32_t index, uint8_t done)
{
    uint8_t *byte = &cells->memory.bytes[op->off + index];
    uint8_t *unstable = &cells->memory.unstable[op->off + index];
    uint8_t target = op->src == NULL ? blank : (uint8_t)(*byte & wanted(op, index));
    uint8_t reset = op->src == NULL ? blank : (uint8_t)~wanted(op, index); /* Unstable bits that it would settle. */
    uint8_t changing = (uint8_t)((*byte ^ target) | (*unstable & reset));
    *byte = (uint8_t)((*byte & ~(changing & done)) | (target & changing & done));
    *unstable = (uint8_t)((*unstable & ~(changing & done)) | (changing & ~done));
}

static void do_range(otter_flash_cells_t *cells, const cell_op_t *op, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        do_byte(cells, op, i);
    }
}

static void scar(otter_flash_cells_t *cells, const cell_op_t *op, uint8_t kind)
{
    for (uint32_t i = 0; i < op->len; i++) {
        half_do_byte(cells, op, i, kind == SCAR_TOGETHER ? 0 : (uint8_t)otter_power_draw(cells->power));
        uint8_t *mark = scar_of(cells, op->off + i);
        *mark = *mark > kind ? *mark : kind;
    }
}

static void do_whole(otter_flash_cells_t *cells, const cell_op_t *op)
{
    do_range(cells, op, 0, op->len);
    if (op->src == NULL) {
        *scar_of(cells, op->off) = SCAR_NONE;
    }
}

static void do_word(otter_flash_cells_t *cells, const cell_op_t *op)
{
    uint32_t word = op->src != NULL ? PROGRAM_WORD_BYTES : ERASE_WORD_BYTES;
    uint32_t from = otter_power_draw(cells->power) % ((op->len + word - 1) / word) * word;
    do_range(cells, op, from, from + word < op->len ? from + word : op->len);
}

static void do_part(otter_flash_cells_t *cells, const cell_op_t *op, otter_cut_t cut)
{
    if (op->len == 0) {
        return;
    }
    switch (cut) {
    case OTTER_CUT_PREFIX:
        do_range(cells, op, 0, otter_power_draw(cells->power) % (op->len + 1));
        break;
    case OTTER_CUT_BITS:
        scar(cells, op, SCAR_APART);
        break;
    case OTTER_CUT_WORD:
        do_word(cells, op);
        break;
    case OTTER_CUT_WEAK:
        scar(cells, op, SCAR_TOGETHER);
        break;
    case OTTER_CUT_AFTER:
        do_whole(cells, op);
        break;
    default:
        break;
    }
}

static esp_err_t run(otter_flash_cells_t *cells, const cell_op_t *op)
{
    switch (otter_power_begin(cells->power)) {
    case OTTER_POWER_CUT:
        do_part(cells, op, cells->power->cut);
        otter_power_off(cells->power);
    case OTTER_POWER_FAIL:
        do_part(cells, op, OTTER_CUT_PREFIX);
        return ESP_ERR_FLASH_OP_FAIL;
    default:
        do_whole(cells, op);
        return ESP_OK;
    }
}

/* What a program must not do on NOR. Bits that are unstable may be anything. */
static bool breaks_rules(const otter_flash_cells_t *cells, uint32_t off, const uint8_t *src, size_t len)
{
    if (off % cells->base.program_bytes != 0 || len % cells->base.program_bytes != 0) {
        return true;
    }
    for (size_t i = 0; i < len; i++) {
        if ((src[i] & ~(cells->memory.bytes[off + i] | cells->memory.unstable[off + i])) != 0) {
            return true;
        }
    }
    return false;
}

static esp_err_t cells_program(otter_flash_t *flash, uint32_t off, const void *src, size_t len)
{
    otter_flash_cells_t *cells = self(flash);
    if (breaks_rules(cells, off, src, len)) {
        cells->violations++;
        return ESP_ERR_FLASH_OP_FAIL;
    }
    return run(cells, &(cell_op_t){.off = off, .len = (uint32_t)len, .src = src});
}

static esp_err_t erase_sector(otter_flash_cells_t *cells, uint32_t off)
{
    uint32_t *erases = &cells->memory.erases[off / cells->base.sector_bytes];
    if (cells->wear_limit != 0 && *erases >= cells->wear_limit) {
        cells->worn++;
        return ESP_ERR_FLASH_OP_FAIL;
    }
    (*erases)++;
    return run(cells, &(cell_op_t){.off = off, .len = cells->base.sector_bytes});
}

static esp_err_t cells_erase(otter_flash_t *flash, uint32_t off, size_t len)
{
    esp_err_t err = ESP_OK;
    for (uint32_t at = off; at < off + len && err == ESP_OK; at += flash->sector_bytes) {
        err = erase_sector(self(flash), at);
    }
    return err;
}

static esp_err_t cells_sync(otter_flash_t *flash)
{
    return run(self(flash), &(cell_op_t){.src = &blank});
}

static const otter_flash_ops_t cells_ops = {
    .read = cells_read,
    .program = cells_program,
    .erase = cells_erase,
    .sync = cells_sync,
};

otter_flash_t *otter_flash_cells_init(otter_flash_cells_t *cells, const otter_flash_cells_memory_t *memory,
                                      const otter_flash_t *geometry, otter_power_t *power)
{
    *cells = (otter_flash_cells_t){.base = *geometry, .memory = *memory, .power = power};
    cells->base.ops = &cells_ops;
    return &cells->base;
}
