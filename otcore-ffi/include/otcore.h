/**
 * @file otcore.h
 * otcore tells a plant what is on its network without ever disturbing it.
 *
 * Settings make a scanner, a scanner starts scans, a scan gives events and a report. Whole objects
 * are texts of JSON, the same from every language; otcore_text_get() picks single values.
 *
 * @code
 * OtcoreScanner *scanner = NULL;
 * OtcoreScan *scan = NULL;
 * OtcoreText *report = NULL;
 * if (otcore_scanner_new(NULL, &scanner) != OTCORE_STATUS_OK ||
 *     otcore_scan_start(scanner, "10.20.4.0/24", &scan) != OTCORE_STATUS_OK ||
 *     otcore_scan_finish(scan, OTCORE_FOREVER, &report) != OTCORE_STATUS_OK) {
 *     fprintf(stderr, "%s\n", otcore_last_error());
 * } else {
 *     puts(otcore_text_str(report));
 * }
 * otcore_text_free(report);
 * otcore_scan_free(scan);
 * otcore_scanner_free(scanner);
 * @endcode
 *
 * What holds for every function:
 *
 * - A handle is a number that only looks like a pointer. It must be freed once by the function of
 *   its kind. NULL, a handle that was freed, one of another kind and any other number are answered
 *   with ::OTCORE_STATUS_BAD_HANDLE; freeing NULL does nothing.
 * - A `const char *` that goes in is UTF-8 that ends with NUL, of at most 16 MiB unless its
 *   function says otherwise; it is not kept.
 * - A pointer to a result must be valid and aligned. The result is NULL whenever the function does
 *   not return ::OTCORE_STATUS_OK.
 * - Any function may be called in any thread, and a handle may be used in several at a time. Not in
 *   a signal handler, and not in the child of a fork() that does not call exec.
 * - Each scan has threads of its own, and a callback is only ever called where its function says so.
 * - Nothing is thrown and the process is never ended: a bug in otcore is ::OTCORE_STATUS_PANIC.
 */


#ifndef OTCORE_H
#define OTCORE_H

#include <stddef.h>
#include <stdint.h>

/**
 * To wait without an end, wherever a timeout is asked for.
 */
#define OTCORE_FOREVER 4294967295

/**
 * How a call ended. Numbers are never reused: 0 is success, those below 1000 are the errors of the
 * engine, those from 1000 are mistakes at this border, those from 2000 are no errors.
 */
typedef enum {
    /**
     * It worked.
     */
    OTCORE_STATUS_OK = 0,
    /**
     * A target cannot be understood.
     */
    OTCORE_STATUS_TARGET = 1,
    /**
     * A name does not resolve.
     */
    OTCORE_STATUS_NAME = 2,
    /**
     * A policy is wrong.
     */
    OTCORE_STATUS_POLICY = 3,
    /**
     * Nothing is left to scan.
     */
    OTCORE_STATUS_EMPTY_SCOPE = 4,
    /**
     * A name for a zone or source is not allowed.
     */
    OTCORE_STATUS_NAMING = 5,
    /**
     * A file cannot be read or written.
     */
    OTCORE_STATUS_FILE = 6,
    /**
     * A bug in the engine.
     */
    OTCORE_STATUS_INTERNAL = 7,
    /**
     * This process is a copy, made by fork, of the one that works with the engine.
     */
    OTCORE_STATUS_PROCESS = 8,
    /**
     * A handle is NULL, freed already, of another kind, or no handle at all.
     */
    OTCORE_STATUS_BAD_HANDLE = 1001,
    /**
     * A pointer that must point somewhere is NULL or not aligned.
     */
    OTCORE_STATUS_BAD_POINTER = 1002,
    /**
     * A text is not UTF-8.
     */
    OTCORE_STATUS_BAD_TEXT = 1003,
    /**
     * A text is longer than 16 MiB, or a document longer than 1 GiB.
     */
    OTCORE_STATUS_TOO_LONG = 1004,
    /**
     * A bug in otcore was caught at the border.
     */
    OTCORE_STATUS_PANIC = 1005,
    /**
     * The events of this scan go to a callback already.
     */
    OTCORE_STATUS_WATCHED = 1006,
    /**
     * Nothing happened yet; ask again.
     */
    OTCORE_STATUS_PENDING = 2001,
    /**
     * Nothing will follow.
     */
    OTCORE_STATUS_END = 2002,
    /**
     * There is no such value.
     */
    OTCORE_STATUS_NOTHING = 2003,
} OtcoreStatus;

/**
 * How much a line of the log matters.
 */
typedef enum {
    /**
     * A person should look: a device went dark.
     */
    OTCORE_SEVERITY_WARNING = 1,
    /**
     * A scan begins, pauses, ends.
     */
    OTCORE_SEVERITY_INFO = 2,
    /**
     * How each conversation ended.
     */
    OTCORE_SEVERITY_DEBUG = 3,
} OtcoreSeverity;

/**
 * What a scan is doing.
 */
typedef enum {
    /**
     * It runs.
     */
    OTCORE_SCAN_STATE_RUNNING = 0,
    /**
     * No new conversation is started.
     */
    OTCORE_SCAN_STATE_PAUSED = 1,
    /**
     * It is over, and every event was read: otcore_scan_finish() gives the report at once.
     */
    OTCORE_SCAN_STATE_OVER = 2,
} OtcoreScanState;

/**
 * A running or finished scan.
 */
typedef struct OtcoreScan OtcoreScan;

/**
 * Plans and starts scans under one policy.
 */
typedef struct OtcoreScanner OtcoreScanner;

/**
 * What a scanner is made from.
 */
typedef struct OtcoreSettings OtcoreSettings;

/**
 * A text that otcore gives away.
 */
typedef struct OtcoreText OtcoreText;

/**
 * Told of what scans do, line by line.
 *
 * @param severity How much it matters.
 * @param line     One line, safe to show; valid until this returns.
 * @param user     What otcore_settings_log() was given.
 */
typedef void (*OtcoreLogCallback)(OtcoreSeverity severity, const char *line, void *user);

/**
 * Told of each event of a scan.
 *
 * @param event The event as JSON, freed by otcore when this returns; NULL once, after the last one.
 * @param user  What otcore_scan_watch() was given.
 */
typedef void (*OtcoreEventCallback)(const OtcoreText *event, void *user);

/**
 * How far a scan is, as of the last event that was read.
 */
typedef struct {
    /**
     * Devices dealt with.
     */
    uint64_t done;
    /**
     * Devices of the plan.
     */
    uint64_t planned;
    /**
     * Devices that answered.
     */
    uint64_t answered;
    /**
     * Packets sent, those of the system included.
     */
    uint64_t packets;
    /**
     * From 0 to 100.
     */
    uint32_t percent;
    /**
     * What it is doing.
     */
    OtcoreScanState state;
} OtcoreProgress;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of this library.
 *
 * @return A text that is always valid.
 */
const char *otcore_version(void);

/**
 * Why the last call of this thread that failed did so: one line that names what is wrong, and the
 * way out.
 *
 * @return A text that is valid until the next call of this thread fails; empty if none did.
 */
const char *otcore_last_error(void);

/**
 * Everything that this build can send, as JSON.
 *
 * @param out Receives the text; free it with otcore_text_free().
 */
OtcoreStatus otcore_manifest_json(OtcoreText **out);

/**
 * Make settings.
 *
 * @param config All of them as TOML, or as JSON if it begins with a brace, with the keys of
 *               otcore_settings_set(), `policy` being a table or an object; NULL for the defaults.
 * @param out    Receives the settings; free them with otcore_settings_free().
 */
OtcoreStatus otcore_settings_new(const char *config, OtcoreSettings **out);

/**
 * Change one of the settings. If it is wrong nothing changes.
 *
 * | key     | value                                                             | default   |
 * |---------|-------------------------------------------------------------------|-----------|
 * | policy  | what may be done, as TOML, or as JSON if it begins with a brace   | gentle    |
 * | level   | how deep to ask: detect, identify, structure, state               | by policy |
 * | zone    | the network the addresses live in                                 | default   |
 * | source  | who looks, stamped on every claim                                 | otcore    |
 * | journal | the file that everything sent and received is appended to         | none      |
 * | memory  | the file that remembers devices, such as those in quarantine      | none      |
 *
 * @param settings The settings.
 * @param key      Which one.
 * @param value    Its new value; NULL for the default.
 */
OtcoreStatus otcore_settings_set(const OtcoreSettings *settings,
                                 const char *key,
                                 const char *value);

/**
 * Have a callback told of what scans do, line by line.
 *
 * It is called in the thread of the call that notices, so several times at once if several threads
 * use the same scanner, and for pushed events in the thread `otcore-events`. It may call any
 * function of this library.
 *
 * @param settings The settings; scanners that were made before are not changed.
 * @param callback The callback; NULL for none. It must not throw or jump out.
 * @param user     Handed to it as it is. It must stay valid until the settings, every scanner made
 *                 from them and every scan of those are freed.
 */
OtcoreStatus otcore_settings_log(const OtcoreSettings *settings,
                                 OtcoreLogCallback callback,
                                 void *user);

/**
 * Free settings. Scanners made from them stay.
 */
OtcoreStatus otcore_settings_free(OtcoreSettings *settings);

/**
 * Make a scanner. The files of its settings are opened here.
 *
 * @param settings What it is made from; NULL for the defaults.
 * @param out      Receives the scanner; free it with otcore_scanner_free().
 */
OtcoreStatus otcore_scanner_new(const OtcoreSettings *settings, OtcoreScanner **out);

/**
 * What would be sent to whom, with upper bounds, as JSON. Names are resolved, nothing else is sent.
 *
 * @param scanner The scanner that would do it.
 * @param targets Addresses, networks, ranges, names and endpoints, separated by spaces or commas.
 * @param out     Receives the text; free it with otcore_text_free().
 */
OtcoreStatus otcore_plan_json(const OtcoreScanner *scanner, const char *targets, OtcoreText **out);

/**
 * Free a scanner. Its scans go on.
 */
OtcoreStatus otcore_scanner_free(OtcoreScanner *scanner);

/**
 * Plan a scan of the targets and start it in a thread of its own.
 *
 * A scan that nobody reads events from waits for a reader: otcore_scan_next(),
 * otcore_scan_watch() or otcore_scan_finish().
 *
 * @param scanner The scanner; it may be freed before the scan.
 * @param targets As for otcore_plan_json().
 * @param out     Receives the scan; free it with otcore_scan_free().
 */
OtcoreStatus otcore_scan_start(const OtcoreScanner *scanner, const char *targets, OtcoreScan **out);

/**
 * Wait for the next event of a scan.
 *
 * @param scan       The scan. Events have one reader at a time; another one waits for its turn.
 * @param timeout_ms How long to wait at most, in milliseconds; 0 only looks.
 * @param out        Receives the event as JSON; free it with otcore_text_free().
 * @return ::OTCORE_STATUS_OK for an event, ::OTCORE_STATUS_PENDING if none came in time,
 *         ::OTCORE_STATUS_END after the last one, or if events go to a callback.
 */
OtcoreStatus otcore_scan_next(const OtcoreScan *scan, uint32_t timeout_ms, OtcoreText **out);

/**
 * Have a callback told of every event of a scan, in one thread of its own that is called
 * `otcore-events`, one after the other.
 *
 * A slow callback slows the scan down. It may call any function of this library, also
 * otcore_scan_free() for its own scan.
 *
 * @param scan     The scan.
 * @param callback The callback. It must not throw or jump out.
 * @param user     Handed to it as it is. It must stay valid until the callback was told of the end,
 *                 or otcore_scan_free() returned; that waits for a callback in progress, unless it
 *                 is called from there, which is then the last time that it is told of anything.
 * @return ::OTCORE_STATUS_WATCHED if events go to a callback already.
 */
OtcoreStatus otcore_scan_watch(const OtcoreScan *scan, OtcoreEventCallback callback, void *user);

/**
 * How far a scan is, without waiting and without reading an event.
 *
 * @param scan The scan.
 * @param out  Receives it; left alone if this fails.
 */
OtcoreStatus otcore_scan_progress(const OtcoreScan *scan, OtcoreProgress *out);

/**
 * Start no new conversation with a device; those under way finish within their budget.
 */
OtcoreStatus otcore_scan_pause(const OtcoreScan *scan);

/**
 * Go on after otcore_scan_pause().
 */
OtcoreStatus otcore_scan_resume(const OtcoreScan *scan);

/**
 * Stop a scan: no connection is opened and no question sent once this returns. What was found
 * stays, and otcore_scan_finish() gives it.
 */
OtcoreStatus otcore_scan_abort(const OtcoreScan *scan);

/**
 * Wait for the end of a scan and take everything that it found, as JSON. It may be called again
 * and gives the same. Events that nobody read are dropped; a callback is told of all of them first.
 *
 * @param scan       The scan.
 * @param timeout_ms How long to wait at most, in milliseconds, or ::OTCORE_FOREVER.
 * @param out        Receives the text; free it with otcore_text_free().
 * @return ::OTCORE_STATUS_PENDING if it is not over in time.
 */
OtcoreStatus otcore_scan_finish(const OtcoreScan *scan, uint32_t timeout_ms, OtcoreText **out);

/**
 * Free a scan. If it still runs it is stopped as by otcore_scan_abort(); what it found is lost.
 * Its callback is not called again once this returns.
 */
OtcoreStatus otcore_scan_free(OtcoreScan *scan);

/**
 * The bytes of a text: UTF-8 that ends with NUL.
 *
 * @return Valid until the text is freed; NULL if `text` is no text.
 */
const char *otcore_text_str(const OtcoreText *text);

/**
 * How many bytes a text has, without the NUL at its end.
 *
 * @return 0 if `text` is no text.
 */
size_t otcore_text_len(const OtcoreText *text);

/**
 * One value out of a text of JSON, so that a program needs no reader of its own.
 *
 * @param text    The text.
 * @param pointer Where it is (RFC 6901), such as `/assets/0/identity/vendor/value`.
 * @param out     Receives the value: a text as it is, anything else as JSON; free it with
 *                otcore_text_free().
 * @return ::OTCORE_STATUS_NOTHING if there is no such value, or it is null.
 */
OtcoreStatus otcore_text_get(const OtcoreText *text, const char *pointer, OtcoreText **out);

/**
 * How many values a list or an object in a text of JSON has.
 *
 * @param text    The text.
 * @param pointer Where it is, such as `/assets`.
 * @param out     Receives the number; 0 if there is no such list or object. Left alone if this
 *                fails.
 */
OtcoreStatus otcore_text_count(const OtcoreText *text, const char *pointer, size_t *out);

/**
 * Free a text.
 */
OtcoreStatus otcore_text_free(OtcoreText *text);

/**
 * What differs between two documents, as JSON. Silence counts only where the later one asked.
 *
 * @param before       A report, an inventory, or lines of assets or exchanges, of at most 1 GiB.
 * @param after        A later one.
 * @param across_zones 1 to know a device again in another zone, 0 not to.
 * @param out          Receives the text; free it with otcore_text_free().
 */
OtcoreStatus otcore_diff_json(const char *before,
                              const char *after,
                              uint32_t across_zones,
                              OtcoreText **out);

/**
 * Which assets of a document are one device, and why, as JSON.
 *
 * @param results      As `before` of otcore_diff_json().
 * @param across_zones 1 to join across zones, 0 not to.
 * @param out          Receives the text; free it with otcore_text_free().
 */
OtcoreStatus otcore_join_json(const char *results, uint32_t across_zones, OtcoreText **out);

/**
 * The assets that the exchanges of a document decode to with this build, as JSON. Nothing is sent.
 *
 * @param results As `before` of otcore_diff_json().
 * @param out     Receives the text; free it with otcore_text_free().
 */
OtcoreStatus otcore_redecode_json(const char *results, OtcoreText **out);

/**
 * A document in another form.
 *
 * @param results As `before` of otcore_diff_json().
 * @param format  json, ndjson, observations, csv, cyclonedx, coverage, coverage-csv, or html.
 * @param out     Receives the text; free it with otcore_text_free().
 */
OtcoreStatus otcore_export(const char *results, const char *format, OtcoreText **out);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* OTCORE_H */
