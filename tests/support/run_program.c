/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/run_program.h"
#include "tests/support/test.h"

#define DEFAULT_TIMEOUT_S 60
#define PIECE_BYTES       4096

/* POSIX wants it declared here; with _GNU_SOURCE, as some programs are compiled, it is already. */
extern char **environ; /* NOLINT(readability-redundant-declaration) */

/** A stream being caught: our end, the child's end, and the bytes so far. */
typedef struct stream {
    int ours;
    int theirs;
    char *bytes;
    size_t len;
} stream_t;

static void check(bool good, const char *what)
{
    if (!good) {
        fail_msg("run_program: %s: %s", what, strerror(errno));
    }
}

static void open_pipe(stream_t *stream)
{
    int ends[2];
    check(pipe(ends) == 0, "pipe");
    stream->ours = ends[0];
    stream->theirs = ends[1];
    check(fcntl(stream->ours, F_SETFD, FD_CLOEXEC) == 0, "fcntl");
}

static void open_terminal(stream_t *stream)
{
    stream->ours = posix_openpt(O_RDWR | O_NOCTTY);
    check(stream->ours >= 0 && grantpt(stream->ours) == 0 && unlockpt(stream->ours) == 0, "terminal");
    check(fcntl(stream->ours, F_SETFD, FD_CLOEXEC) == 0, "fcntl");
    stream->theirs = open(ptsname(stream->ours), O_RDWR | O_NOCTTY);
    check(stream->theirs >= 0, "terminal");
}

static void open_stream(stream_t *stream, bool terminal)
{
    if (terminal) {
        open_terminal(stream);
    } else {
        open_pipe(stream);
    }
}

/** Standard input: a file without a name that holds the text. */
static int open_input(const char *text)
{
    FILE *file = tmpfile();
    check(file != NULL, "tmpfile");
    fputs(text != NULL ? text : "", file);
    check(fflush(file) == 0, "input");
    int fd = dup(fileno(file));
    check(fd >= 0 && lseek(fd, 0, SEEK_SET) == 0, "input");
    fclose(file);
    return fd;
}

static void open_output(stream_t *out, const run_options_t *options)
{
    if (options->stdout_path != NULL) {
        out->ours = -1;
        out->theirs = open(options->stdout_path, O_WRONLY | O_CREAT, 0666);
        check(out->theirs >= 0, options->stdout_path);
    } else {
        open_stream(out, options->terminal);
    }
}

/** Takes what there is. @return false at the end of the stream */
static bool take(stream_t *stream)
{
    stream->bytes = realloc(stream->bytes, stream->len + PIECE_BYTES + 1);
    check(stream->bytes != NULL, "memory");
    ssize_t got = read(stream->ours, stream->bytes + stream->len, PIECE_BYTES);
    stream->len += got > 0 ? (size_t)got : 0;
    stream->bytes[stream->len] = '\0';
    return got > 0 || (got < 0 && errno == EINTR);
}

static void close_stream(stream_t *stream)
{
    if (stream->ours >= 0) {
        close(stream->ours);
        stream->ours = -1;
    }
}

static void catch_streams(pid_t child, stream_t *out, stream_t *err, int timeout_s)
{
    time_t deadline = time(NULL) + timeout_s;
    while (out->ours >= 0 || err->ours >= 0) {
        struct pollfd fds[2] = {{.fd = out->ours, .events = POLLIN}, {.fd = err->ours, .events = POLLIN}};
        int ready = poll(fds, 2, 1000);
        if (time(NULL) > deadline) {
            kill(child, SIGKILL);
            fail_msg("run_program: it hangs");
        }
        if (ready > 0 && fds[0].revents != 0 && !take(out)) {
            close_stream(out);
        }
        if (ready > 0 && fds[1].revents != 0 && !take(err)) {
            close_stream(err);
        }
    }
}

static int await(pid_t child)
{
    int state = 0;
    while (waitpid(child, &state, 0) < 0) {
        check(errno == EINTR, "waitpid");
    }
    return WIFSIGNALED(state) ? -WTERMSIG(state) : WEXITSTATUS(state);
}

static pid_t spawn(const char *const argv[], int in, int out, int err)
{
    pid_t child = 0;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
    posix_spawn_file_actions_addclose(&actions, in);
    posix_spawn_file_actions_addclose(&actions, out);
    posix_spawn_file_actions_addclose(&actions, err);
    errno = posix_spawnp(&child, argv[0], &actions, NULL, (char *const *)argv, environ);
    check(errno == 0, argv[0]);
    posix_spawn_file_actions_destroy(&actions);
    return child;
}

/** What was caught; "" if the stream said nothing. */
static char *text_of(const stream_t *stream)
{
    return stream->bytes != NULL ? stream->bytes : calloc(1, 1);
}

run_result_t run_program(const char *const argv[], const run_options_t *options)
{
    static const run_options_t defaults = {0};
    stream_t out = {0};
    stream_t err = {0};
    options = options != NULL ? options : &defaults;
    int in = open_input(options->input);
    open_output(&out, options);
    open_stream(&err, options->terminal_err);
    pid_t child = spawn(argv, in, out.theirs, err.theirs);
    close(in);
    close(out.theirs);
    close(err.theirs);
    catch_streams(child, &out, &err, options->timeout_s != 0 ? options->timeout_s : DEFAULT_TIMEOUT_S);
    return (run_result_t){
        .status = await(child),
        .out = text_of(&out),
        .out_len = out.len,
        .err = text_of(&err),
        .err_len = err.len,
    };
}

void run_free(run_result_t *result)
{
    free(result->out);
    free(result->err);
    *result = (run_result_t){0};
}
