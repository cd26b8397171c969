/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* iso8601.c - see iso8601.h. A cursor over the text; every piece says whether it was there. */
#include "iso8601.h"

static const int64_t DAY_MS = 86400000;

typedef struct scanner {
    const char *at, *end;
} scanner_t;

static bool scan_char(scanner_t *scanner, const char *any_of) {
    for (; scanner->at < scanner->end && *any_of; any_of++) {
        if (*scanner->at == *any_of) {
            scanner->at++;
            return true;
        }
    }
    return false;
}

/* Exactly n digits whose value is at least min and at most max. */
static bool scan_digits(scanner_t *scanner, int n, int min, int max, int *out) {
    int value = 0;
    if (scanner->end - scanner->at < n) return false;
    for (int i = 0; i < n; i++) {
        char c = *scanner->at++;
        if (c < '0' || c > '9') return false;
        value = value * 10 + (c - '0');
    }
    *out = value;
    return value >= min && value <= max;
}

/* 1 to 9 digits; those after the third are cut. */
static bool scan_fraction(scanner_t *scanner, int *milliseconds) {
    int n = 0, weight = 100;
    *milliseconds = 0;
    for (; scanner->at < scanner->end && *scanner->at >= '0' && *scanner->at <= '9'; scanner->at++, n++) {
        *milliseconds += weight * (*scanner->at - '0');
        weight /= 10;
    }
    return n >= 1 && n <= 9;
}

static bool scan_zone(scanner_t *scanner, int *offset_minutes) {
    *offset_minutes = 0;
    if (scan_char(scanner, "Zz")) return true;
    int sign = scan_char(scanner, "+") ? 1 : scan_char(scanner, "-") ? -1 : 0;
    int hours, minutes = 0;
    if (sign == 0 || !scan_digits(scanner, 2, 0, 23, &hours)) return false;
    bool colon = scan_char(scanner, ":");
    if ((colon || scanner->at < scanner->end) && !scan_digits(scanner, 2, 0, 59, &minutes)) return false;
    *offset_minutes = sign * (hours * 60 + minutes);
    return true;
}

static int days_in_month(int year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar. Years are counted from March, so that the leap day is the last of its year. */
static int64_t days_from_date(int year, int month, int day) {
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static bool scan_date(scanner_t *scanner, int64_t *days) {
    int year, month, day;
    if (!scan_digits(scanner, 4, 0, 9999, &year) || !scan_char(scanner, "-")) return false;
    if (!scan_digits(scanner, 2, 1, 12, &month) || !scan_char(scanner, "-")) return false;
    if (!scan_digits(scanner, 2, 1, days_in_month(year, month), &day)) return false;
    *days = days_from_date(year, month, day);
    return true;
}

static bool scan_time(scanner_t *scanner, int64_t *ms) {
    int hours, minutes, seconds = 0, milliseconds = 0, offset_minutes;
    if (!scan_digits(scanner, 2, 0, 23, &hours) || !scan_char(scanner, ":") || !scan_digits(scanner, 2, 0, 59, &minutes)) return false;
    if (scan_char(scanner, ":")) {
        if (!scan_digits(scanner, 2, 0, 59, &seconds)) return false;
        if (scan_char(scanner, ".") && !scan_fraction(scanner, &milliseconds)) return false;
    }
    if (!scan_zone(scanner, &offset_minutes)) return false;
    *ms = ((int64_t)(hours * 60 + minutes - offset_minutes) * 60 + seconds) * 1000 + milliseconds;
    return true;
}

bool iso8601_parse(const char *bytes, size_t n_bytes, int64_t *ms) {
    scanner_t scanner = {bytes, bytes + n_bytes};
    int64_t days, of_day = 0;
    if (!scan_date(&scanner, &days)) return false;
    if (scanner.at < scanner.end && (!scan_char(&scanner, "Tt ") || !scan_time(&scanner, &of_day))) return false;
    *ms = days * DAY_MS + of_day;
    return scanner.at == scanner.end;
}

/* The inverse of days_from_date, for the years 0 to 9999. */
static void date_from_days(int64_t days, int *year, int *month, int *day) {
    int64_t from_march_0 = days + 719468; /* since 0000-03-01 */
    int64_t era = (from_march_0 >= 0 ? from_march_0 : from_march_0 - 146096) / 146097;
    int64_t of_era = from_march_0 - era * 146097;
    int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t from_march = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * from_march + 2) / 5 + 1);
    *month = (int)(from_march < 10 ? from_march + 3 : from_march - 9);
    *year = (int)(year_of_era + era * 400 + (*month <= 2));
}

void iso8601_append(buffer_t *out, int64_t ms) {
    static const int64_t FIRST_MS = INT64_C(-62167219200000), LAST_MS = INT64_C(253402300799999);
    if (ms < FIRST_MS || ms > LAST_MS) {
        buffer_append_format(out, "%lld", (long long)ms);
        return;
    }
    int year, month, day;
    int64_t days = ms >= 0 ? ms / DAY_MS : -((DAY_MS - 1 - ms) / DAY_MS);
    int of_day = (int)(ms - days * DAY_MS);
    date_from_days(days, &year, &month, &day);
    buffer_append_format(out, "%04d-%02d-%02dT%02d:%02d:%02d", year, month, day, of_day / 3600000, of_day / 60000 % 60, of_day / 1000 % 60);
    if (of_day % 1000) buffer_append_format(out, ".%03d", of_day % 1000);
    buffer_append_text(out, "Z");
}
