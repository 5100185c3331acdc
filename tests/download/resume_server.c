/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "tests/download/resume_server.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void must(bool ok, const char *what)
{
    if (!ok) {
        perror(what);
        exit(2);
    }
}

static resume_served_t look_back(bad_server_t *server)
{
    resume_served_t served = {.faults = bad_server_count(server, BAD_COUNT_FAULTS),
                              .requests = bad_server_count(server, BAD_COUNT_REQUESTS)};
    bad_answer_t answer;
    for (unsigned i = 0; bad_server_answer(server, i, &answer); i++) {
        served.sent += answer.sent;
    }
    return served;
}

/* The server's process: serves until nobody holds the other end of @p control. */
static void serve(const bad_server_config_t *config, int control, int facts)
{
    bad_server_t *server = bad_server_start(config);
    char url[64];
    char nothing;
    bad_server_url(server, RESUME_PATH, url, sizeof(url));
    must(write(facts, url, sizeof(url)) == sizeof(url), "write");
    while (read(control, &nothing, 1) > 0) {
    }
    resume_served_t served = look_back(server);
    bad_server_stop(server);
    must(write(facts, &served, sizeof(served)) == sizeof(served), "write");
}

void resume_server_start(resume_server_t *server, const bad_server_config_t *config)
{
    int control[2];
    int facts[2];
    must(pipe2(control, O_CLOEXEC) == 0 && pipe2(facts, O_CLOEXEC) == 0, "pipe");
    (void)fflush(NULL);
    server->child = fork();
    must(server->child >= 0, "fork");
    if (server->child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(control[1]);
        close(facts[0]);
        serve(config, control[0], facts[1]);
        _exit(0);
    }
    close(control[0]);
    close(facts[1]);
    server->control = control[1];
    server->facts = facts[0];
    must(read(server->facts, server->url, sizeof(server->url)) == sizeof(server->url), "start a server");
}

void resume_server_stop(resume_server_t *server, resume_served_t *served)
{
    int status;
    close(server->control);
    must(read(server->facts, served, sizeof(*served)) == sizeof(*served), "hear of the server");
    close(server->facts);
    must(waitpid(server->child, &status, 0) == server->child && status == 0, "end a server");
}
