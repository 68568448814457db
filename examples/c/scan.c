/*
 * Scans the targets of its command line and prints each device as it becomes known.
 *
 *   scan [--report FILE] TARGET...
 *
 * Ctrl-C stops politely and keeps what was found. Exit status: 0 completed, 1 error, 3 aborted.
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <otcore.h>

static volatile sig_atomic_t interrupted = 0;

/* A signal handler calls nothing of the library: it only leaves word. */
static void on_signal(int number) {
    (void)number;
    interrupted = 1;
}

static int failed(const char *what) {
    fprintf(stderr, "scan: %s: %s\n", what, otcore_last_error());
    return 1;
}

/* Prints the value at a place of a text, or a dash. */
static void print_value(const OtcoreText *text, const char *pointer, int width) {
    OtcoreText *value = NULL;
    int known = otcore_text_get(text, pointer, &value) == OTCORE_STATUS_OK;
    printf("%-*s ", width, known ? otcore_text_str(value) : "-");
    otcore_text_free(value);
}

static int is_kind(const OtcoreText *event, const char *kind) {
    OtcoreText *value = NULL;
    int equal = otcore_text_get(event, "/event", &value) == OTCORE_STATUS_OK &&
                strcmp(otcore_text_str(value), kind) == 0;
    otcore_text_free(value);
    return equal;
}

static void print_event(const OtcoreText *event) {
    if (is_kind(event, "asset")) {
        print_value(event, "/path", 40);
        print_value(event, "/identity/vendor/value", 24);
        print_value(event, "/identity/model/value", 18);
        print_value(event, "/identity/firmware/value", 0);
        putchar('\n');
        fflush(stdout);
    }
}

static OtcoreStatus read_events(OtcoreScan *scan) {
    OtcoreText *event = NULL;
    OtcoreStatus status;
    while ((status = otcore_scan_next(scan, 100, &event)) != OTCORE_STATUS_END) {
        if (status == OTCORE_STATUS_OK) {
            print_event(event);
            otcore_text_free(event);
        } else if (status != OTCORE_STATUS_PENDING) {
            return status;
        }
        if (interrupted) {
            otcore_scan_abort(scan);
        }
    }
    return OTCORE_STATUS_OK;
}

static int save(const OtcoreText *report, const char *path) {
    FILE *file = fopen(path, "wb");
    int whole;
    if (file == NULL) {
        perror(path);
        return 1;
    }
    whole = fwrite(otcore_text_str(report), 1, otcore_text_len(report), file) == otcore_text_len(report);
    return fclose(file) == 0 && whole ? 0 : 1;
}

static int scan_targets(const OtcoreScanner *scanner, const char *targets, const char *path) {
    OtcoreScan *scan = NULL;
    OtcoreText *report = NULL;
    OtcoreProgress progress;
    size_t devices = 0;
    int result = 1;
    if (otcore_scan_start(scanner, targets, &scan) != OTCORE_STATUS_OK) {
        return failed("start");
    }
    if (read_events(scan) != OTCORE_STATUS_OK ||
        otcore_scan_finish(scan, OTCORE_FOREVER, &report) != OTCORE_STATUS_OK ||
        otcore_text_count(report, "/assets", &devices) != OTCORE_STATUS_OK ||
        otcore_scan_progress(scan, &progress) != OTCORE_STATUS_OK) {
        failed("scan");
    } else if (path == NULL || save(report, path) == 0) {
        printf("%lu devices, %lu packets\n", (unsigned long)devices, (unsigned long)progress.packets);
        result = interrupted ? 3 : 0;
    }
    otcore_text_free(report);
    otcore_scan_free(scan);
    return result;
}

/* All words as one text, separated by spaces. */
static char *joined(char **words, int count) {
    size_t length = 1;
    char *text;
    int i;
    for (i = 0; i < count; i++) {
        length += strlen(words[i]) + 1;
    }
    text = calloc(length, 1);
    for (i = 0; text != NULL && i < count; i++) {
        strcat(strcat(text, words[i]), " ");
    }
    return text;
}

int main(int count, char **words) {
    int named = count > 2 && strcmp(words[1], "--report") == 0;
    int first = named ? 3 : 1;
    char *targets = joined(words + first, count - first);
    OtcoreScanner *scanner = NULL;
    int result;
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    if (targets == NULL || first >= count) {
        fprintf(stderr, "usage: scan [--report FILE] TARGET...\n");
        free(targets);
        return 1;
    }
    if (otcore_scanner_new(NULL, &scanner) != OTCORE_STATUS_OK) {
        result = failed("scanner");
    } else {
        result = scan_targets(scanner, targets, named ? words[2] : NULL);
    }
    otcore_scanner_free(scanner);
    free(targets);
    return result;
}
