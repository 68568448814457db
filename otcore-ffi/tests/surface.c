/*
 * Every document that the library gives, one at a time and byte by byte, to be compared with what
 * other languages get.
 *
 *   surface SETTINGS COMMAND [ARGUMENT...]
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otcore.h"

static OtcoreStatus must(OtcoreStatus status) {
    if (status != OTCORE_STATUS_OK) {
        fprintf(stderr, "status %d: %s\n", (int)status, otcore_last_error());
        exit(1);
    }
    return status;
}

/* The whole of a file, or the end of the program. */
static char *read_whole(const char *path) {
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    size_t length = 0;
    size_t got = 1;
    while (file != NULL && got > 0) {
        text = realloc(text, length + 65537);
        if (text == NULL) {
            break;
        }
        got = fread(text + length, 1, 65536, file);
        length += got;
    }
    if (text == NULL || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
    text[length] = 0;
    return text;
}

static OtcoreText *of_document(const char *command, char **words) {
    OtcoreText *out = NULL;
    char *results = read_whole(words[0]);
    if (strcmp(command, "join") == 0) {
        must(otcore_join_json(results, 0, &out));
    } else if (strcmp(command, "redecode") == 0) {
        must(otcore_redecode_json(results, &out));
    } else if (strcmp(command, "export") == 0) {
        must(otcore_export(results, words[1], &out));
    } else if (strcmp(command, "diff") == 0) {
        char *later = read_whole(words[1]);
        must(otcore_diff_json(results, later, 0, &out));
        free(later);
    } else {
        OtcoreStore *store = NULL;
        size_t kept = 0;
        must(otcore_store_open(NULL, &store));
        must(otcore_store_keep(store, results, &kept));
        if (strcmp(command, "history") == 0) {
            must(otcore_store_history_json(store, NULL, words[1], words[2], &out));
        } else {
            must(otcore_store_json(store, NULL, &out));
        }
        must(otcore_store_free(store));
    }
    free(results);
    return out;
}

static OtcoreText *of_scan(const OtcoreScanner *scanner, const char *targets) {
    OtcoreScan *scan = NULL;
    OtcoreText *out = NULL;
    must(otcore_scan_start(scanner, targets, &scan));
    must(otcore_scan_finish(scan, OTCORE_FOREVER, &out));
    must(otcore_scan_free(scan));
    return out;
}

int main(int count, char **words) {
    OtcoreSettings *settings = NULL;
    OtcoreScanner *scanner = NULL;
    OtcoreText *out = NULL;
    const char *command = count > 2 ? words[2] : "manifest";
    must(otcore_settings_new(count > 1 ? words[1] : NULL, &settings));
    must(otcore_scanner_new(settings, &scanner));
    if (count < 4) {
        must(strcmp(command, "policy") == 0 ? otcore_policy_json(scanner, &out) : otcore_manifest_json(&out));
    } else if (strcmp(command, "plan") == 0) {
        must(otcore_plan_json(scanner, words[3], &out));
    } else if (strcmp(command, "explain") == 0 && count > 4) {
        must(otcore_explain_json(scanner, words[3], words[4], 0, &out));
    } else if (strcmp(command, "scan") == 0) {
        out = of_scan(scanner, words[3]);
    } else {
        out = of_document(command, words + 3);
    }
    fwrite(otcore_text_str(out), 1, otcore_text_len(out), stdout);
    must(otcore_text_free(out));
    must(otcore_scanner_free(scanner));
    must(otcore_settings_free(settings));
    return 0;
}
