/*
 * Many scans in one process, each in one of the ways to end it, then a look at what is left: memory,
 * and open files must be what they were after the first tenth, and one thread be left. Linux only: it reads /proc.
 *
 *   leaks [SCANS]
 */

#define _POSIX_C_SOURCE 200809L

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "otcore.h"

enum { ALLOWED_KIB = 640 };

typedef struct {
    long resident_kib;
    long threads;
    long files;
} Usage;

static long status_line(const char *key) {
    char line[256];
    long value = -1;
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, key, strlen(key)) == 0) {
            value = strtol(line + strlen(key), NULL, 10);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return value;
}

static long entries(const char *path) {
    long count = 0;
    DIR *folder = opendir(path);
    while (folder != NULL && readdir(folder) != NULL) {
        count++;
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return count;
}

/* A thread that was waited for is counted until the system has cleared it away. */
static void settle(void) {
    struct timespec moment = {0, 10000000};
    int rounds;
    for (rounds = 0; rounds < 100 && status_line("Threads:") > 1; rounds++) {
        nanosleep(&moment, NULL);
    }
}

static Usage usage(void) {
    Usage now;
    settle();
    now.resident_kib = status_line("VmRSS:");
    now.threads = status_line("Threads:");
    now.files = entries("/proc/self/fd");
    return now;
}

static void count_event(const OtcoreText *event, void *user) {
    *(unsigned long *)user += event != NULL;
}

static int must(OtcoreStatus status) {
    if (status != OTCORE_STATUS_OK) {
        fprintf(stderr, "status %d: %s\n", (int)status, otcore_last_error());
        exit(1);
    }
    return 1;
}

static void line(OtcoreSeverity severity, const char *text, void *user) {
    *(unsigned long *)user += severity > 0 && text[0] != 0;
}

/* Nobody listens on port 1. Every scan has another address, so that none waits for another. */
static void scan(int number, unsigned long *told) {
    char target[64];
    OtcoreSettings *settings = NULL;
    OtcoreScanner *scanner = NULL;
    OtcoreScan *scan = NULL;
    OtcoreStore *store = NULL;
    OtcoreText *text = NULL;
    size_t kept = 0;
    sprintf(target, "modbus://127.9.%d.%d:1", number / 200 % 200, number % 200 + 1);
    must(otcore_settings_new("zone = \"line-3\"", &settings));
    must(otcore_settings_log(settings, line, told));
    must(otcore_scanner_new(settings, &scanner));
    must(otcore_settings_free(settings));
    must(otcore_scan_start(scanner, target, &scan));
    switch (number % 4) {
        case 0: must(otcore_scan_watch(scan, count_event, told)); break;
        case 1: must(otcore_scan_abort(scan)); break;
        case 2: must(otcore_scan_watch(scan, count_event, told)); /* falls through */
        default: break;
    }
    if (number % 4 != 2) {
        must(otcore_scan_finish(scan, OTCORE_FOREVER, &text));
        must(otcore_store_open(NULL, &store));
        must(otcore_store_keep(store, otcore_text_str(text), &kept));
        must(otcore_store_free(store));
        must(otcore_text_free(text));
        text = NULL;
    }
    must(otcore_scan_free(scan)); /* every fourth while it runs and is watched */
    must(otcore_scanner_free(scanner));
    if (otcore_settings_set(NULL, "zone", "line-3") != OTCORE_STATUS_BAD_HANDLE) {
        exit(1);
    }
}

int main(int count, char **words) {
    int scans = count > 1 ? atoi(words[1]) : 1000;
    unsigned long told = 0;
    Usage early = {0, 0, 0};
    Usage late;
    int number;
    for (number = 0; number < scans; number++) {
        scan(number, &told);
        if (number == scans / 10) {
            early = usage();
        }
    }
    late = usage();
    printf("%d scans, %lu events and lines; after a tenth and at the end: %ld and %ld KiB, %ld and %ld "
           "threads, %ld and %ld files\n",
           scans, told, early.resident_kib, late.resident_kib, early.threads, late.threads, early.files,
           late.files);
    return late.resident_kib > early.resident_kib + ALLOWED_KIB || late.threads != 1 ||
           late.files > early.files;
}
