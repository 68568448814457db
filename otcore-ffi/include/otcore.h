/**
 * @file otcore.h
 * otcore tells a plant what is on its network without ever disturbing it.
 *
 * A scanner is made from a policy, a scan is started by a scanner, and whole objects come back as
 * texts of JSON, the same from every language:
 *
 * @code
 * OtcoreScanner *scanner = NULL;
 * OtcoreScan *scan = NULL;
 * OtcoreText *report = NULL;
 * if (otcore_scanner_new(NULL, NULL, NULL, &scanner) != OTCORE_STATUS_OK ||
 *     otcore_scan_start(scanner, "10.20.4.0/24", &scan) != OTCORE_STATUS_OK ||
 *     otcore_scan_finish(scan, &report) != OTCORE_STATUS_OK) {
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
 * - A `const char *` that goes in is UTF-8 that ends with NUL, of at most 16 MiB; it is not kept.
 * - A pointer to a result must be valid and aligned. The result is NULL whenever the function does
 *   not return ::OTCORE_STATUS_OK.
 * - Any function may be called in any thread, and a handle may be used in several at a time.
 * - Nothing is thrown and the process is never ended: a bug in otcore is ::OTCORE_STATUS_PANIC.
 */


#ifndef OTCORE_H
#define OTCORE_H

#include <stddef.h>
#include <stdint.h>

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
     * A text is longer than 16 MiB.
     */
    OTCORE_STATUS_TOO_LONG = 1004,
    /**
     * A bug in otcore was caught at the border.
     */
    OTCORE_STATUS_PANIC = 1005,
    /**
     * Nothing happened yet; ask again.
     */
    OTCORE_STATUS_PENDING = 2001,
    /**
     * Nothing will follow.
     */
    OTCORE_STATUS_END = 2002,
} OtcoreStatus;

/**
 * A running or finished scan.
 */
typedef struct OtcoreScan OtcoreScan;

/**
 * Plans and starts scans under one policy.
 */
typedef struct OtcoreScanner OtcoreScanner;

/**
 * A text that otcore gives away.
 */
typedef struct OtcoreText OtcoreText;

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
 * Make a scanner.
 *
 * @param policy What may be done, as TOML, or as JSON if it begins with a brace; NULL for the
 *               gentle policy.
 * @param zone   The network the addresses live in; NULL for "default".
 * @param source Who looks, stamped on every claim; NULL for "otcore".
 * @param out    Receives the scanner; free it with otcore_scanner_free().
 */
OtcoreStatus otcore_scanner_new(const char *policy,
                                const char *zone,
                                const char *source,
                                OtcoreScanner **out);

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
 * A scan that nobody reads events from waits for a reader, until otcore_scan_finish().
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
 *         ::OTCORE_STATUS_END after the last one.
 */
OtcoreStatus otcore_scan_next(const OtcoreScan *scan, uint32_t timeout_ms, OtcoreText **out);

/**
 * Stop a scan: no connection is opened and no question sent once this returns. What was found
 * stays, and otcore_scan_finish() gives it.
 */
OtcoreStatus otcore_scan_abort(const OtcoreScan *scan);

/**
 * Wait for the end of a scan and take everything that it found, as JSON. It may be called again
 * and gives the same. Events that nobody read are dropped.
 *
 * @param scan The scan.
 * @param out  Receives the text; free it with otcore_text_free().
 */
OtcoreStatus otcore_scan_finish(const OtcoreScan *scan, OtcoreText **out);

/**
 * Free a scan. If it still runs it is stopped as by otcore_scan_abort(); what it found is lost.
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
 * Free a text.
 */
OtcoreStatus otcore_text_free(OtcoreText *text);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* OTCORE_H */
