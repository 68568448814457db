/**
 * @file otcore.hpp
 * otcore.h for C++17: whatever is made is freed, whatever fails throws.
 *
 * @code
 * otcore::Scanner scanner(otcore::Settings().zone("line-3"));
 * otcore::Scan scan = scanner.start("10.20.4.0/24");
 * while (!scan.ended()) {
 *     if (auto event = scan.next(std::chrono::milliseconds(100))) {
 *         std::cout << event->view() << '\n';
 *     }
 * }
 * std::cout << scan.finish().count("/assets") << " devices\n";
 * @endcode
 */

#ifndef OTCORE_HPP
#define OTCORE_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "otcore.h"

namespace otcore {

/** What went wrong, in words, and as a number. */
class Error : public std::runtime_error {
  public:
    explicit Error(OtcoreStatus status) : std::runtime_error(otcore_last_error()), status_(status) {}

    OtcoreStatus status() const noexcept { return status_; }

  private:
    OtcoreStatus status_;
};

namespace detail {

inline void check(OtcoreStatus status) {
    if (status != OTCORE_STATUS_OK) {
        throw Error(status);
    }
}

/** Whether there is a result; throws if the call failed. */
inline bool given(OtcoreStatus status) {
    switch (status) {
        case OTCORE_STATUS_PENDING:
        case OTCORE_STATUS_END:
        case OTCORE_STATUS_NOTHING:
            return false;
        default:
            check(status);
            return true;
    }
}

/** The longest timeout that is not forever, if it does not fit. */
inline std::uint32_t milliseconds(std::chrono::milliseconds timeout) {
    const auto count = timeout.count();
    if (count <= 0) {
        return 0;
    }
    return count < OTCORE_FOREVER ? static_cast<std::uint32_t>(count) : OTCORE_FOREVER - 1;
}

/** Owns a handle. Assigning swaps, so that what callbacks use is never freed before the handle. */
template <typename T, OtcoreStatus (*Free)(T *)>
class Handle {
  public:
    Handle() = default;
    explicit Handle(T *raw) noexcept : raw_(raw) {}
    Handle(Handle &&other) noexcept : raw_(std::exchange(other.raw_, nullptr)) {}
    Handle &operator=(Handle &&other) noexcept {
        std::swap(raw_, other.raw_);
        return *this;
    }
    Handle(const Handle &) = delete;
    Handle &operator=(const Handle &) = delete;
    ~Handle() { Free(raw_); }

    T *get() const noexcept { return raw_; }
    T **out() noexcept { return &raw_; }
    T *release() noexcept { return std::exchange(raw_, nullptr); }

  private:
    T *raw_ = nullptr;
};

/** What a log callback is given; it lives as long as whatever may still write a line. */
struct Log : std::enable_shared_from_this<Log> {
    std::function<void(OtcoreSeverity, std::string_view)> tell;

    static void line(OtcoreSeverity severity, const char *line, void *user) noexcept {
        try {
            const auto log = static_cast<Log *>(user)->shared_from_this();
            log->tell(severity, line);
        } catch (...) {
            // A line of a log is not worth more.
        }
    }
};

}  // namespace detail

/** A text, mostly of JSON. */
class Text {
  public:
    explicit Text(OtcoreText *raw) noexcept : handle_(raw) {}

    /** Valid as long as this lives. */
    std::string_view view() const noexcept {
        const char *bytes = otcore_text_str(handle_.get());
        return bytes == nullptr ? std::string_view() : std::string_view(bytes, otcore_text_len(handle_.get()));
    }

    std::string str() const { return std::string(view()); }

    /** The value that a pointer (RFC 6901) leads to: a text as it is, anything else as JSON. */
    std::optional<std::string> get(const std::string &pointer) const {
        OtcoreText *out = nullptr;
        if (!detail::given(otcore_text_get(handle_.get(), pointer.c_str(), &out))) {
            return std::nullopt;
        }
        return Text(out).str();
    }

    /** The same, or what to say instead. */
    std::string get(const std::string &pointer, const std::string &otherwise) const {
        return get(pointer).value_or(otherwise);
    }

    /** How many values the list or object has that a pointer leads to. */
    std::size_t count(const std::string &pointer) const {
        std::size_t out = 0;
        detail::check(otcore_text_count(handle_.get(), pointer.c_str(), &out));
        return out;
    }

    /** The handle, which the caller now owns. */
    OtcoreText *release() noexcept { return handle_.release(); }

  private:
    detail::Handle<OtcoreText, otcore_text_free> handle_;
};

/** The version of the library. */
inline std::string version() { return otcore_version(); }

/** Everything that the library can send. */
inline Text manifest() {
    OtcoreText *out = nullptr;
    detail::check(otcore_manifest_json(&out));
    return Text(out);
}

/** What differs between two reports or inventories: see otcore_diff_json(). */
inline Text diff(const std::string &before, const std::string &after, bool across_zones = false) {
    OtcoreText *out = nullptr;
    detail::check(otcore_diff_json(before.c_str(), after.c_str(), across_zones ? 1 : 0, &out));
    return Text(out);
}

/** Which assets are one device, and why. */
inline Text join(const std::string &results, bool across_zones = false) {
    OtcoreText *out = nullptr;
    detail::check(otcore_join_json(results.c_str(), across_zones ? 1 : 0, &out));
    return Text(out);
}

/** The assets that stored exchanges decode to with this build. */
inline Text redecode(const std::string &results) {
    OtcoreText *out = nullptr;
    detail::check(otcore_redecode_json(results.c_str(), &out));
    return Text(out);
}

/** A report or an inventory in another form: see otcore_export(). */
inline Text export_as(const std::string &format, const std::string &results) {
    OtcoreText *out = nullptr;
    detail::check(otcore_export(results.c_str(), format.c_str(), &out));
    return Text(out);
}

/** What devices are called, by whose data packs are trusted: see otcore_packs_new(). */
class Packs {
  public:
    /** Whose packs are trusted: public keys of minisign, one a line. */
    explicit Packs(const std::string &keys) { detail::check(otcore_packs_new(keys.c_str(), nullptr, handle_.out())); }

    /** The same, with a folder that keeps the pack in use from one run to the next. */
    Packs(const std::string &keys, const std::string &folder) {
        detail::check(otcore_packs_new(keys.c_str(), folder.c_str(), handle_.out()));
    }

    /** Which pack is in use, or why the one in the folder is not. */
    Text json() const {
        OtcoreText *out = nullptr;
        detail::check(otcore_packs_json(handle_.get(), &out));
        return Text(out);
    }

    /** The card of a pack, if it may be used; throws if not. Nothing changes. */
    Text verify(std::string_view pack) const {
        OtcoreText *out = nullptr;
        detail::check(otcore_packs_verify_json(handle_.get(), pack.data(), pack.size(), &out));
        return Text(out);
    }

    /** Use a pack from now on. */
    void apply(std::string_view pack) {
        detail::check(otcore_packs_apply(handle_.get(), pack.data(), pack.size()));
    }

    /** Use again what was in use before. */
    void roll_back() { detail::check(otcore_packs_roll_back(handle_.get())); }

    /** What results would say otherwise with a pack. Nothing changes. */
    Text preview(std::string_view pack, const std::string &results) const {
        OtcoreText *out = nullptr;
        detail::check(
            otcore_packs_preview_json(handle_.get(), pack.data(), pack.size(), results.c_str(), &out));
        return Text(out);
    }

    /** The assets that stored exchanges decode to with the pack in use. */
    Text redecode(const std::string &results) const {
        OtcoreText *out = nullptr;
        detail::check(otcore_packs_redecode_json(handle_.get(), results.c_str(), &out));
        return Text(out);
    }

  private:
    friend class Settings;
    friend class Store;
    static const OtcorePacks *of(const Packs *packs) noexcept { return packs ? packs->handle_.get() : nullptr; }

    detail::Handle<OtcorePacks, otcore_packs_free> handle_;
};

/** Keeps what scans saw: see otcore_store_open(). Without packs, what is compiled in counts. */
class Store {
  public:
    /** A store that lasts as long as this. */
    Store() { detail::check(otcore_store_open(nullptr, handle_.out())); }

    /** A store in a file, which is made if there is none. */
    explicit Store(const std::string &path) { detail::check(otcore_store_open(path.c_str(), handle_.out())); }

    /** Keep what a report or an inventory saw. Gives of how many devices that is something. */
    std::size_t keep(const std::string &results) {
        std::size_t out = 0;
        detail::check(otcore_store_keep(handle_.get(), results.c_str(), &out));
        return out;
    }

    /** What is known now of every device. */
    Text json(const Packs *packs = nullptr) const {
        OtcoreText *out = nullptr;
        detail::check(otcore_store_json(handle_.get(), Packs::of(packs), &out));
        return Text(out);
    }

    /** How a field of a node came to be what it is. */
    Text history(const std::string &path, const std::string &field, const Packs *packs = nullptr) const {
        OtcoreText *out = nullptr;
        detail::check(otcore_store_history_json(handle_.get(), Packs::of(packs), path.c_str(), field.c_str(), &out));
        return Text(out);
    }

    /** Read all of it; throws at the first thing that does not fit. */
    void check() const { detail::check(otcore_store_check(handle_.get())); }

  private:
    detail::Handle<OtcoreStore, otcore_store_free> handle_;
};

/** What a scanner is made from: see otcore_settings_set(). */
class Settings {
  public:
    Settings() { detail::check(otcore_settings_new(nullptr, handle_.out())); }

    Settings(Settings &&) = default;
    Settings &operator=(Settings &&other) noexcept {
        log_.swap(other.log_);
        handle_ = std::move(other.handle_);
        return *this;
    }

    /** All settings as TOML or JSON. */
    explicit Settings(const std::string &config) {
        detail::check(otcore_settings_new(config.c_str(), handle_.out()));
    }

    Settings &set(const char *key, const std::string &value) {
        detail::check(otcore_settings_set(handle_.get(), key, value.c_str()));
        return *this;
    }

    /** Back to the default. */
    Settings &unset(const char *key) {
        detail::check(otcore_settings_set(handle_.get(), key, nullptr));
        return *this;
    }

    Settings &policy(const std::string &text) { return set("policy", text); }
    Settings &level(const std::string &name) { return set("level", name); }
    /** Their names, with spaces or commas between them. */
    Settings &protocols(const std::string &names) { return set("protocols", names); }
    Settings &zone(const std::string &name) { return set("zone", name); }
    Settings &source(const std::string &name) { return set("source", name); }
    Settings &journal(const std::string &path) { return set("journal", path); }
    Settings &capture(const std::string &path) { return set("capture", path); }
    Settings &memory(const std::string &path) { return set("memory", path); }

    /** What devices are called by; the packs may be gone before the settings. */
    Settings &packs(const Packs &packs) {
        detail::check(otcore_settings_packs(handle_.get(), Packs::of(&packs)));
        return *this;
    }

    /** Told of what scans do, in the threads that otcore_settings_log() says. */
    Settings &log(std::function<void(OtcoreSeverity, std::string_view)> tell) {
        auto log = std::make_shared<detail::Log>();
        log->tell = std::move(tell);
        detail::check(otcore_settings_log(handle_.get(), detail::Log::line, log.get()));
        log_ = std::move(log);
        return *this;
    }

  private:
    friend class Scanner;
    std::shared_ptr<detail::Log> log_;
    detail::Handle<OtcoreSettings, otcore_settings_free> handle_;
};

/** A running or finished scan. */
class Scan {
  public:
    Scan(Scan &&) = default;
    Scan &operator=(Scan &&other) noexcept {
        std::swap(ended_, other.ended_);
        log_.swap(other.log_);
        watch_.swap(other.watch_);
        handle_ = std::move(other.handle_);
        return *this;
    }

    /** The next event; none if it did not come in time, or there are no more. */
    std::optional<Text> next(std::chrono::milliseconds timeout) {
        OtcoreText *out = nullptr;
        const auto status = otcore_scan_next(handle_.get(), detail::milliseconds(timeout), &out);
        ended_ = ended_ || status == OTCORE_STATUS_END;
        return detail::given(status) ? std::optional<Text>(Text(out)) : std::nullopt;
    }

    /** Whether next() came to the end. */
    bool ended() const noexcept { return ended_; }

    /**
     * Push every event to `event`, then call `end`, in one thread: see otcore_scan_watch(). What is
     * thrown there stops the telling and comes out of finish().
     */
    void watch(std::function<void(const Text &)> event, std::function<void()> end = {}) {
        auto watch = std::make_shared<Watch>();
        watch->event = std::move(event);
        watch->end = std::move(end);
        detail::check(otcore_scan_watch(handle_.get(), Watch::tell, watch.get()));
        watch_ = std::move(watch);
    }

    OtcoreProgress progress() const {
        OtcoreProgress out = {};
        detail::check(otcore_scan_progress(handle_.get(), &out));
        return out;
    }

    void pause() { detail::check(otcore_scan_pause(handle_.get())); }
    void resume() { detail::check(otcore_scan_resume(handle_.get())); }
    void abort() { detail::check(otcore_scan_abort(handle_.get())); }

    /** Wait for the end and take the report. */
    Text finish() { return *report(OTCORE_FOREVER); }

    /** The report, if the scan is over in time. */
    std::optional<Text> finish(std::chrono::milliseconds timeout) {
        return report(detail::milliseconds(timeout));
    }

  private:
    friend class Scanner;

    struct Watch : std::enable_shared_from_this<Watch> {
        std::function<void(const Text &)> event;
        std::function<void()> end;
        std::mutex mutex;
        std::exception_ptr thrown;

        static void tell(const OtcoreText *raw, void *user) noexcept {
            const auto watch = static_cast<Watch *>(user)->shared_from_this();
            Text lent(const_cast<OtcoreText *>(raw));
            if (!watch->failed()) {
                try {
                    raw != nullptr ? watch->event(lent) : watch->ended();
                } catch (...) {
                    const std::lock_guard<std::mutex> lock(watch->mutex);
                    watch->thrown = std::current_exception();
                }
            }
            lent.release();
        }

        void ended() {
            if (end) {
                end();
            }
        }

        bool failed() {
            const std::lock_guard<std::mutex> lock(mutex);
            return thrown != nullptr;
        }
    };

    explicit Scan(std::shared_ptr<detail::Log> log) : log_(std::move(log)) {}

    std::optional<Text> report(std::uint32_t timeout_ms) {
        OtcoreText *out = nullptr;
        if (!detail::given(otcore_scan_finish(handle_.get(), timeout_ms, &out))) {
            return std::nullopt;
        }
        Text text(out);
        if (watch_ && watch_->failed()) {
            std::rethrow_exception(watch_->thrown);
        }
        return text;
    }

    bool ended_ = false;
    std::shared_ptr<detail::Log> log_;
    std::shared_ptr<Watch> watch_;
    detail::Handle<OtcoreScan, otcore_scan_free> handle_;  // freed first: callbacks end with it
};

/** Plans and starts scans under one policy. */
class Scanner {
  public:
    Scanner() : Scanner(Settings()) {}

    explicit Scanner(const Settings &settings) : log_(settings.log_) {
        detail::check(otcore_scanner_new(settings.handle_.get(), handle_.out()));
    }

    Scanner(Scanner &&) = default;
    Scanner &operator=(Scanner &&other) noexcept {
        log_.swap(other.log_);
        handle_ = std::move(other.handle_);
        return *this;
    }

    /** What would be sent to whom. Nothing is sent but what it takes to resolve names. */
    Text plan(const std::string &targets) const {
        OtcoreText *out = nullptr;
        detail::check(otcore_plan_json(handle_.get(), targets.c_str(), &out));
        return Text(out);
    }

    /** What may be done. */
    Text policy() const {
        OtcoreText *out = nullptr;
        detail::check(otcore_policy_json(handle_.get(), &out));
        return Text(out);
    }

    /** What may be asked of an address now, and why; port 0 is the usual one. */
    Text explain(const std::string &address, const std::string &protocol, std::uint16_t port = 0) const {
        OtcoreText *out = nullptr;
        detail::check(otcore_explain_json(handle_.get(), address.c_str(), protocol.c_str(), port, &out));
        return Text(out);
    }

    /** What is remembered of devices: whom it leaves alone, since when and why. */
    Text memory() const {
        OtcoreText *out = nullptr;
        detail::check(otcore_memory_json(handle_.get(), &out));
        return Text(out);
    }

    /** Let every device at an address be asked again, as a person decides. Gives how many. */
    std::size_t clear(const std::string &address) const {
        std::size_t out = 0;
        detail::check(otcore_memory_clear(handle_.get(), address.c_str(), &out));
        return out;
    }

    Scan start(const std::string &targets) const {
        Scan scan(log_);
        detail::check(otcore_scan_start(handle_.get(), targets.c_str(), scan.handle_.out()));
        return scan;
    }

  private:
    std::shared_ptr<detail::Log> log_;
    detail::Handle<OtcoreScanner, otcore_scanner_free> handle_;
};

}  // namespace otcore

#endif  // OTCORE_HPP
