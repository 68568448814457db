/* What a C program does with the library, and what it gets when it does it wrong. */

#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "otcore.h"

static int failures = 0;

static void check(int holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "FAILED: %s (last error: %s)\n", what, otcore_last_error());
        failures += 1;
    }
}

static void show(const char *title, OtcoreText *text) {
    const char *bytes = otcore_text_str(text);
    check(bytes != NULL && strlen(bytes) == otcore_text_len(text), title);
    printf("%s: %s\n", title, bytes != NULL ? bytes : "nothing");
    check(otcore_text_free(text) == OTCORE_STATUS_OK, "free a text");
}

static void manifest(void) {
    OtcoreText *text = NULL;
    check(otcore_manifest_json(&text) == OTCORE_STATUS_OK, "the manifest");
    check(strstr(otcore_text_str(text), "ReadDeviceIdBasic") != NULL, "modbus in the manifest");
    show("manifest", text);
}

static void plan(const OtcoreScanner *scanner) {
    OtcoreText *text = NULL;
    check(otcore_plan_json(scanner, "127.0.0.1", &text) == OTCORE_STATUS_OK, "a plan");
    show("plan", text);
}

/* Nobody listens on port 1 of this host, so the scan ends at once. */
static void scan(const OtcoreScanner *scanner) {
    OtcoreScan *scan = NULL;
    OtcoreText *text = NULL;
    OtcoreStatus status;
    int events = 0;
    check(otcore_scan_start(scanner, "modbus://127.0.0.1:1", &scan) == OTCORE_STATUS_OK, "a scan");
    while ((status = otcore_scan_next(scan, 100, &text)) != OTCORE_STATUS_END) {
        check(status == OTCORE_STATUS_OK || status == OTCORE_STATUS_PENDING, "the next event");
        if (status == OTCORE_STATUS_OK) {
            show("event", text);
            events += 1;
        } else if (status != OTCORE_STATUS_PENDING) {
            break;
        }
    }
    check(events > 0, "events of a scan");
    check(otcore_scan_finish(scan, OTCORE_FOREVER, &text) == OTCORE_STATUS_OK, "the report");
    check(strstr(otcore_text_str(text), "\"outcome\":\"refused\"") != NULL, "nobody listens there");
    show("report", text);
    check(otcore_scan_abort(scan) == OTCORE_STATUS_OK, "abort after the end");
    check(otcore_scan_free(scan) == OTCORE_STATUS_OK, "free a scan");
    check(otcore_scan_free(scan) == OTCORE_STATUS_BAD_HANDLE, "free a scan twice");
}

/* A copy of the process has none of the threads, and would keep to no limit of the other. */
static void copy(const OtcoreScanner *scanner, const OtcoreStore *store) {
    int status = 1;
    pid_t child;
    fflush(stdout);
    child = fork();
    if (child == 0) {
        OtcoreScan *scan = NULL;
        OtcoreText *text = NULL;
        alarm(20);
        if (otcore_scan_start(scanner, "modbus://127.0.0.1:1", &scan) == OTCORE_STATUS_PROCESS &&
            otcore_store_json(store, NULL, &text) == OTCORE_STATUS_PROCESS) {
            _exit(0);
        }
        _exit(1);
    }
    check(waitpid(child, &status, 0) == child && status == 0, "a copy of the process does not scan");
}

static void mistakes(const OtcoreScanner *scanner) {
    OtcoreScanner *none = NULL;
    OtcoreSettings *unmade = NULL;
    OtcoreText *text = NULL;
    OtcoreScan *foreign = (OtcoreScan *)&none;
    check(otcore_manifest_json(NULL) == OTCORE_STATUS_BAD_POINTER, "no place for a result");
    check(otcore_plan_json(NULL, "10.0.0.7", &text) == OTCORE_STATUS_BAD_HANDLE, "no scanner");
    check(otcore_plan_json(scanner, NULL, &text) == OTCORE_STATUS_BAD_POINTER, "no targets");
    check(otcore_plan_json(scanner, "\xff", &text) == OTCORE_STATUS_BAD_TEXT, "not UTF-8");
    check(otcore_plan_json(scanner, "10.0.4.300", &text) == OTCORE_STATUS_TARGET, "a bad target");
    check(strstr(otcore_last_error(), "10.0.4.300") != NULL, "the error names the target");
    check(otcore_plan_json(scanner, "8.8.8.8", &text) == OTCORE_STATUS_EMPTY_SCOPE, "out of scope");
    check(text == NULL, "an error leaves NULL behind");
    check(otcore_scan_abort(foreign) == OTCORE_STATUS_BAD_HANDLE, "a foreign handle");
    check(otcore_text_str(NULL) == NULL && otcore_text_len(NULL) == 0, "no text");
    check(otcore_text_free(NULL) == OTCORE_STATUS_OK, "free nothing");
    check(otcore_settings_new("policy = { profil = 1 }", &unmade) == OTCORE_STATUS_POLICY, "a typo");
    check(strstr(otcore_last_error(), "profil") != NULL, "the error names the key");
    printf("last error: %s\n", otcore_last_error());
}

int main(void) {
    OtcoreScanner *scanner = NULL;
    OtcoreStore *store = NULL;
    printf("otcore %s\n", otcore_version());
    manifest();
    check(otcore_scanner_new(NULL, &scanner) == OTCORE_STATUS_OK, "a scanner");
    plan(scanner);
    scan(scanner);
    check(otcore_store_open(NULL, &store) == OTCORE_STATUS_OK, "a store");
    copy(scanner, store);
    check(otcore_store_free(store) == OTCORE_STATUS_OK, "free a store");
    mistakes(scanner);
    check(otcore_scanner_free(scanner) == OTCORE_STATUS_OK, "free a scanner");
    check(otcore_scanner_free(scanner) == OTCORE_STATUS_BAD_HANDLE, "free a scanner twice");
    return failures == 0 ? 0 : 1;
}
