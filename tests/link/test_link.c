/* SPDX-License-Identifier: Apache-2.0 */
/* An update by the real programs, `otterd` and `otter ota update`, over a bad link. Takes root and /dev/net/tun. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/link/relay.h"
#include "tests/support/certs.h"
#include "tests/support/image_fixture.h"
#include "tests/support/run_program.h"
#include "tests/support/test.h"

#define PATIENCE_MS  50000
#define OUTAGE_MS    20000
#define SECTOR_BYTES 4096u
#define SLOT         "ota_1" /* The old app lies in ota_0. */

/* A server and a device with a flash file, at the two ends of a link. */
typedef struct bench {
    char folder[64];
    char path[8][128]; /* For in_folder(): eight names at a time. */
    unsigned next_path;
    relay_t *relay;
    pid_t server;
    uint8_t *image;
    size_t image_len;
    uint32_t slot_off;
    char url[96];
} bench_t;

static const char *in_folder(bench_t *bench, const char *name)
{
    char *path = bench->path[bench->next_path++ % 8];
    (void)snprintf(path, sizeof(bench->path[0]), "%s/%s", bench->folder, name);
    return path;
}

static void sleep_ms(long ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    while (nanosleep(&pause, &pause) != 0 && errno == EINTR) {
    }
}

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void write_file(const char *path, const void *bytes, size_t len)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

/* Its text, to be freed; "" while it is not there. */
static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    if (file != NULL) {
        (void)fread(text, 1, (1 << 20) - 1, file);
        (void)fclose(file);
    }
    return text;
}

static void otter(const char *const argv[])
{
    run_result_t result = run_program(argv, NULL);
    if (result.status != 0) {
        fail_msg("%s %s: %s", argv[1], argv[2], result.err);
    }
    run_free(&result);
}

/* ---- Set-up ---- */

static void make_image(bench_t *bench, uint32_t bytes, const char *version, const char *path)
{
    fixture_image_t spec = FIXTURE_IMAGE("link", version);
    spec.segment_bytes[0] = bytes;
    spec.segment_bytes[1] = 0;
    free(bench->image);
    bench->image = fixture_image(&spec, &bench->image_len);
    write_file(path, bench->image, bench->image_len);
}

static void make_certs(bench_t *bench)
{
    certs_ca_t *ca = certs_ca_new("link test CA");
    certs_leaf_t leaf = certs_leaf_new(ca, &(certs_spec_t){.ip = RELAY_SERVER_ADDRESS});
    write_file(in_folder(bench, "ca.pem"), certs_ca_pem(ca), strlen(certs_ca_pem(ca)));
    write_file(in_folder(bench, "cert.pem"), leaf.cert_pem, strlen(leaf.cert_pem));
    write_file(in_folder(bench, "key.pem"), leaf.key_pem, strlen(leaf.key_pem));
    certs_leaf_free(&leaf);
    certs_ca_free(ca);
}

/* Where the slot lies in the flash file: where the app that is in it begins. */
static void find_slot(bench_t *bench)
{
    const char *const argv[] = {OTTER_TEST_OTTER, "flash", "info", "--json", in_folder(bench, "flash"), NULL};
    run_result_t result = run_program(argv, NULL);
    const char *at = strstr(result.out, "\"" SLOT "\"");
    assert_non_null(at);
    at = strstr(at, "\"offset\":");
    assert_non_null(at);
    bench->slot_off = (uint32_t)strtoul(at + strlen("\"offset\":"), NULL, 10);
    assert_true(bench->slot_off > 0 && bench->slot_off % SECTOR_BYTES == 0);
    run_free(&result);
}

static void make_flash(bench_t *bench)
{
    make_image(bench, 1280, "1.0", in_folder(bench, "old.bin"));
    const char *const argv[] = {
        OTTER_TEST_OTTER,          "flash", "create", "--size", "4M", "--app", in_folder(bench, "old.bin"),
        in_folder(bench, "flash"), NULL};
    otter(argv);
    find_slot(bench);
}

static void start_server(bench_t *bench)
{
    const char *const argv[] = {OTTER_TEST_OTTERD,
                                "--root",
                                in_folder(bench, "www"),
                                "--listen",
                                RELAY_SERVER_ADDRESS ":0",
                                "--port-file",
                                in_folder(bench, "port"),
                                "--access-log",
                                in_folder(bench, "access.log"),
                                "--cert",
                                in_folder(bench, "cert.pem"),
                                "--key",
                                in_folder(bench, "key.pem"),
                                NULL};
    bench->server = relay_spawn(bench->relay, RELAY_SERVER, argv, in_folder(bench, "otterd.log"));
    assert_true(bench->server > 0);
    char *port = read_file(in_folder(bench, "port"));
    for (int64_t end = now_ms() + PATIENCE_MS; port[0] == '\0' && now_ms() < end;) {
        sleep_ms(20);
        free(port);
        port = read_file(in_folder(bench, "port"));
    }
    if (port[0] == '\0') {
        fail_msg("otterd: %s", read_file(in_folder(bench, "otterd.log")));
    }
    (void)snprintf(bench->url, sizeof(bench->url), "https://" RELAY_SERVER_ADDRESS ":%d/app.bin", atoi(port));
    free(port);
}

static int open_bench(void **state)
{
    const char *why = NULL;
    relay_t *relay = relay_open(&why);
    if (relay == NULL) {
        fprintf(stderr, "SKIPPED: no bad link can be made here: %s\n", why);
        exit(TEST_SKIPPED);
    }
    bench_t *bench = calloc(1, sizeof(*bench));
    assert_non_null(bench);
    bench->relay = relay;
    (void)snprintf(bench->folder, sizeof(bench->folder), "/tmp/otter-link-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    assert_int_equal(mkdir(in_folder(bench, "www"), 0755), 0);
    make_certs(bench);
    make_flash(bench);
    start_server(bench);
    *state = bench;
    return 0;
}

static int wait_for(pid_t pid)
{
    int status = 0;
    for (int64_t end = now_ms() + PATIENCE_MS; waitpid(pid, &status, WNOHANG) == 0;) {
        if (now_ms() > end) {
            (void)kill(pid, SIGKILL);
            (void)waitpid(pid, &status, 0);
            return -1;
        }
        sleep_ms(20);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The access log is whole afterwards. */
static void stop_server(bench_t *bench)
{
    if (bench->server > 0) {
        (void)kill(bench->server, SIGTERM);
        assert_int_equal(wait_for(bench->server), 0);
        bench->server = 0;
    }
}

static int close_bench(void **state)
{
    bench_t *bench = *state;
    stop_server(bench);
    relay_close(bench->relay);
    const char *const argv[] = {"/bin/rm", "-rf", bench->folder, NULL};
    otter(argv);
    free(bench->image);
    free(bench);
    return 0;
}

/* ---- Update ---- */

static pid_t start_update(bench_t *bench)
{
    const char *const argv[] = {OTTER_TEST_OTTER,          "ota",      "update", "--ca", in_folder(bench, "ca.pem"),
                                in_folder(bench, "flash"), bench->url, NULL};
    pid_t update = relay_spawn(bench->relay, RELAY_DEVICE, argv, in_folder(bench, "update.log"));
    assert_true(update > 0);
    return update;
}

static void end_update(bench_t *bench, pid_t update)
{
    int status = wait_for(update);
    if (status != 0) {
        fail_msg("otter ota update ended with %d: %s", status, read_file(in_folder(bench, "update.log")));
    }
}

/* Bytes of the new image that the slot holds, from its start on. */
static size_t count_written(bench_t *bench)
{
    static uint8_t slot[1 << 20];
    size_t len = 0;
    int fd = open(in_folder(bench, "flash"), O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, slot, bench->image_len, (off_t)bench->slot_off), bench->image_len);
    (void)close(fd);
    while (len < bench->image_len && slot[len] == bench->image[len]) {
        len++;
    }
    return len;
}

static void check_installed(bench_t *bench)
{
    assert_int_equal(count_written(bench), bench->image_len);
    const char *const argv[] = {OTTER_TEST_OTTER, "ota", "status", in_folder(bench, "flash"), NULL};
    run_result_t result = run_program(argv, NULL);
    assert_int_equal(result.status, 0);
    assert_non_null(strstr(result.out, "Boots: " SLOT));
    assert_non_null(strstr(result.out, "2.0"));
    run_free(&result);
}

/* ---- Tests ---- */

static void an_update_completes_over_5_percent_loss_and_300_ms_delay(void **state)
{
    bench_t *bench = *state;
    make_image(bench, 192 << 10, "2.0", in_folder(bench, "www/app.bin"));
    relay_set_link(bench->relay, &(relay_link_t){.loss_per_mille = 50, .delay_ms = 300});
    end_update(bench, start_update(bench));
    check_installed(bench);
    relay_counts_t counts = relay_get_counts(bench->relay);
    printf("link: %u packets passed, %u lost, %u delayed, the least by %u ms\n", (unsigned)counts.passed,
           (unsigned)counts.lost, (unsigned)counts.delayed, (unsigned)(counts.least_delay_us / 1000));
    assert_true(counts.lost >= 1);
    assert_true(counts.passed > 40);
    assert_int_equal(counts.delayed, counts.passed);
    assert_true(counts.least_delay_us >= 300000);
    assert_true(counts.device_bytes > bench->image_len);
}

/* A line of the access log. */
typedef struct request {
    int status;
    size_t len; /* Of the body that the answer announces. */
} request_t;

static size_t read_requests(bench_t *bench, request_t *request, size_t most)
{
    char *log = read_file(in_folder(bench, "access.log"));
    size_t count = 0;
    for (const char *at = strstr(log, "\" "); at != NULL && count < most; at = strstr(at + 1, "\" ")) {
        size_t sent = 0;
        assert_int_equal(sscanf(at, "\" %d %zu %zu", &request[count].status, &sent, &request[count].len), 3);
        count++;
    }
    free(log);
    return count;
}

static void await_written(bench_t *bench, size_t bytes)
{
    for (int64_t end = now_ms() + PATIENCE_MS; count_written(bench) < bytes;) {
        assert_true(now_ms() < end);
        sleep_ms(20);
    }
}

/* Every byte that the slot held when the link returned was kept: the server was asked once for all, and then for what follows. */
static void check_ranges(bench_t *bench, size_t kept)
{
    request_t request[16] = {{0}};
    size_t count = read_requests(bench, request, 16);
    size_t whole = 0;
    assert_in_range(count, 2, 16);
    for (size_t i = 0; i < count; i++) {
        printf("server: %d, %zu bytes of %zu\n", request[i].status, request[i].len, bench->image_len);
        if (request[i].status == 200) {
            whole++;
        } else {
            assert_int_equal(request[i].status, 206);
            assert_true(request[i].len > 0);
            assert_true(bench->image_len - request[i].len >= kept);
        }
    }
    assert_int_equal(whole, 1);
}

static void a_link_that_drops_for_20_seconds_does_not_lose_the_download(void **state)
{
    bench_t *bench = *state;
    relay_link_t link = {.delay_ms = 20, .bytes_per_s = 24 << 10};
    make_image(bench, 128 << 10, "2.0", in_folder(bench, "www/app.bin"));
    relay_set_link(bench->relay, &link);
    pid_t update = start_update(bench);
    await_written(bench, 32 << 10);
    link.down = true;
    relay_set_link(bench->relay, &link);
    sleep_ms(OUTAGE_MS);
    size_t kept = count_written(bench);
    relay_counts_t counts = relay_get_counts(bench->relay);
    relay_set_link(bench->relay, &(relay_link_t){.delay_ms = 20});
    end_update(bench, update);
    stop_server(bench);
    check_installed(bench);
    printf("link: %u packets passed, %u blocked while it was down, %zu bytes kept of %zu\n", (unsigned)counts.passed,
           (unsigned)counts.blocked, kept, bench->image_len);
    assert_true(counts.blocked >= 3);
    assert_in_range(kept, 32 << 10, bench->image_len - SECTOR_BYTES);
    check_ranges(bench, kept);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(an_update_completes_over_5_percent_loss_and_300_ms_delay, open_bench, close_bench),
    cmocka_unit_test_setup_teardown(a_link_that_drops_for_20_seconds_does_not_lose_the_download, open_bench,
                                    close_bench),
};

TEST_MAIN(tests)
