/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/link/relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PACKET_BYTES 2048
#define MTU          1400
#define QUEUE_MAX    1024 /* Packets under way in one direction; more are lost, as in any router. */
#define NAME         "otter0"
#define IDLE_MS      20 /* So often the relay looks whether it is to end. */

/* A packet under way. */
typedef struct packet {
    uint64_t due_us;
    uint64_t taken_us;
    uint32_t delay_ms; /* Of the link when it was taken. */
    uint32_t len;
    uint8_t bytes[PACKET_BYTES];
} packet_t;

/* What is under way towards one end, in the order in which it was taken. */
typedef struct queue {
    packet_t *packet; /* QUEUE_MAX of them. */
    uint32_t first;
    uint32_t count;
    uint64_t line_free_us; /* When the line has taken the last one. */
} queue_t;

struct relay {
    int tun[RELAY_SIDES];
    int namespace[RELAY_SIDES];
    queue_t to[RELAY_SIDES];
    uint32_t random;
    pthread_t thread;
    pthread_mutex_t lock; /* Of what follows. */
    bool end;
    relay_link_t link;
    relay_counts_t counts;
};

static uint64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

static uint32_t draw(relay_t *relay)
{
    relay->random ^= relay->random << 13;
    relay->random ^= relay->random >> 17;
    relay->random ^= relay->random << 5;
    return relay->random;
}

/* ---- Packets ---- */

/* True if the packet goes on its way. The lock is held. */
static bool admit(relay_t *relay, const queue_t *queue)
{
    if (relay->link.down) {
        relay->counts.blocked++;
        return false;
    }
    if (draw(relay) % 1000 < relay->link.loss_per_mille || queue->count == QUEUE_MAX) {
        relay->counts.lost++;
        return false;
    }
    return true;
}

/* When it arrives: once the line has taken those before it and itself, and the delay is over. The lock is held. */
static uint64_t due(relay_t *relay, queue_t *queue, uint64_t now, uint32_t len)
{
    uint64_t begin = queue->line_free_us > now ? queue->line_free_us : now;
    uint64_t takes = relay->link.bytes_per_s != 0 ? (uint64_t)len * 1000000u / relay->link.bytes_per_s : 0;
    queue->line_free_us = begin + takes;
    return queue->line_free_us + (uint64_t)relay->link.delay_ms * 1000u;
}

static void take(relay_t *relay, relay_side_t from)
{
    queue_t *queue = &relay->to[1 - from];
    packet_t packet;
    ssize_t got = read(relay->tun[from], packet.bytes, sizeof(packet.bytes));
    if (got <= 0 || packet.bytes[0] >> 4 != 4) {
        return; /* IPv6 looks for neighbours; there are none. */
    }
    packet.len = (uint32_t)got;
    packet.taken_us = now_us();
    (void)pthread_mutex_lock(&relay->lock);
    if (admit(relay, queue)) {
        packet.delay_ms = relay->link.delay_ms;
        packet.due_us = due(relay, queue, packet.taken_us, packet.len);
        queue->packet[(queue->first + queue->count++) % QUEUE_MAX] = packet;
    }
    (void)pthread_mutex_unlock(&relay->lock);
}

/* The lock is held. */
static void count_passed(relay_t *relay, relay_side_t to, const packet_t *packet, uint64_t now)
{
    uint64_t took_us = now - packet->taken_us;
    relay_counts_t *counts = &relay->counts;
    counts->passed++;
    counts->delayed += packet->delay_ms > 0 && took_us >= (uint64_t)packet->delay_ms * 1000u ? 1 : 0;
    counts->least_delay_us = took_us < counts->least_delay_us ? took_us : counts->least_delay_us;
    counts->device_bytes += to == RELAY_DEVICE ? packet->len : 0;
}

static void hand_on(relay_t *relay, relay_side_t to)
{
    queue_t *queue = &relay->to[to];
    uint64_t now = now_us();
    (void)pthread_mutex_lock(&relay->lock);
    while (queue->count > 0 && queue->packet[queue->first].due_us <= now) {
        const packet_t *packet = &queue->packet[queue->first];
        if (relay->link.down) {
            relay->counts.blocked++;
        } else if (write(relay->tun[to], packet->bytes, packet->len) == (ssize_t)packet->len) {
            count_passed(relay, to, packet, now);
        }
        queue->first = (queue->first + 1) % QUEUE_MAX;
        queue->count--;
    }
    (void)pthread_mutex_unlock(&relay->lock);
}

/* Until the next packet is due, at most IDLE_MS. */
static struct timespec patience(const relay_t *relay)
{
    uint64_t now = now_us();
    uint64_t until = now + IDLE_MS * 1000u;
    for (int side = 0; side < RELAY_SIDES; side++) {
        const queue_t *queue = &relay->to[side];
        uint64_t due_us = queue->count > 0 ? queue->packet[queue->first].due_us : until;
        until = due_us < until ? due_us : until;
    }
    return (struct timespec){.tv_nsec = until > now ? (long)(until - now) * 1000 : 0};
}

static bool is_over(relay_t *relay)
{
    (void)pthread_mutex_lock(&relay->lock);
    bool end = relay->end;
    (void)pthread_mutex_unlock(&relay->lock);
    return end;
}

static void *work(void *arg)
{
    relay_t *relay = arg;
    struct pollfd fds[RELAY_SIDES] = {{.fd = relay->tun[RELAY_SERVER], .events = POLLIN},
                                      {.fd = relay->tun[RELAY_DEVICE], .events = POLLIN}};
    while (!is_over(relay)) {
        struct timespec wait = patience(relay);
        int ready = ppoll(fds, RELAY_SIDES, &wait, NULL);
        for (int side = 0; side < RELAY_SIDES; side++) {
            if (ready > 0 && (fds[side].revents & POLLIN) != 0) {
                take(relay, (relay_side_t)side);
            }
            hand_on(relay, (relay_side_t)side);
        }
    }
    return NULL;
}

/* ---- Namespaces ---- */

static bool set_address(int fd, unsigned long request, const char *name, const char *address)
{
    struct ifreq ifr = {.ifr_flags = 0};
    struct sockaddr_in in = {.sin_family = AF_INET};
    (void)snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
    (void)inet_pton(AF_INET, address, &in.sin_addr);
    memcpy(&ifr.ifr_addr, &in, sizeof(in));
    return ioctl(fd, request, &ifr) == 0;
}

static bool bring_up(int fd, const char *name)
{
    struct ifreq ifr = {.ifr_flags = 0};
    (void)snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
    if (ioctl(fd, SIOCGIFFLAGS, &ifr) != 0) {
        return false;
    }
    ifr.ifr_flags = (short)(ifr.ifr_flags | IFF_UP);
    return ioctl(fd, SIOCSIFFLAGS, &ifr) == 0;
}

static bool set_mtu(int fd, const char *name)
{
    struct ifreq ifr = {.ifr_mtu = MTU};
    (void)snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
    return ioctl(fd, SIOCSIFMTU, &ifr) == 0;
}

/* The two ends share a /24, so the kernel has a route without being asked. */
static bool configure(const char *address)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && bring_up(fd, "lo") && set_address(fd, SIOCSIFADDR, NAME, address) &&
              set_address(fd, SIOCSIFNETMASK, NAME, "255.255.255.0") && set_mtu(fd, NAME) && bring_up(fd, NAME);
    if (fd >= 0) {
        (void)close(fd);
    }
    return ok;
}

static int open_tun(void)
{
    struct ifreq ifr = {.ifr_flags = 0};
    ifr.ifr_flags = IFF_TUN | IFF_NO_PI;
    (void)snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", NAME);
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0 && ioctl(fd, TUNSETIFF, &ifr) != 0) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

/* A new namespace with its end of the link. The calling thread is in it afterwards. */
static bool make_end(relay_t *relay, relay_side_t side, const char **why)
{
    static const char *const addresses[] = {RELAY_SERVER_ADDRESS, RELAY_DEVICE_ADDRESS};
    *why = "a network namespace cannot be made: it takes root";
    if (unshare(CLONE_NEWNET) != 0) {
        return false;
    }
    *why = "/dev/net/tun cannot be used";
    relay->namespace[side] = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    relay->tun[side] = open_tun();
    if (relay->namespace[side] < 0 || relay->tun[side] < 0) {
        return false;
    }
    *why = "the TUN device cannot be given an address";
    return configure(addresses[side]);
}

static bool make_ends(relay_t *relay, const char **why)
{
    int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    *why = "/proc is not there";
    if (own < 0) {
        return false;
    }
    bool ok = make_end(relay, RELAY_SERVER, why) && make_end(relay, RELAY_DEVICE, why);
    bool moved = ok || relay->namespace[RELAY_SERVER] >= 0;
    if (moved && setns(own, CLONE_NEWNET) != 0) {
        abort(); /* What follows would run in the wrong network. */
    }
    (void)close(own);
    return ok;
}

static void release(relay_t *relay)
{
    for (int side = 0; side < RELAY_SIDES; side++) {
        if (relay->tun[side] >= 0) {
            (void)close(relay->tun[side]);
        }
        if (relay->namespace[side] >= 0) {
            (void)close(relay->namespace[side]);
        }
        free(relay->to[side].packet);
    }
    free(relay);
}

relay_t *relay_open(const char **why)
{
    relay_t *relay = calloc(1, sizeof(*relay));
    *why = "no memory";
    if (relay == NULL) {
        return NULL;
    }
    relay->random = 2463534242u;
    relay->counts.least_delay_us = UINT64_MAX;
    (void)pthread_mutex_init(&relay->lock, NULL);
    bool ok = true;
    for (int side = 0; side < RELAY_SIDES; side++) {
        relay->tun[side] = -1;
        relay->namespace[side] = -1;
        relay->to[side].packet = calloc(QUEUE_MAX, sizeof(packet_t));
        ok = ok && relay->to[side].packet != NULL;
    }
    ok = ok && make_ends(relay, why) && pthread_create(&relay->thread, NULL, work, relay) == 0;
    if (!ok) {
        release(relay);
        return NULL;
    }
    return relay;
}

void relay_close(relay_t *relay)
{
    (void)pthread_mutex_lock(&relay->lock);
    relay->end = true;
    (void)pthread_mutex_unlock(&relay->lock);
    (void)pthread_join(relay->thread, NULL);
    (void)pthread_mutex_destroy(&relay->lock);
    release(relay);
}

void relay_set_link(relay_t *relay, const relay_link_t *link)
{
    (void)pthread_mutex_lock(&relay->lock);
    relay->link = *link;
    (void)pthread_mutex_unlock(&relay->lock);
}

relay_counts_t relay_get_counts(relay_t *relay)
{
    (void)pthread_mutex_lock(&relay->lock);
    relay_counts_t counts = relay->counts;
    (void)pthread_mutex_unlock(&relay->lock);
    return counts;
}

/* In the child. */
static void become(const relay_t *relay, relay_side_t side, const char *const argv[], const char *log_path)
{
    int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND, 0644);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (log < 0 || setns(relay->namespace[side], CLONE_NEWNET) != 0 || dup2(log, STDOUT_FILENO) < 0 ||
        dup2(log, STDERR_FILENO) < 0 || setenv("no_proxy", "*", 1) != 0) {
        _exit(126);
    }
    (void)execv(argv[0], (char *const *)(uintptr_t)argv);
    perror(argv[0]);
    _exit(127);
}

pid_t relay_spawn(relay_t *relay, relay_side_t side, const char *const argv[], const char *log_path)
{
    pid_t child = fork();
    if (child == 0) {
        become(relay, side, argv, log_path);
    }
    return child;
}
