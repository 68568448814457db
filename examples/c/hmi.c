/*
 * A panel with an event loop of its own: sixty times a second it looks for news and draws. No call
 * in the loop waits, which it checks: the longest is told at the end.
 *
 *   hmi TARGET
 *
 * Its three buttons are lines on standard input: p pauses, r goes on, a aborts.
 */

#define _POSIX_C_SOURCE 200809L

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <otcore.h>

enum { FRAME_MS = 16, EVENTS_PER_FRAME = 32 };

typedef struct {
    OtcoreScan *scan;
    unsigned long devices;
    int keyboard;
    int over;
    double longest_ms;
} Panel;

static double now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void took(Panel *panel, double since) {
    double spent = now_ms() - since;
    if (spent > panel->longest_ms) {
        panel->longest_ms = spent;
    }
}

/* A frame's worth of events, so that a burst cannot stop the drawing. */
static void look(Panel *panel) {
    OtcoreText *event = NULL;
    OtcoreStatus status = OTCORE_STATUS_OK;
    int i;
    for (i = 0; i < EVENTS_PER_FRAME && status == OTCORE_STATUS_OK; i++) {
        double begin = now_ms();
        status = otcore_scan_next(panel->scan, 0, &event);
        took(panel, begin);
        if (status == OTCORE_STATUS_OK) {
            OtcoreText *path = NULL;
            panel->devices += strstr(otcore_text_str(event), "\"event\":\"asset\"") != NULL;
            otcore_text_get(event, "/path", &path);
            otcore_text_free(path);
            otcore_text_free(event);
        }
    }
    panel->over = status == OTCORE_STATUS_END;
}

static void press(Panel *panel, char button) {
    double begin = now_ms();
    switch (button) {
        case 'p': otcore_scan_pause(panel->scan); break;
        case 'r': otcore_scan_resume(panel->scan); break;
        case 'a': otcore_scan_abort(panel->scan); break;
        default: break;
    }
    took(panel, begin);
}

/* One frame: waits for a button or the time to draw, whichever comes first. */
static void wait_for_frame(Panel *panel) {
    struct pollfd keyboard;
    keyboard.fd = panel->keyboard ? STDIN_FILENO : -1;
    keyboard.events = POLLIN;
    keyboard.revents = 0;
    if (poll(&keyboard, 1, FRAME_MS) > 0) {
        char button = 0;
        panel->keyboard = read(STDIN_FILENO, &button, 1) == 1;
        press(panel, button);
    }
}

static void draw(const Panel *panel, OtcoreProgress *drawn) {
    OtcoreProgress progress;
    if (otcore_scan_progress(panel->scan, &progress) == OTCORE_STATUS_OK &&
        (progress.done != drawn->done || progress.state != drawn->state)) {
        printf("[%3u %%] %lu of %lu visited, %lu devices%s\n", (unsigned)progress.percent,
               (unsigned long)progress.done, (unsigned long)progress.planned, panel->devices,
               progress.state == OTCORE_SCAN_STATE_PAUSED ? ", paused" : "");
        fflush(stdout);
        *drawn = progress;
    }
}

int main(int count, char **words) {
    Panel panel = {NULL, 0, 1, 0, 0.0};
    OtcoreProgress drawn = {0, 0, 0, 0, 101, OTCORE_SCAN_STATE_RUNNING};
    OtcoreScanner *scanner = NULL;
    OtcoreText *report = NULL;
    if (count != 2 || otcore_scanner_new(NULL, &scanner) != OTCORE_STATUS_OK ||
        otcore_scan_start(scanner, words[1], &panel.scan) != OTCORE_STATUS_OK) {
        fprintf(stderr, "hmi TARGET: %s\n", otcore_last_error());
        otcore_scanner_free(scanner);
        return 1;
    }
    while (!panel.over) {
        look(&panel);
        draw(&panel, &drawn);
        wait_for_frame(&panel);
    }
    /* After the last event the report is there; 0 only looks. */
    count = otcore_scan_finish(panel.scan, 0, &report) == OTCORE_STATUS_OK ? 0 : 1;
    printf("%lu devices; the longest call took %.1f ms\n", panel.devices, panel.longest_ms);
    otcore_text_free(report);
    otcore_scan_free(panel.scan);
    otcore_scanner_free(scanner);
    return count;
}
