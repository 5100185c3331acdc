/* SPDX-License-Identifier: Apache-2.0 */
#include "core/util/date.h"

#include <string.h>

enum { DAY_S = 86400, YEAR_FIRST = 1970, YEAR_LAST = 9999 };

/** A moment in the Gregorian calendar, UTC. */
struct moment {
    int year;
    int month; /**< 1 to 12. */
    int day;
    int hour;
    int minute;
    int second;
};

static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char weekdays[7][4] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"}; /* 1970 began on a Thursday. */

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int year, int month)
{
    static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

/** Days from 1970-01-01 to the first of January of @p year. */
static int64_t days_before_year(int year)
{
    int past = year - 1;
    return (int64_t)past * 365 + past / 4 - past / 100 + past / 400 - 719162;
}

static int64_t to_seconds(const struct moment *moment)
{
    int64_t days = days_before_year(moment->year) + moment->day - 1;
    for (int month = 1; month < moment->month; month++) {
        days += month_days(moment->year, month);
    }
    return days * DAY_S + moment->hour * 3600 + moment->minute * 60 + moment->second;
}

static int year_of(int64_t seconds)
{
    int year = YEAR_FIRST + (int)(seconds / DAY_S / 366);
    while (year < YEAR_LAST && days_before_year(year + 1) * DAY_S <= seconds) {
        year++;
    }
    return year;
}

static char *put_number(char *at, int number, int digits)
{
    for (int i = digits - 1; i >= 0; i--) {
        at[i] = (char)('0' + number % 10);
        number /= 10;
    }
    return at + digits;
}

static char *put_text(char *at, const char *text)
{
    while (*text != '\0') {
        *at++ = *text++;
    }
    return at;
}

void date_format(int64_t seconds, char text[static DATE_SIZE])
{
    const int64_t last = days_before_year(YEAR_LAST + 1) * DAY_S - 1;
    seconds = seconds < 0 ? 0 : seconds > last ? last : seconds;
    int year = year_of(seconds);
    int day = (int)(seconds / DAY_S - days_before_year(year));
    int in_day = (int)(seconds % DAY_S);
    int month = 1;
    while (day >= month_days(year, month)) {
        day -= month_days(year, month++);
    }
    char *at = put_text(text, weekdays[seconds / DAY_S % 7]);
    at = put_number(put_text(at, ", "), day + 1, 2);
    at = put_text(put_text(put_text(at, " "), months[month - 1]), " ");
    at = put_number(at, year, 4);
    at = put_number(put_text(at, " "), in_day / 3600, 2);
    at = put_number(put_text(at, ":"), in_day / 60 % 60, 2);
    at = put_number(put_text(at, ":"), in_day % 60, 2);
    *put_text(at, " GMT") = '\0';
}

static bool take_number(const char **at, const char *end, size_t digits, int *number)
{
    if ((size_t)(end - *at) < digits) {
        return false;
    }
    int value = 0;
    for (size_t i = 0; i < digits; i++) {
        char c = (*at)[i];
        if (c < '0' || c > '9') {
            return false;
        }
        value = value * 10 + (c - '0');
    }
    *at += digits;
    *number = value;
    return true;
}

static bool take_month(const char **at, const char *end, int *month)
{
    if (end - *at < 3) {
        return false;
    }
    for (int i = 0; i < 12; i++) {
        if (memcmp(*at, months[i], 3) == 0) {
            *month = i + 1;
            *at += 3;
            return true;
        }
    }
    return false;
}

/** The name of the day says nothing that the date does not, so any letters will do. */
static bool take_letters(const char **at, const char *end)
{
    const char *begin = *at;
    while (*at != end && ((**at >= 'a' && **at <= 'z') || (**at >= 'A' && **at <= 'Z'))) {
        (*at)++;
    }
    return *at != begin;
}

/** The day of the month in the C library's form, padded with a blank. */
static bool take_padded_day(const char **at, const char *end, int *day)
{
    if (*at != end && **at == ' ') {
        (*at)++;
        return take_number(at, end, 1, day);
    }
    return take_number(at, end, 2, day);
}

/** A two-digit year more than 50 years ahead belongs to the century before. */
static int place_year(int two_digits, int64_t now_s)
{
    int this_year = year_of(now_s < 0 ? 0 : now_s);
    int year = this_year - this_year % 100 + two_digits;
    return year > this_year + 50 ? year - 100 : year;
}

/** Reads one item of a form: D day, e padded day, b month, Y year, y two digits of it, H M S time, a day name. */
static bool take_item(char item, const char **at, const char *end, int64_t now_s, struct moment *moment)
{
    switch (item) {
    case 'a':
        return take_letters(at, end);
    case 'b':
        return take_month(at, end, &moment->month);
    case 'e':
        return take_padded_day(at, end, &moment->day);
    case 'D':
        return take_number(at, end, 2, &moment->day);
    case 'H':
        return take_number(at, end, 2, &moment->hour);
    case 'M':
        return take_number(at, end, 2, &moment->minute);
    case 'S':
        return take_number(at, end, 2, &moment->second);
    case 'Y':
        return take_number(at, end, 4, &moment->year);
    default: /* y */
        if (!take_number(at, end, 2, &moment->year)) {
            return false;
        }
        moment->year = place_year(moment->year, now_s);
        return true;
    }
}

/** Reads the text by a form: % introduces an item, everything else stands for itself. */
static bool take_form(const char *form, const char *at, const char *end, int64_t now_s, struct moment *moment)
{
    for (; *form != '\0'; form++) {
        if (*form == '%') {
            if (!take_item(*++form, &at, end, now_s, moment)) {
                return false;
            }
        } else if (at == end || *at++ != *form) {
            return false;
        }
    }
    return at == end;
}

/* What the digits allow and the calendar does not. Months are names, and no year has more than four digits. */
static bool is_real(const struct moment *moment)
{
    return moment->year >= YEAR_FIRST && moment->day >= 1 && moment->day <= month_days(moment->year, moment->month) &&
           moment->hour <= 23 && moment->minute <= 59 && moment->second <= 60;
}

bool date_parse(const char *text, size_t text_len, int64_t now_s, int64_t *seconds)
{
    static const char *const forms[] = {
        "%a, %D %b %Y %H:%M:%S GMT",
        "%a, %D-%b-%y %H:%M:%S GMT",
        "%a %b %e %H:%M:%S %Y",
    };
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct moment moment = {0};
        if (take_form(forms[i], text, text + text_len, now_s, &moment) && is_real(&moment)) {
            *seconds = to_seconds(&moment);
            return true;
        }
    }
    return false;
}
