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
 * - A `const void *` with a length is that many bytes, at most 16 MiB; they are not kept.
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
     * A name for a zone, a source or a format is not allowed.
     */
    OTCORE_STATUS_NAMING = 5,
    /**
     * A file cannot be read, written or used: a journal, a memory, a store, a data pack.
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
 * What devices are called: what is compiled in, or a data pack of somebody who is trusted.
 */
typedef struct OtcorePacks OtcorePacks;

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
 * Keeps what scans saw.
 */
typedef struct OtcoreStore OtcoreStore;

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
 * | key       | value                                                              | default   |
 * |-----------|--------------------------------------------------------------------|-----------|
 * | policy    | what may be done, as TOML, or as JSON if it begins with a brace    | gentle    |
 * | level     | how deep to ask: detect, identify, structure, state                | by policy |
 * | protocols | those to use only, such as `modbus s7`; a list in a text of all    | by policy |
 * | zone      | the network the addresses live in                                  | default   |
 * | source    | who looks, stamped on every claim                                  | otcore    |
 * | journal   | the file that everything sent and received is appended to          | none      |
 * | capture   | the file that the same is appended to as a capture (pcapng)        | none      |
 * | memory    | the file that remembers devices, such as those in quarantine       | none      |
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
 *                 from them and every scan of those are freed, and no call with one of them is in
 *                 progress in another thread.
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

/**
 * Say whose data packs are trusted. What devices are called is what is compiled in, until a pack
 * is applied.
 *
 * @param keys   Public keys of minisign, one a line, as in the file that minisign writes one to.
 * @param folder The folder that keeps the pack in use from one run to the next, for one program at
 *               a time; NULL for none. A pack in it that is no longer good is not used:
 *               otcore_packs_json() says why.
 * @param out    Receives them; free them with otcore_packs_free().
 */
OtcoreStatus otcore_packs_new(const char *keys, const char *folder, OtcorePacks **out);

/**
 * Which pack is in use, as JSON: its card under `in_use`, or null for what is compiled in; and
 * under `refused` why the one in the folder is not used, or null.
 *
 * @param packs The packs.
 * @param out   Receives the text; free it with otcore_text_free().
 */
OtcoreStatus otcore_packs_json(const OtcorePacks *packs, OtcoreText **out);

/**
 * Whether a pack may be used now, with its key, its dates and all that is in it. Nothing changes.
 *
 * @param packs  Whose keys are trusted.
 * @param pack   The bytes of the pack, which are not kept.
 * @param length How many there are.
 * @param out    Receives its card as JSON; free it with otcore_text_free().
 * @return ::OTCORE_STATUS_FILE if it may not; otcore_last_error() says why.
 */
OtcoreStatus otcore_packs_verify_json(const OtcorePacks *packs,
                                      const void *pack,
                                      size_t length,
                                      OtcoreText **out);

/**
 * Use a pack from now on, and in the folder, if there is one, from run to run. Scans that run end
 * with what they began with.
 *
 * @param packs  The packs.
 * @param pack   The bytes of the pack, which are not kept.
 * @param length How many there are.
 * @return ::OTCORE_STATUS_FILE if it may not be used; what was in use stays.
 */
OtcoreStatus otcore_packs_apply(const OtcorePacks *packs, const void *pack, size_t length);

/**
 * Use again what was in use before the pack that was applied last.
 *
 * @param packs The packs.
 * @return ::OTCORE_STATUS_FILE if there is nothing to go back to.
 */
OtcoreStatus otcore_packs_roll_back(const OtcorePacks *packs);

/**
 * As otcore_redecode_json(), with what is known with the pack in use.
 *
 * @param packs   The packs.
 * @param results As `before` of otcore_diff_json().
 * @param out     Receives the text; free it with otcore_text_free().
 */
OtcoreStatus otcore_packs_redecode_json(const OtcorePacks *packs,
                                        const char *results,
                                        OtcoreText **out);

/**
 * What a document would say otherwise with a pack than with the one in use, as JSON. Nothing
 * changes.
 *
 * @param packs   Whose keys are trusted.
 * @param pack    The bytes of the pack, which are not kept.
 * @param length  How many there are.
 * @param results As `before` of otcore_diff_json().
 * @param out     Receives the text; free it with otcore_text_free().
 * @return ::OTCORE_STATUS_FILE if the pack may not be used.
 */
OtcoreStatus otcore_packs_preview_json(const OtcorePacks *packs,
                                       const void *pack,
                                       size_t length,
                                       const char *results,
                                       OtcoreText **out);

/**
 * Have scanners call devices by what is in use of these packs whenever a scan starts.
 *
 * @param settings The settings; scanners that were made before are not changed.
 * @param packs    The packs, which may be freed before; NULL for what is compiled in.
 */
OtcoreStatus otcore_settings_packs(const OtcoreSettings *settings, const OtcorePacks *packs);

/**
 * Free packs. Scanners that use them go on to.
 */
OtcoreStatus otcore_packs_free(OtcorePacks *packs);

/**
 * The policy of a scanner with every limit that it has, as JSON.
 *
 * @param scanner The scanner.
 * @param out     Receives the text; free it with otcore_text_free().
 */
OtcoreStatus otcore_policy_json(const OtcoreScanner *scanner, OtcoreText **out);

/**
 * What a scanner may ask of an address in a protocol now, and which rule decides so, as JSON.
 * Nothing is sent.
 *
 * @param scanner  The scanner.
 * @param address  The address.
 * @param protocol The protocol, such as `modbus`.
 * @param port     The port, or 0 for the usual one of the policy.
 * @param out      Receives the text; free it with otcore_text_free().
 */
OtcoreStatus otcore_explain_json(const OtcoreScanner *scanner,
                                 const char *address,
                                 const char *protocol,
                                 uint16_t port,
                                 OtcoreText **out);

/**
 * What a scanner remembers of devices, as JSON: whom it leaves alone, since when and why.
 *
 * @param scanner The scanner.
 * @param out     Receives the text; free it with otcore_text_free().
 */
OtcoreStatus otcore_memory_json(const OtcoreScanner *scanner, OtcoreText **out);

/**
 * Let every device at an address be asked again. Only a person decides that, who has looked at it.
 *
 * @param scanner The scanner; its zone is the one that is meant, and its scans know it at once.
 * @param address The address.
 * @param out     Receives how many devices were left alone until now. Left alone if this fails.
 */
OtcoreStatus otcore_memory_clear(const OtcoreScanner *scanner, const char *address, size_t *out);

/**
 * Open a store of inventories.
 *
 * @param path The file, which is made if there is none; NULL for a store that lasts as long as its
 *             handle.
 * @param out  Receives the store; free it with otcore_store_free().
 * @return ::OTCORE_STATUS_FILE if the file cannot be read or written, is no store, or is damaged;
 *         always for a file if this library was built without stores in files.
 */
OtcoreStatus otcore_store_open(const char *path, OtcoreStore **out);

/**
 * Keep what a document saw, all or nothing: the questions and answers of a report, or else what it
 * claims. Once this returns it is as safe as the store can make it.
 *
 * @param store   The store.
 * @param results As `before` of otcore_diff_json().
 * @param out     Receives of how many devices that is something. Left alone if this fails.
 */
OtcoreStatus otcore_store_keep(const OtcoreStore *store, const char *results, size_t *out);

/**
 * What is known now of every device, as JSON: the newest of everything that is said the same way.
 *
 * @param store The store.
 * @param packs With what is in use of these; NULL for what is compiled in.
 * @param out   Receives the text, an array of assets; free it with otcore_text_free().
 */
OtcoreStatus otcore_store_json(const OtcoreStore *store,
                               const OtcorePacks *packs,
                               OtcoreText **out);

/**
 * How a field of a device, a module or what is behind one came to be what it is, as JSON: the
 * claims that said something else than the one before, the oldest first.
 *
 * @param store The store.
 * @param packs As for otcore_store_json().
 * @param path  Whose, such as `line-3/10.20.4.7` or `line-3/10.20.4.7/s7/102/4`.
 * @param field The field, such as `firmware`.
 * @param out   Receives the text; free it with otcore_text_free().
 * @return ::OTCORE_STATUS_FILE if there is no such field, or the path is none.
 */
OtcoreStatus otcore_store_history_json(const OtcoreStore *store,
                                       const OtcorePacks *packs,
                                       const char *path,
                                       const char *field,
                                       OtcoreText **out);

/**
 * Read all of a store and compare it with what was written. Takes as long as it is large.
 *
 * @param store The store.
 * @return ::OTCORE_STATUS_FILE with the first thing that does not fit.
 */
OtcoreStatus otcore_store_check(const OtcoreStore *store);

/**
 * Free a store, and close its file.
 */
OtcoreStatus otcore_store_free(OtcoreStore *store);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* OTCORE_H */
