/*
 * A program that embeds otcore in C, for the tests that look from outside.
 *
 *   embed-c [--store FILE] (SETTINGS BEGIN_MS ABORT_MS TARGETS)...
 *
 * Each order has a file with settings, as JSON, when it begins, when it is aborted from then on (-:
 * not at all) and its targets as one word. All of them run at once, each in a thread; Ctrl-C aborts
 * them. What became of each is a line of JSON, as embed.py prints it. With a store, what was found is
 * kept in it, again and again until somebody ends this; each time is told.
 */

#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <otcore.h>

enum { WORDS = 4, ABORTED = 3, MOST_SETTINGS = 1 << 20, POLL_MS = 10 };

typedef struct {
    int number;
    const char *settings;
    long begin_ms;
    long abort_ms; /* below 0 for never */
    const char *targets;
    OtcoreStore *store;
    pthread_t thread;
} Order;

static volatile sig_atomic_t interrupted = 0;
static pthread_mutex_t printing = PTHREAD_MUTEX_INITIALIZER;

static void on_signal(int number) {
    (void)number;
    interrupted = 1;
}

static double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void rest(long ms) {
    struct timespec pause;
    pause.tv_sec = ms / 1000;
    pause.tv_nsec = ms % 1000 * 1000000;
    while (nanosleep(&pause, &pause) != 0) {
    }
}

/* Text from others as a word of JSON. */
static void print_word(const char *text) {
    putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            putchar('\\');
        }
        putchar((unsigned char)*text < 0x20 ? ' ' : *text);
    }
    putchar('"');
}

static void tell_refused(const Order *order) {
    pthread_mutex_lock(&printing);
    printf("{\"order\": %d, \"refused\": ", order->number);
    print_word(otcore_last_error());
    puts("}");
    fflush(stdout);
    pthread_mutex_unlock(&printing);
}

/* The report of the engine is put in as it is, on one line. */
static void tell(const Order *order, double began, double called, double returned,
                 const OtcoreText *report) {
    const char *byte = otcore_text_str(report);
    pthread_mutex_lock(&printing);
    printf("{\"order\": %d, \"began\": %.6f, \"abort\": ", order->number, began);
    if (called > 0) {
        printf("[%.6f, %.6f]", called, returned);
    } else {
        printf("null");
    }
    printf(", \"report\": ");
    for (; byte != NULL && *byte != '\0'; byte++) {
        putchar(*byte == '\n' ? ' ' : *byte);
    }
    puts("}");
    fflush(stdout);
    pthread_mutex_unlock(&printing);
}

static char *contents(const char *path) {
    FILE *file = fopen(path, "rb");
    char *text = calloc(MOST_SETTINGS, 1);
    if (file == NULL || text == NULL) {
        perror(path);
        exit(1);
    }
    (void)fread(text, 1, MOST_SETTINGS - 1, file);
    fclose(file);
    return text;
}

static OtcoreScanner *scanner_of(const Order *order) {
    OtcoreSettings *settings = NULL;
    OtcoreScanner *scanner = NULL;
    char *text = contents(order->settings);
    if (otcore_settings_new(text, &settings) == OTCORE_STATUS_OK) {
        (void)otcore_scanner_new(settings, &scanner);
    }
    free(text);
    otcore_settings_free(settings);
    return scanner;
}

/* Until the last event; aborts when it is time to. */
static void watch(const Order *order, const OtcoreScan *scan, double began, double *called,
                  double *returned) {
    OtcoreText *event = NULL;
    OtcoreStatus status;
    while ((status = otcore_scan_next(scan, POLL_MS, &event)) != OTCORE_STATUS_END) {
        int due = order->abort_ms >= 0 && now() >= began + (double)order->abort_ms / 1000;
        otcore_text_free(event);
        if (status != OTCORE_STATUS_OK && status != OTCORE_STATUS_PENDING) {
            return;
        }
        if ((due || interrupted) && *called <= 0) {
            *called = now();
            otcore_scan_abort(scan);
            *returned = now();
        }
    }
}

static void keep_for_ever(const Order *order, const OtcoreText *report) {
    size_t devices = 0;
    int times = 0;
    while (otcore_store_keep(order->store, otcore_text_str(report), &devices) == OTCORE_STATUS_OK) {
        printf("kept %d\n", ++times);
        fflush(stdout);
    }
}

static void *obey(void *given) {
    const Order *order = given;
    OtcoreScanner *scanner = scanner_of(order);
    OtcoreScan *scan = NULL;
    OtcoreText *report = NULL;
    double began, called = 0, returned = 0;
    rest(order->begin_ms);
    began = now();
    if (scanner == NULL || otcore_scan_start(scanner, order->targets, &scan) != OTCORE_STATUS_OK) {
        tell_refused(order);
    } else {
        watch(order, scan, began, &called, &returned);
        if (otcore_scan_finish(scan, OTCORE_FOREVER, &report) == OTCORE_STATUS_OK) {
            tell(order, began, called, returned, report);
            if (order->store != NULL) {
                keep_for_ever(order, report);
            }
        }
    }
    otcore_text_free(report);
    otcore_scan_free(scan);
    otcore_scanner_free(scanner);
    return NULL;
}

int main(int count, char **words) {
    OtcoreStore *store = NULL;
    Order *orders;
    int first = 1, number, i;
    if (count > 2 && strcmp(words[1], "--store") == 0) {
        if (otcore_store_open(words[2], &store) != OTCORE_STATUS_OK) {
            fprintf(stderr, "embed-c: %s\n", otcore_last_error());
            return 1;
        }
        first = 3;
    }
    number = (count - first) / WORDS;
    orders = calloc((size_t)number + 1, sizeof *orders);
    if (orders == NULL || number == 0) {
        fprintf(stderr, "usage: embed-c [--store FILE] (SETTINGS BEGIN_MS ABORT_MS TARGETS)...\n");
        return 1;
    }
    signal(SIGINT, on_signal);
    for (i = 0; i < number; i++) {
        char **word = words + first + (ptrdiff_t)i * WORDS;
        orders[i].number = i;
        orders[i].settings = word[0];
        orders[i].begin_ms = strtol(word[1], NULL, 10);
        orders[i].abort_ms = strcmp(word[2], "-") == 0 ? -1 : strtol(word[2], NULL, 10);
        orders[i].targets = word[3];
        orders[i].store = store;
        if (pthread_create(&orders[i].thread, NULL, obey, &orders[i]) != 0) {
            return 1;
        }
    }
    for (i = 0; i < number; i++) {
        pthread_join(orders[i].thread, NULL);
    }
    free(orders);
    otcore_store_free(store);
    return interrupted ? ABORTED : 0;
}
