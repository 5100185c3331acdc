/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "tests/soak/site.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "tests/soak/util.h"
#include "tests/support/certs.h"

#define SERVER_PATIENCE_MS 20000

static const char version_2[] = "2.0.0";

static void put_path(const site_t *site, const char *name, char *path, size_t size)
{
    int len = snprintf(path, size, "%s/%s", site->folder, name);
    errno = ENAMETOOLONG;
    must(len > 0 && (size_t)len < size, "make a path");
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    must(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0, path);
}

static void copy_file(const char *from, const char *to)
{
    int source = open(from, O_RDONLY | O_CLOEXEC);
    int target = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    struct stat stat;
    must(source >= 0 && fstat(source, &stat) == 0, from);
    must(target >= 0, to);
    for (off_t left = stat.st_size; left > 0;) {
        ssize_t done = sendfile(target, source, NULL, (size_t)left);
        must(done > 0, to);
        left -= done;
    }
    (void)close(source);
    must(close(target) == 0, to);
}

/* Large enough for firmware with sanitizers in each of two slots. */
static void create_flash(const site_t *site)
{
    const char *const argv[] = {SOAK_OTTER, "flash", "create", site->fresh, "--size", "8M", "--app", SOAK_V1, NULL};
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int status = await_program(spawn_program(argv, null, -1));
    (void)close(null);
    errno = 0;
    must(status == 0, "create the flash");
}

/* What `otter flash info --json` says; to be given to json_decref(). */
static json_t *read_facts(const char *flash)
{
    const char *const argv[] = {SOAK_OTTER, "flash", "info", "--json", flash, NULL};
    int pipe_fds[2];
    must(pipe2(pipe_fds, O_CLOEXEC) == 0, "make a pipe");
    pid_t pid = spawn_program(argv, pipe_fds[1], -1);
    (void)close(pipe_fds[1]);
    json_t *facts = json_loadfd(pipe_fds[0], JSON_DISABLE_EOF_CHECK, NULL);
    (void)close(pipe_fds[0]);
    (void)await_program(pid);
    errno = EINVAL;
    must(facts != NULL, "read what otter flash info says");
    return facts;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static site_region_t region_of(const json_t *partition)
{
    return (site_region_t){.off = (uint64_t)json_integer_value(json_object_get(partition, "offset")),
                           .len = (uint64_t)json_integer_value(json_object_get(partition, "size"))};
}

static void find_regions(site_t *site)
{
    json_t *facts = read_facts(site->fresh);
    size_t index;
    json_t *partition;
    json_array_foreach(json_object_get(facts, "partitions"), index, partition)
    {
        if (strcmp(text_of(partition, "label"), "otadata") == 0) {
            site->otadata = region_of(partition);
        } else if (strcmp(text_of(partition, "type"), "app") == 0 && site->slot_count < SITE_MAX_SLOTS) {
            site->slot[site->slot_count++] = region_of(partition);
        }
    }
    json_decref(facts);
    errno = EINVAL;
    must(site->otadata.len > 0 && site->slot_count == 2, "find otadata and two slots in the flash");
}

static int await_port(const char *port_file)
{
    for (int tries = 0; tries < SERVER_PATIENCE_MS / 10; tries++) {
        int port = 0;
        FILE *file = fopen(port_file, "r");
        bool known = file != NULL && fscanf(file, "%d", &port) == 1;
        if (file != NULL) {
            (void)fclose(file);
        }
        if (known) {
            return port;
        }
        (void)poll(NULL, 0, 10);
    }
    must(false, "start otterd");
    return 0;
}

static void make_certificates(const site_t *site, const char *cert, const char *key)
{
    char ca_path[96];
    put_path(site, "ca.pem", ca_path, sizeof(ca_path));
    certs_ca_t *ca = certs_ca_new("soak CA");
    certs_leaf_t leaf = certs_leaf_new(ca, &(certs_spec_t){.dns_name = NULL});
    write_file(ca_path, certs_ca_pem(ca));
    write_file(cert, leaf.cert_pem);
    write_file(key, leaf.key_pem);
    certs_leaf_free(&leaf);
    certs_ca_free(ca);
    must(setenv("OTTER_TEST_CA", ca_path, 1) == 0, "set a variable");
}

static void start_server(site_t *site)
{
    char cert[96];
    char key[96];
    char root[96];
    char image[112];
    char port_file[96];
    char log[96];
    put_path(site, "cert.pem", cert, sizeof(cert));
    put_path(site, "key.pem", key, sizeof(key));
    put_path(site, "www", root, sizeof(root));
    put_path(site, "www/firmware.bin", image, sizeof(image));
    put_path(site, "port", port_file, sizeof(port_file));
    make_certificates(site, cert, key);
    must(mkdir(root, 0755) == 0, root);
    copy_file(SOAK_V2, image);
    const char *const argv[] = {SOAK_OTTERD, "--listen", "127.0.0.1:0",  "--root", root,          "--cert",  cert,
                                "--key",     key,        "--access-log", "off",    "--port-file", port_file, NULL};
    put_path(site, "otterd.log", log, sizeof(log));
    int log_fd = open(log, O_WRONLY | O_CREAT | O_CLOEXEC, 0644); /* It complains about clients that vanish. */
    must(log_fd >= 0, log);
    site->server = spawn_program(argv, log_fd, log_fd);
    (void)close(log_fd);
    char url[64];
    (void)snprintf(url, sizeof(url), "https://localhost:%d/firmware.bin", await_port(port_file));
    must(setenv("OTTER_TEST_URL", url, 1) == 0, "set a variable");
}

/* The leak checker of a sanitized build cannot work in a traced process, and would end it with an error. */
static void spare_sanitizer(void)
{
    const char *given = getenv("ASAN_OPTIONS");
    char options[512];
    (void)snprintf(options, sizeof(options), "%s%sdetect_leaks=0", given != NULL ? given : "",
                   given != NULL ? ":" : "");
    must(setenv("ASAN_OPTIONS", options, 1) == 0, "set a variable");
}

void site_setup(site_t *site)
{
    *site = (site_t){.folder = "/tmp/otter-soak-XXXXXX"};
    must(mkdtemp(site->folder) != NULL, "make a folder");
    put_path(site, "flash.bin", site->flash, sizeof(site->flash));
    put_path(site, "fresh.bin", site->fresh, sizeof(site->fresh));
    create_flash(site);
    find_regions(site);
    start_server(site);
    spare_sanitizer();
}

void site_teardown(site_t *site)
{
    if (site->server > 0) {
        (void)kill(site->server, SIGTERM);
        (void)await_program(site->server);
        site->server = 0;
    }
    if (site->folder[0] != '\0') {
        const char *const argv[] = {"/bin/rm", "-rf", site->folder, NULL};
        (void)await_program(spawn_program(argv, -1, -1));
        site->folder[0] = '\0';
    }
}

void site_renew_flash(const site_t *site)
{
    copy_file(site->fresh, site->flash);
}

/* Of the entries about a partition the newest: two otadata records can name the same one. */
static const json_t *entry_about(const json_t *array, const char *partition)
{
    const json_t *found = NULL;
    size_t index;
    json_t *entry;
    json_array_foreach(array, index, entry)
    {
        bool is_newer = found == NULL || json_integer_value(json_object_get(entry, "seq")) >
                                             json_integer_value(json_object_get(found, "seq"));
        if (strcmp(text_of(entry, "partition"), partition) == 0 && is_newer) {
            found = entry;
        }
    }
    return found;
}

const char *site_judge_flash(const site_t *site)
{
    json_t *facts = read_facts(site->flash);
    const char *boots = text_of(json_object_get(facts, "boot"), "partition");
    const json_t *app = entry_about(json_object_get(facts, "apps"), boots);
    const json_t *record = entry_about(json_object_get(facts, "otadata"), boots);
    const char *verdict = NULL;
    if (strcmp(text_of(app, "version"), version_2) != 0) {
        verdict = "otter flash info: it is not version 2 that boots";
    } else if (!json_is_true(json_object_get(app, "valid"))) {
        verdict = "otter flash info: version 2 is not valid";
    } else if (strcmp(text_of(record, "state"), "VALID") != 0) {
        verdict = "otter flash info: version 2 is not confirmed";
    }
    json_decref(facts);
    return verdict;
}

bool site_flash_is_free(const site_t *site)
{
    int fd = open(site->flash, O_RDWR | O_CLOEXEC);
    must(fd >= 0, site->flash);
    bool is_free = flock(fd, LOCK_EX | LOCK_NB) == 0;
    (void)close(fd);
    return is_free;
}
