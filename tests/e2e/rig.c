/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "tests/e2e/rig.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/test.h"

#define PATIENCE_MS 30000

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void in_folder(const rig_t *rig, const char *name, char *path, size_t size)
{
    int len = snprintf(path, size, "%s/%s", rig->folder, name);
    assert_true(len > 0 && (size_t)len < size);
}

void rig_setup(rig_t *rig)
{
    *rig = (rig_t){.folder = "/tmp/otter-e2e-XXXXXX", .log_fd = -1};
    assert_non_null(mkdtemp(rig->folder));
    in_folder(rig, "flash.bin", rig->flash, sizeof(rig->flash));
    rig->ca = certs_ca_new("end-to-end test CA");
    char path[128];
    in_folder(rig, "ca.pem", path, sizeof(path));
    write_file(path, certs_ca_pem(rig->ca));
    in_folder(rig, "www", path, sizeof(path));
    assert_int_equal(mkdir(path, 0755), 0);
    (void)unsetenv("OTTER_TEST_URL");
}

static int wait_for(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0) {
        assert_int_equal(errno, EINTR);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static pid_t spawn_program(const char *const arguments[], int output)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    if (output >= 0) {
        assert_int_equal(posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO), 0);
        assert_int_equal(posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO), 0);
    }
    assert_int_equal(posix_spawn(&pid, arguments[0], &actions, NULL, (char *const *)(uintptr_t)arguments, environ), 0);
    (void)posix_spawn_file_actions_destroy(&actions);
    return pid;
}

void rig_stop_serving(rig_t *rig)
{
    if (rig->server > 0) {
        (void)kill(rig->server, SIGTERM);
        assert_int_equal(wait_for(rig->server), 0);
    }
    rig->server = 0;
}

void rig_teardown(rig_t *rig)
{
    if (rig->boot > 0) {
        (void)rig_power_off(rig);
    }
    rig_stop_serving(rig);
    const char *const arguments[] = {"/bin/rm", "-rf", rig->folder, NULL};
    assert_int_equal(wait_for(spawn_program(arguments, -1)), 0);
    certs_ca_free(rig->ca);
    free(rig->log);
}

const char *rig_firmware(const char *name)
{
    static char path[512];
    bool is_path = strchr(name, '/') != NULL;
    (void)snprintf(path, sizeof(path), is_path ? "%s%s" : "%s/e2e_%s.bin", is_path ? "" : OTTER_TEST_FIRMWARE_DIR,
                   name);
    assert_int_equal(access(path, R_OK), 0);
    return path;
}

int rig_otter(char *output, size_t size, const char *const arguments[])
{
    const char *all[24] = {OTTER_TEST_OTTER};
    for (size_t i = 0; arguments[i] != NULL; i++) {
        assert_true(i + 2 < sizeof(all) / sizeof(all[0]));
        all[i + 1] = arguments[i];
    }
    int pipe_fds[2];
    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    pid_t pid = spawn_program(all, pipe_fds[1]);
    (void)close(pipe_fds[1]);
    size_t used = 0;
    ssize_t got;
    while ((got = read(pipe_fds[0], output + used, size - 1 - used)) > 0) {
        used += (size_t)got;
    }
    output[used] = '\0';
    (void)close(pipe_fds[0]);
    return wait_for(pid);
}

void rig_flash(rig_t *rig, const char *firmware)
{
    char output[4096];
    const char *const arguments[] = {
        "flash", "create", rig->flash, "--size", "16M", "--force", "--app", rig_firmware(firmware), NULL};
    if (rig_otter(output, sizeof(output), arguments) != 0) {
        fail_msg("otter flash create: %s", output);
    }
}

void rig_publish(rig_t *rig, const char *firmware)
{
    char hidden[128];
    char shown[128];
    in_folder(rig, "www/.new", hidden, sizeof(hidden));
    in_folder(rig, "www/firmware.bin", shown, sizeof(shown));
    const char *const arguments[] = {"/bin/cp", rig_firmware(firmware), hidden, NULL};
    assert_int_equal(wait_for(spawn_program(arguments, -1)), 0);
    assert_int_equal(rename(hidden, shown), 0);
}

static int await_port(rig_t *rig, const char *port_file)
{
    for (int tries = 0; tries < PATIENCE_MS / 10; tries++) {
        int port = 0;
        FILE *file = fopen(port_file, "r");
        bool known = file != NULL && fscanf(file, "%d", &port) == 1;
        if (file != NULL) {
            (void)fclose(file);
        }
        if (known) {
            return port;
        }
        int status;
        if (waitpid(rig->server, &status, WNOHANG) != 0) {
            rig->server = 0;
            fail_msg("otterd ended at its start");
        }
        (void)poll(NULL, 0, 10);
    }
    fail_msg("otterd does not say its port");
    return 0;
}

void rig_serve(rig_t *rig, const char *firmware)
{
    char cert[128];
    char key[128];
    char root[128];
    char port_file[128];
    in_folder(rig, "cert.pem", cert, sizeof(cert));
    in_folder(rig, "key.pem", key, sizeof(key));
    in_folder(rig, "www", root, sizeof(root));
    in_folder(rig, "port", port_file, sizeof(port_file));
    certs_leaf_t leaf = certs_leaf_new(rig->ca, &(certs_spec_t){.dns_name = NULL});
    write_file(cert, leaf.cert_pem);
    write_file(key, leaf.key_pem);
    certs_leaf_free(&leaf);
    rig_publish(rig, firmware);

    const char *const arguments[] = {OTTER_TEST_OTTERD, "--listen", "127.0.0.1:0", "--root",  root, "--cert", cert,
                                     "--key",           key,        "--port-file", port_file, NULL};
    rig->server = spawn_program(arguments, -1);
    rig->port = await_port(rig, port_file);
    char url[96];
    char ca[128];
    (void)snprintf(url, sizeof(url), "https://localhost:%d/firmware.bin", rig->port);
    in_folder(rig, "ca.pem", ca, sizeof(ca));
    assert_int_equal(setenv("OTTER_TEST_URL", url, 1), 0);
    assert_int_equal(setenv("OTTER_TEST_CA", ca, 1), 0);
}

void rig_power_on(rig_t *rig, const char *options)
{
    char copy[128];
    const char *arguments[16] = {OTTER_TEST_OTTER, "boot", rig->flash};
    size_t count = 3;
    (void)snprintf(copy, sizeof(copy), "%s", options);
    char *rest = copy;
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        arguments[count++] = word;
    }
    int pipe_fds[2];
    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    rig->boot = spawn_program(arguments, pipe_fds[1]);
    (void)close(pipe_fds[1]);
    rig->log_fd = pipe_fds[0];
    rig->log_len = 0;
    rig->log_taken = 0;
}

/* Reads what the device says. False when it says no more: every process of it has ended. */
static bool listen_on(rig_t *rig, int timeout_ms)
{
    struct pollfd input = {.fd = rig->log_fd, .events = POLLIN};
    if (poll(&input, 1, timeout_ms) <= 0) {
        return true;
    }
    rig->log = realloc(rig->log, rig->log_len + 4097);
    assert_non_null(rig->log);
    ssize_t got = read(rig->log_fd, rig->log + rig->log_len, 4096);
    rig->log_len += got > 0 ? (size_t)got : 0;
    rig->log[rig->log_len] = '\0';
    return got > 0;
}

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void rig_await(rig_t *rig, const char *text)
{
    int64_t deadline = now_ms() + PATIENCE_MS;
    bool more = true;
    for (;;) {
        const char *found = rig->log_len > 0 ? strstr(rig->log + rig->log_taken, text) : NULL;
        if (found != NULL) {
            rig->log_taken = (size_t)(found - rig->log) + strlen(text);
            return;
        }
        if (!more || now_ms() > deadline) {
            fail_msg("the device did not say \"%s\" but:\n%s", text, rig->log_len > 0 ? rig->log : "nothing");
        }
        more = listen_on(rig, 100);
    }
}

long rig_number(const rig_t *rig)
{
    return strtol(rig->log + rig->log_taken, NULL, 10);
}

bool rig_said(const rig_t *rig, const char *text)
{
    return rig->log_len > 0 && strstr(rig->log, text) != NULL;
}

/* Listens until the last process that could say something has ended, so none can be left behind unseen. */
int rig_await_end(rig_t *rig)
{
    int64_t deadline = now_ms() + PATIENCE_MS;
    while (listen_on(rig, 100)) {
        assert_true(now_ms() < deadline);
    }
    (void)close(rig->log_fd);
    rig->log_fd = -1;
    int status = wait_for(rig->boot);
    rig->boot = 0;
    return status;
}

int rig_power_off(rig_t *rig)
{
    (void)kill(rig->boot, SIGTERM);
    return rig_await_end(rig);
}

json_t *rig_facts(const rig_t *rig)
{
    static char output[65536];
    const char *const arguments[] = {"flash", "info", "--json", rig->flash, NULL};
    assert_int_equal(rig_otter(output, sizeof(output), arguments), 0);
    json_error_t error;
    json_t *facts = json_loads(output, 0, &error);
    assert_non_null(facts);
    return facts;
}

static const char *version_in(const json_t *facts, const char *label)
{
    size_t index;
    json_t *app;
    json_array_foreach(json_object_get(facts, "apps"), index, app)
    {
        if (strcmp(json_string_value(json_object_get(app, "partition")), label) == 0) {
            return json_string_value(json_object_get(app, "version"));
        }
    }
    return NULL;
}

void rig_assert_boots(const rig_t *rig, const char *label, const char *version)
{
    json_t *facts = rig_facts(rig);
    const char *boots = json_string_value(json_object_get(json_object_get(facts, "boot"), "partition"));
    assert_non_null(boots);
    assert_string_equal(boots, label);
    const char *found = version_in(facts, label);
    assert_non_null(found);
    assert_string_equal(found, version);
    json_decref(facts);
}

void rig_assert_record(const rig_t *rig, const char *state)
{
    json_t *facts = rig_facts(rig);
    size_t index;
    json_t *record;
    bool found = false;
    json_array_foreach(json_object_get(facts, "otadata"), index, record)
    {
        const char *name = json_string_value(json_object_get(record, "state"));
        found = found || (name != NULL && strcmp(name, state) == 0);
    }
    assert_true(found);
    json_decref(facts);
}
