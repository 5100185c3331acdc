/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/servers/site.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/test.h"

enum { PATIENCE_MS = 10000, STEP_MS = 5 };

void site_skip(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "SKIPPED: ");
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n");
    va_end(args);
    exit(TEST_SKIPPED);
}

const char *site_need(const char *program)
{
    static char path[256];
    char folders[2048];
    const char *own = getenv("PATH");
    snprintf(folders, sizeof(folders), "%s:/usr/sbin:/sbin", own != NULL ? own : "/usr/bin:/bin");
    for (char *rest = folders, *folder; (folder = strtok_r(rest, ":", &rest)) != NULL;) {
        snprintf(path, sizeof(path), "%s/%s", folder, program);
        if (access(path, X_OK) == 0) {
            return path;
        }
    }
    site_skip("the program %s is not installed", program);
}

/* ---- the folder ---- */

char *site_path(const site_t *site, const char *name, char path[static SITE_PATH_BYTES])
{
    snprintf(path, SITE_PATH_BYTES, "%s/%s", site->home, name);
    return path;
}

void site_put(const site_t *site, const char *name, const void *bytes, size_t len)
{
    char path[SITE_PATH_BYTES];
    FILE *file = fopen(site_path(site, name, path), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void make_certificates(site_t *site)
{
    site->ca = certs_ca_new("Test CA");
    site->ca_pem = certs_ca_pem(site->ca);
    certs_leaf_t leaf = certs_leaf_new(site->ca, &(certs_spec_t){.dns_name = "localhost,IP:127.0.0.1", .ip = "::1"});
    site_put(site, "ca.pem", site->ca_pem, strlen(site->ca_pem));
    site_put(site, "cert.pem", leaf.cert_pem, strlen(leaf.cert_pem));
    site_put(site, "key.pem", leaf.key_pem, strlen(leaf.key_pem));
    certs_leaf_free(&leaf);
}

void site_begin(site_t *site)
{
    char path[SITE_PATH_BYTES];
    *site = (site_t){.home = "/tmp/otter-servers-XXXXXX"};
    assert_non_null(mkdtemp(site->home));
    /* Servers change their user before they read. */
    assert_int_equal(chmod(site->home, 0755), 0);
    assert_int_equal(mkdir(site_path(site, "www", path), 0755), 0);
    assert_int_equal(mkdir(site_path(site, "tmp", path), 0755), 0);
    make_certificates(site);
}

void site_end(site_t *site)
{
    char command[96];
    for (size_t i = 0; i < site->server_count; i++) {
        site_stop(&site->servers[i], SIGTERM);
    }
    certs_ca_free(site->ca);
    snprintf(command, sizeof(command), "rm -rf '%s'", site->home);
    assert_int_equal(system(command), 0);
}

static const char *user_name(void)
{
    const struct passwd *user = getpwuid(geteuid());
    return user != NULL ? user->pw_name : "nobody";
}

void site_configure(const site_t *site, const char *name, const char *text, uint16_t port)
{
    char path[SITE_PATH_BYTES];
    char number[8];
    snprintf(number, sizeof(number), "%u", port);
    const struct {
        const char *mark;
        const char *value;
    } marks[] = {{"@HOME@", site->home}, {"@PORT@", number}, {"@USER@", user_name()}};
    FILE *file = fopen(site_path(site, name, path), "w");
    assert_non_null(file);
    while (*text != '\0') {
        size_t skip = 0;
        for (size_t i = 0; i < 3 && skip == 0; i++) {
            if (strncmp(text, marks[i].mark, strlen(marks[i].mark)) == 0) {
                skip = strlen(marks[i].mark);
                fputs(marks[i].value, file);
            }
        }
        if (skip == 0) {
            fputc(*text, file);
            skip = 1;
        }
        text += skip;
    }
    assert_int_equal(fclose(file), 0);
}

char *site_read(const site_t *site, const char *name)
{
    char path[SITE_PATH_BYTES];
    struct stat stat;
    FILE *file = fopen(site_path(site, name, path), "r");
    if (file == NULL) {
        return calloc(1, 1);
    }
    assert_int_equal(fstat(fileno(file), &stat), 0);
    char *text = calloc(1, (size_t)stat.st_size + 1);
    assert_non_null(text);
    text[fread(text, 1, (size_t)stat.st_size, file)] = '\0';
    fclose(file);
    return text;
}

/* ---- processes ---- */

static void wait_step(void)
{
    nanosleep(&(struct timespec){.tv_nsec = STEP_MS * 1000000L}, NULL);
}

static int loopback_socket(uint16_t port, struct sockaddr_in *address)
{
    *address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    return fd;
}

uint16_t site_free_port(void)
{
    struct sockaddr_in address;
    socklen_t len = sizeof(address);
    int fd = loopback_socket(0, &address);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static bool accepts(uint16_t port)
{
    struct sockaddr_in address;
    int fd = loopback_socket(port, &address);
    bool good = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    close(fd);
    return good;
}

bool site_await_port(uint16_t port)
{
    for (int waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += STEP_MS) {
        if (accepts(port)) {
            return true;
        }
        wait_step();
    }
    return false;
}

static void become(const site_t *site, const char *folder, const char *const argv[], const char *name)
{
    char file[64];
    char path[SITE_PATH_BYTES];
    snprintf(file, sizeof(file), "%s.out", name);
    int out = open(site_path(site, file, path), O_WRONLY | O_CREAT | O_APPEND, 0644);
    int in = open("/dev/null", O_RDONLY);
    /* Not killed: some have children to end. */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (out < 0 || in < 0 || chdir(site_path(site, folder, path)) != 0) {
        _exit(127);
    }
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

static void print_output(const site_t *site, const char *name)
{
    char file[64];
    snprintf(file, sizeof(file), "%s.out", name);
    char *text = site_read(site, file);
    print_message("%s: %s\n", name, text);
    free(text);
}

site_server_t *site_start(site_t *site, const char *folder, const char *const argv[], const char *name, uint16_t port)
{
    assert_true(site->server_count < SITE_SERVERS);
    site_server_t *server = &site->servers[site->server_count++];
    *server = (site_server_t){.port = port, .name = name};
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0) {
        become(site, folder, argv, name);
    }
    for (int waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += STEP_MS) {
        if (waitpid(server->pid, NULL, WNOHANG) == server->pid) {
            server->pid = 0;
            break;
        }
        if (accepts(port)) {
            return server;
        }
        wait_step();
    }
    print_output(site, name);
    return NULL;
}

void site_stop(site_server_t *server, int signal_number)
{
    if (server->pid > 0) {
        kill(server->pid, signal_number);
        waitpid(server->pid, NULL, 0);
        server->pid = 0;
    }
}

/* The processes that one has started. @return how many, at most @p most */
static size_t list_children(pid_t parent, pid_t *children, size_t most)
{
    char path[64];
    size_t count = 0;
    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)parent, (int)parent);
    FILE *file = fopen(path, "r");
    while (file != NULL && count < most && fscanf(file, "%d", &children[count]) == 1) {
        count++;
    }
    if (file != NULL) {
        fclose(file);
    }
    return count;
}

void site_kill_children(const site_server_t *server)
{
    pid_t all[32] = {server->pid};
    size_t count = 1;
    for (size_t i = 0; i < count; i++) {
        count += list_children(all[i], all + count, sizeof(all) / sizeof(all[0]) - count);
    }
    assert_true(count > 1);
    for (size_t i = 1; i < count; i++) {
        kill(all[i], SIGKILL);
    }
}

/* ---- logs ---- */

static bool has_all(const char *line, size_t len, const char *const *texts)
{
    for (; *texts != NULL; texts++) {
        if (memmem(line, len, *texts, strlen(*texts)) == NULL) {
            return false;
        }
    }
    return true;
}

size_t site_count_lines(const site_t *site, const char *name, const char *const *texts)
{
    size_t count = 0;
    char *text = site_read(site, name);
    for (const char *line = text; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        count += has_all(line, len, texts);
        line += len + (line[len] == '\n');
    }
    free(text);
    return count;
}

void site_expect_line(const site_t *site, const char *name, const char *const *texts)
{
    for (int waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += STEP_MS) {
        if (site_count_lines(site, name, texts) > 0) {
            return;
        }
        wait_step();
    }
    char *text = site_read(site, name);
    fail_msg("no line with '%s' ... in %s:\n%s", texts[0], name, text);
}
