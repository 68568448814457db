/*
 * Reads the events of one scan from C and says what that took: events POLICY TARGETS, both files.
 *
 * Prints JSON: how many events, devices and names there were, and the processor time from the start of
 * the scan to its last event.
 */

#define _POSIX_C_SOURCE 199309L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <otcore.h>

static const char *const FIELDS[] = {"/path", "/identity/vendor/value", "/identity/model/value",
                                     "/identity/firmware/value"};

static char *read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, 1 << 20);
    if (file == NULL || text == NULL || fread(text, 1, (1 << 20) - 1, file) == 0) {
        exit(2);
    }
    fclose(file);
    return text;
}

static void must(OtcoreStatus status) {
    if (status != OTCORE_STATUS_OK) {
        fprintf(stderr, "events: %s\n", otcore_last_error());
        exit(1);
    }
}

static double worked(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static int is_kind(const OtcoreText *event, const char *kind) {
    OtcoreText *value = NULL;
    int equal = otcore_text_get(event, "/event", &value) == OTCORE_STATUS_OK &&
                strcmp(otcore_text_str(value), kind) == 0;
    otcore_text_free(value);
    return equal;
}

static long named(const OtcoreText *event) {
    long count = 0;
    size_t at;
    for (at = 0; at < sizeof FIELDS / sizeof FIELDS[0]; at++) {
        OtcoreText *value = NULL;
        count += otcore_text_get(event, FIELDS[at], &value) == OTCORE_STATUS_OK;
        otcore_text_free(value);
    }
    return count;
}

int main(int count, char **arguments) {
    OtcoreSettings *settings = NULL;
    OtcoreScanner *scanner = NULL;
    OtcoreScan *scan = NULL;
    OtcoreText *event = NULL;
    OtcoreStatus status;
    long events = 0, assets = 0, names = 0;
    double began;
    if (count != 3) {
        return 2;
    }
    must(otcore_settings_new(NULL, &settings));
    must(otcore_settings_set(settings, "policy", read_file(arguments[1])));
    must(otcore_scanner_new(settings, &scanner));
    began = worked();
    must(otcore_scan_start(scanner, read_file(arguments[2]), &scan));
    while ((status = otcore_scan_next(scan, OTCORE_FOREVER, &event)) == OTCORE_STATUS_OK) {
        events++;
        if (is_kind(event, "asset")) {
            assets++;
            names += named(event);
        }
        otcore_text_free(event);
    }
    printf("{\"events\": %ld, \"assets\": %ld, \"names\": %ld, \"seconds\": %.6f}\n", events, assets,
           names, worked() - began);
    otcore_scan_free(scan);
    otcore_scanner_free(scanner);
    otcore_settings_free(settings);
    return status == OTCORE_STATUS_END ? 0 : 1;
}
