/* SPDX-License-Identifier: Apache-2.0 */
#include "device/download/download_pace.h"

#define US_PER_S 1000000

/* A limited download reads at most a tenth of a second's worth at once: the pauses between reads stay short, and what the
 * server sends meanwhile waits in buffers of ordinary size. */
#define SHARES_PER_S 10

/* The rate for people is worked out anew after this time. */
#define SHOWN_US (2 * US_PER_S)

size_t download_pace_room(const download_pace_t *pace, size_t len, uint32_t most_bytes_per_s, int64_t now_us)
{
    if (most_bytes_per_s == 0) {
        return len;
    }
    if (now_us < pace->free_us) {
        return 0;
    }
    size_t share = most_bytes_per_s / SHARES_PER_S;
    share = share > 0 ? share : 1;
    return len < share ? len : share;
}

static uint32_t rate_of(int64_t bytes, int64_t us)
{
    int64_t rate = us > 0 ? bytes * US_PER_S / us : 0;
    return rate > UINT32_MAX ? UINT32_MAX : (uint32_t)rate;
}

void download_pace_count(download_pace_t *pace, size_t bytes, uint32_t most_bytes_per_s, int64_t began_us,
                         int64_t now_us)
{
    if (most_bytes_per_s != 0) {
        /* From when the read began: time that it took is not waited for twice. */
        pace->free_us = began_us + (int64_t)bytes * US_PER_S / most_bytes_per_s;
    }
    pace->shown_bytes += (int64_t)bytes;
    if (now_us - pace->shown_since_us >= SHOWN_US) {
        pace->shown_rate = rate_of(pace->shown_bytes, now_us - pace->shown_since_us);
        pace->shown_since_us = now_us;
        pace->shown_bytes = 0;
    }
}

bool download_pace_is_slow(download_pace_t *pace, size_t bytes, int64_t spent_us, uint32_t least_bytes_per_s,
                           uint32_t over_ms)
{
    pace->watched_bytes += (int64_t)bytes;
    pace->watched_us += spent_us;
    if (least_bytes_per_s == 0 || pace->watched_us < (int64_t)over_ms * 1000) {
        return false;
    }
    bool slow = rate_of(pace->watched_bytes, pace->watched_us) < least_bytes_per_s;
    download_pace_renew(pace);
    return slow;
}

void download_pace_renew(download_pace_t *pace)
{
    pace->watched_us = 0;
    pace->watched_bytes = 0;
}

uint32_t download_pace_rate(const download_pace_t *pace, int64_t now_us)
{
    int64_t since_us = now_us - pace->shown_since_us;
    /* Before the first result, and when nothing came for long, the unfinished one is the better one. */
    bool unfinished = pace->shown_rate == 0 || since_us >= SHOWN_US;
    return unfinished ? rate_of(pace->shown_bytes, since_us) : pace->shown_rate;
}
