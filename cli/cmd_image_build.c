/* SPDX-License-Identifier: Apache-2.0 */
/* otter image build */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/files.h"
#include "core/image/image_build.h"
#include "core/util/bytes.h"

#define LINUX_CHUNK     (IMAGE_SEGMENT_LIMIT - 4096u)
#define ELF_HEADER_MIN  20
#define ELF_OFF_CLASS   4
#define ELF_OFF_ORDER   5
#define ELF_OFF_MACHINE 18
#define ELF_CLASS_32    1
#define ELF_CLASS_64    2
#define ELF_LITTLE      1
#define PART_MAX        IMAGE_MAX_SEGMENTS

/* A segment to be. */
typedef struct part {
    uint32_t addr;
    const uint8_t *bytes;
    size_t len; /* Bytes, before padding to 4. */
} part_t;

/* Everything that goes into the image. */
typedef struct plan {
    uint16_t chip_id;
    bool bootloader; /* No app descriptor. */
    esp_image_header_t header;
    esp_app_desc_t desc;
    size_t count;
    part_t part[PART_MAX];
    uint8_t *loaded[PART_MAX]; /* Contents of files, to be freed. */
} plan_t;

/* ---- The descriptor ---- */

static int put_text(char *field, size_t size, const char *option, const char *text)
{
    size_t len = strlen(text);
    size_t most = size - 1;
    if (len > most) {
        return cli_fail("%s \"%s\" is too long: %zu characters fit", option, text, most);
    }
    memcpy(field, text, len);
    return CLI_OK;
}

/* Seconds since 1970: SOURCE_DATE_EPOCH makes builds repeatable. */
static int build_time(time_t *seconds)
{
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    if (epoch == NULL) {
        *seconds = time(NULL);
        return CLI_OK;
    }
    uint64_t value;
    if (!cli_parse_size(epoch, INT64_MAX, &value)) {
        return cli_fail("SOURCE_DATE_EPOCH is \"%s\", which is no number of seconds", epoch);
    }
    *seconds = (time_t)value;
    return CLI_OK;
}

static int put_date(const cli_args_t *args, esp_app_desc_t *desc)
{
    char date[16] = "";
    char clock[16] = "";
    time_t seconds;
    struct tm utc;
    int status = build_time(&seconds);
    if (status != CLI_OK) {
        return status;
    }
    if (gmtime_r(&seconds, &utc) == NULL || strftime(date, sizeof(date), "%b %e %Y", &utc) == 0 ||
        strftime(clock, sizeof(clock), "%H:%M:%S", &utc) == 0) {
        return cli_fail("SOURCE_DATE_EPOCH is beyond every calendar");
    }
    const char *given_date = cli_value(args, "date");
    const char *given_time = cli_value(args, "time");
    status = put_text(desc->date, sizeof(desc->date), "--date", given_date != NULL ? given_date : date);
    return status != CLI_OK
               ? status
               : put_text(desc->time, sizeof(desc->time), "--time", given_time != NULL ? given_time : clock);
}

static const char *value_or(const cli_args_t *args, const char *option, const char *otherwise)
{
    const char *value = cli_value(args, option);
    return value != NULL ? value : otherwise;
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static int make_desc(const cli_args_t *args, esp_app_desc_t *desc)
{
    const char *source = value_or(args, "elf", value_or(args, "output", ""));
    desc->magic_word = ESP_APP_DESC_MAGIC_WORD;
    int status = put_text(desc->project_name, sizeof(desc->project_name), "--project",
                          value_or(args, "project", file_name(source)));
    if (status == CLI_OK) {
        status = put_text(desc->version, sizeof(desc->version), "--app-version", value_or(args, "app-version", "1"));
    }
    if (status == CLI_OK) {
        status = put_text(desc->idf_ver, sizeof(desc->idf_ver), "--idf-version",
                          value_or(args, "idf-version", "otter-" OTTER_VERSION));
    }
    if (status == CLI_OK) {
        status = cli_size_option(args, "secure-version", &desc->secure_version);
    }
    return status == CLI_OK ? put_date(args, desc) : status;
}

static int hash_elf(const uint8_t *bytes, size_t len, uint8_t hash[OTTER_SHA256_BYTES])
{
    otter_hash_t sha = {0};
    bool done = otter_hash_begin(&sha, OTTER_HASH_SHA256) == ESP_OK && otter_hash_update(&sha, bytes, len) == ESP_OK &&
                otter_hash_finish(&sha, hash) == ESP_OK;
    otter_hash_free(&sha);
    return done ? CLI_OK : cli_fail("the crypto library failed");
}

/* ---- Segments ---- */

/* Programs that a Linux chip runs. */
static const struct {
    uint16_t chip_id;
    uint8_t elf_class;
    uint16_t elf_machine;
} linux_chips[] = {
    {OTTER_CHIP_ID_LINUX_X86_64, ELF_CLASS_64, 62},
    {OTTER_CHIP_ID_LINUX_ARM64, ELF_CLASS_64, 183},
    {OTTER_CHIP_ID_LINUX_RISCV64, ELF_CLASS_64, 243},
    {OTTER_CHIP_ID_LINUX_ARM, ELF_CLASS_32, 40},
};

#define LINUX_CHIP_COUNT (sizeof(linux_chips) / sizeof(linux_chips[0]))

static bool is_linux(uint16_t chip_id)
{
    for (size_t i = 0; i < LINUX_CHIP_COUNT; i++) {
        if (linux_chips[i].chip_id == chip_id) {
            return true;
        }
    }
    return false;
}

static bool runs_on(uint16_t chip_id, const uint8_t *elf)
{
    for (size_t i = 0; i < LINUX_CHIP_COUNT; i++) {
        if (linux_chips[i].chip_id == chip_id) {
            return elf[ELF_OFF_CLASS] == linux_chips[i].elf_class &&
                   bytes_get_u16(elf + ELF_OFF_MACHINE) == linux_chips[i].elf_machine;
        }
    }
    return false;
}

static int check_elf(const char *path, uint16_t chip_id, const uint8_t *bytes, size_t len)
{
    static const uint8_t magic[4] = {0x7F, 'E', 'L', 'F'};
    if (len < ELF_HEADER_MIN || memcmp(bytes, magic, sizeof(magic)) != 0) {
        return cli_fail("%s is no ELF program", path);
    }
    if (bytes[ELF_OFF_ORDER] != ELF_LITTLE || !runs_on(chip_id, bytes)) {
        return cli_fail("%s is an ELF program for another machine than %s; name its own with --chip", path,
                        image_chip_name(chip_id));
    }
    return CLI_OK;
}

static int load(plan_t *plan, const char *path, size_t max_bytes, size_t *len)
{
    return cli_read_file(path, max_bytes, &plan->loaded[plan->count], len);
}

/* Segment 0 is the descriptor alone; the program follows in chunks, each at its offset. */
static int plan_elf(const char *path, plan_t *plan)
{
    size_t len;
    int status = load(plan, path, (PART_MAX - 1) * (size_t)LINUX_CHUNK, &len);
    if (status != CLI_OK) {
        return status;
    }
    const uint8_t *bytes = plan->loaded[0];
    status = check_elf(path, plan->chip_id, bytes, len);
    if (status != CLI_OK) {
        return status;
    }
    plan->part[plan->count++] = (part_t){0};
    for (size_t off = 0; off < len; off += LINUX_CHUNK) {
        size_t chunk = len - off < LINUX_CHUNK ? len - off : LINUX_CHUNK;
        plan->part[plan->count++] = (part_t){IMAGE_LOAD_ADDR_MIN + (uint32_t)off, bytes + off, chunk};
    }
    plan->header.entry_addr = IMAGE_LOAD_ADDR_MIN;
    return hash_elf(bytes, len, plan->desc.app_elf_sha256);
}

static int plan_segment(const cli_args_t *args, const char *text, plan_t *plan)
{
    char number[24];
    uint64_t addr;
    const char *colon = strchr(text, ':');
    size_t digits = colon != NULL ? (size_t)(colon - text) : sizeof(number);
    if (digits >= sizeof(number)) {
        return cli_misuse(args, "--segment %s: it is ADDRESS:FILE", text);
    }
    memcpy(number, text, digits);
    number[digits] = '\0';
    if (!cli_parse_size(number, UINT32_MAX, &addr)) {
        return cli_misuse(args, "--segment %s: %s is no 32-bit address", text, number);
    }
    if (plan->count == PART_MAX) {
        return cli_misuse(args, "an image has %d segments at most", PART_MAX);
    }
    size_t len;
    int status = load(plan, colon + 1, IMAGE_SEGMENT_LIMIT - IMAGE_APP_DESC_BYTES - 4, &len);
    if (status == CLI_OK) {
        plan->part[plan->count] = (part_t){(uint32_t)addr, plan->loaded[plan->count], len};
        plan->count++;
    }
    return status;
}

static int plan_segments(const cli_args_t *args, plan_t *plan)
{
    size_t cursor = 0;
    int status = CLI_OK;
    const char *text = cli_next_value(args, "segment", &cursor);
    while (text != NULL && status == CLI_OK) {
        status = plan_segment(args, text, plan);
        text = cli_next_value(args, "segment", &cursor);
    }
    return status;
}

/* ---- The plan ---- */

static void make_header(plan_t *plan)
{
    plan->header = (esp_image_header_t){
        .magic = ESP_IMAGE_HEADER_MAGIC,
        .wp_pin = 0xEE,
        .chip_id = (esp_chip_id_t)plan->chip_id,
        .max_chip_rev_full = 0xFFFF,
        .hash_appended = 1,
    };
    if (image_max_len(plan->chip_id) == image_max_len(ESP_CHIP_ID_ESP32)) {
        plan->header.spi_mode = ESP_IMAGE_SPI_MODE_DIO;
        plan->header.spi_speed = ESP_IMAGE_SPI_SPEED_DIV_1;
        plan->header.spi_size = ESP_IMAGE_FLASH_SIZE_4MB;
    }
}

static int check_usage(const cli_args_t *args, const plan_t *plan, bool any_chip)
{
    bool elf = cli_has(args, "elf");
    if (any_chip) {
        return cli_misuse(args, "an image is for one chip: --chip any is none");
    }
    if (cli_value(args, "output") == NULL) {
        return cli_misuse(args, "where to? give -o FILE");
    }
    if (elf == cli_has(args, "segment")) {
        return cli_misuse(args, "give either --elf FILE or --segment ADDRESS:FILE");
    }
    if (elf != is_linux(plan->chip_id)) {
        return cli_misuse(args, elf ? "--elf is for Linux chips; others take --segment ADDRESS:FILE"
                                    : "a Linux chip takes --elf FILE; name another with --chip");
    }
    return elf && plan->bootloader ? cli_misuse(args, "Linux chips have no bootloader image") : CLI_OK;
}

static int make_plan(const cli_args_t *args, plan_t *plan)
{
    bool any_chip;
    int status = cli_chip_option(args, &plan->chip_id, &any_chip);
    plan->bootloader = cli_has(args, "bootloader");
    if (status == CLI_OK) {
        status = check_usage(args, plan, any_chip);
    }
    if (status == CLI_OK) {
        make_header(plan);
        status = make_desc(args, &plan->desc);
    }
    if (status == CLI_OK) {
        status = cli_has(args, "elf") ? plan_elf(cli_value(args, "elf"), plan) : plan_segments(args, plan);
    }
    if (status == CLI_OK) {
        uint32_t entry = plan->header.entry_addr; /* The header is packed: no pointer into it. */
        status = cli_size_option(args, "entry", &entry);
        plan->header.entry_addr = entry;
        plan->header.segment_count = (uint8_t)plan->count;
    }
    return status;
}

static void free_plan(plan_t *plan)
{
    for (size_t i = 0; i < PART_MAX; i++) {
        free(plan->loaded[i]);
    }
}

/* ---- Writing ---- */

/* Where finished bytes go: into the file, and through the walk that devices will do. */
typedef struct outlet {
    cli_file_out_t file;
    image_walk_t walk;
    int status;
} outlet_t;

static esp_err_t emit(void *arg, const uint8_t *bytes, size_t len)
{
    outlet_t *outlet = arg;
    image_feed(&outlet->walk, bytes, len, NULL);
    outlet->status = cli_file_write(&outlet->file, bytes, len);
    return outlet->status == CLI_OK ? ESP_OK : ESP_FAIL;
}

static esp_err_t build_part(image_build_t *build, const part_t *part, const esp_app_desc_t *desc)
{
    static const uint8_t zeros[3] = {0};
    size_t padding = (4 - part->len % 4) % 4;
    size_t before = desc != NULL ? sizeof(*desc) : 0;
    esp_err_t err = image_build_segment(build, part->addr, (uint32_t)(before + part->len + padding));
    if (err == ESP_OK && desc != NULL) {
        err = image_build_data(build, (const uint8_t *)desc, sizeof(*desc));
    }
    if (err == ESP_OK && part->len != 0) {
        err = image_build_data(build, part->bytes, part->len);
    }
    return err == ESP_OK && padding != 0 ? image_build_data(build, zeros, padding) : err;
}

static esp_err_t build_image(const plan_t *plan, outlet_t *outlet)
{
    image_build_t build;
    esp_err_t err = image_build_begin(&build, &plan->header, emit, outlet);
    for (size_t i = 0; i < plan->count && err == ESP_OK; i++) {
        bool has_desc = i == 0 && !plan->bootloader;
        err = build_part(&build, &plan->part[i], has_desc ? &plan->desc : NULL);
    }
    if (err == ESP_OK) {
        err = image_build_finish(&build);
    }
    image_build_free(&build);
    return err;
}

/* Nothing that a device would refuse gets the file's name. */
static int commit(const char *path, esp_err_t err, outlet_t *outlet)
{
    if (outlet->status != CLI_OK) {
        return outlet->status;
    }
    if (err != ESP_OK) {
        return cli_fail("%s: cannot build the image: %s", path, esp_err_to_name(err));
    }
    image_fault_t fault = image_finish(&outlet->walk);
    if (fault == IMAGE_FAULT_ADDRESS) {
        return cli_fail("%s: the segment at image offset 0x%x cannot be mapped: address and offset of its data must be "
                        "equal within a 64 KiB page",
                        path, outlet->walk.fault_off);
    }
    if (fault != IMAGE_OK) {
        return cli_fail("%s: no device would accept it: %s", path, image_fault_text(fault));
    }
    return cli_file_commit(&outlet->file);
}

static int write_image(const char *path, const plan_t *plan)
{
    outlet_t outlet = {.status = CLI_OK};
    image_expect_t expect = {
        .kind = plan->bootloader ? IMAGE_KIND_BOOTLOADER : IMAGE_KIND_APP,
        .max_len = image_max_len(plan->chip_id),
        .any_chip = true,
    };
    int status = cli_file_begin(&outlet.file, path, 0666);
    if (status != CLI_OK) {
        return status;
    }
    esp_err_t err = image_begin(&outlet.walk, &expect, NULL);
    if (err == ESP_OK) {
        err = build_image(plan, &outlet);
    }
    status = commit(path, err, &outlet);
    image_free(&outlet.walk);
    cli_file_discard(&outlet.file);
    return status;
}

static int run(const cli_args_t *args)
{
    plan_t plan = {0};
    int status = make_plan(args, &plan);
    if (status == CLI_OK) {
        status = write_image(cli_value(args, "output"), &plan);
    }
    free_plan(&plan);
    return status;
}

static const cli_option_t options[] = {
    CLI_OPTION_OUTPUT("image to write"),
    {.name = "elf", .value = "FILE", .help = "program, for a Linux chip"},
    {.name = "segment", .value = "ADDR:FILE", .help = "raw segment, for other chips; in order", .repeated = true},
    {.name = "chip", .value = "NAME", .help = "chip that it is for (default: this machine)"},
    {.name = "project", .value = "NAME", .help = "project name (default: name of the ELF or output file)"},
    {.name = "app-version", .value = "TEXT", .help = "version (default: 1)"},
    {.name = "secure-version", .value = "N", .help = "anti-rollback version (default: 0)"},
    {.name = "idf-version", .value = "TEXT", .help = "what it was built with (default: this Otter)"},
    {.name = "date", .value = "TEXT", .help = "date of the build (default: now)"},
    {.name = "time", .value = "TEXT", .help = "time of the build (default: now)"},
    {.name = "entry", .value = "ADDR", .help = "address where execution starts (default: 0)"},
    {.name = "bootloader", .help = "a bootloader image: no app descriptor is added"},
    CLI_OPTIONS_END,
};

const cli_command_t cmd_image_build = {
    .group = "image",
    .name = "build",
    .summary = "make an app image from a program or from raw segments",
    .arguments = "",
    .min_args = 0,
    .max_args = 0,
    .options = options,
    .details = "With --elf the image holds the 256-byte descriptor and the program as it is. With\n"
               "--segment the first segment is the descriptor with the file behind it, loaded at\n"
               "ADDR; files are padded with zeros to a multiple of 4 bytes. Date and time are UTC,\n"
               "and those of SOURCE_DATE_EPOCH if that is set: the same input then gives the same\n"
               "bytes. The finished image is checked as a device would before it gets its name.\n",
    .run = run,
};
