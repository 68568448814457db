// What a C++ program does with the wrapper, and what it gets when it does it wrong.

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "otcore.hpp"

namespace {

int failures = 0;

void check(bool holds, const char *what) {
    if (!holds) {
        std::cerr << "FAILED: " << what << '\n';
        failures += 1;
    }
}

/// The status that a call throws; OTCORE_STATUS_OK if it does not.
template <typename Call>
OtcoreStatus thrown(Call call) {
    try {
        call();
    } catch (const otcore::Error &error) {
        check(error.what()[0] != 0, "an error says what is wrong");
        return error.status();
    }
    return OTCORE_STATUS_OK;
}

// The key that minisign itself is signed with, as an example of one.
const char public_key_of_minisign[] = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";

// Nobody listens on port 1 of this host, so a scan of it ends at once.
const std::string nobody = "modbus://127.0.0.1:1";

void settings() {
    otcore::Settings settings("zone = \"line-3\"");
    settings.policy("profile = \"careful\"").level("identify").protocols("modbus").source("hub-7");
    const otcore::Scanner scanner(settings);
    check(scanner.plan("10.0.0.7").get("/zone") == "line-3", "the zone of a plan");
    check(scanner.policy().get("/profile") == "careful", "the profile of a policy");
    check(scanner.explain("10.0.0.7", "modbus").get("/port") == "502", "the usual port");
    check(scanner.explain("10.0.0.7", "modbus", 1502).get("/port") == "1502", "another port");
    check(scanner.memory().count("") == 0 && scanner.clear("10.0.0.7") == 0, "nobody is left alone");
    settings.unset("zone");
    check(otcore::Scanner(settings).plan("10.0.0.7").get("/zone") == "default", "an unset zone");
    check(thrown([&] { settings.level("deep"); }) == OTCORE_STATUS_POLICY, "a wrong level");
    check(thrown([&] { scanner.plan("10.0.4.300"); }) == OTCORE_STATUS_TARGET, "a wrong target");
    check(thrown([&] { scanner.explain("10.0.0.7", "gopher"); }) == OTCORE_STATUS_TARGET, "no protocol");
}

std::string scans() {
    std::vector<std::string> lines;
    otcore::Settings settings;
    settings.log([&](OtcoreSeverity, std::string_view line) { lines.emplace_back(line); });
    const otcore::Scanner scanner(settings);
    auto pulled = scanner.start(nobody);
    int events = 0;
    while (!pulled.ended()) {
        events += pulled.next(std::chrono::milliseconds(100)).has_value();
    }
    const auto report = pulled.finish().str();
    check(events > 0 && pulled.progress().state == OTCORE_SCAN_STATE_OVER, "events of a scan");
    check(!lines.empty() && lines.back() == "scan ends", "the log of a scan");

    auto pushed = scanner.start(nobody);
    bool end = false;
    pushed.watch([&](const otcore::Text &event) { check(event.get("/event").has_value(), "an event"); },
                 [&] { end = true; });
    check(thrown([&] { pushed.watch([](const otcore::Text &) {}); }) == OTCORE_STATUS_WATCHED, "watched");
    pushed.finish();
    check(end, "the end of what is pushed");

    auto throwing = scanner.start(nobody);
    throwing.watch([](const otcore::Text &) { throw std::runtime_error("of a callback"); });
    try {
        throwing.finish();
        check(false, "what a callback throws comes out of finish()");
    } catch (const std::runtime_error &error) {
        check(error.what() == std::string("of a callback"), "what a callback threw");
    }

    auto moved = scanner.start(nobody);
    auto other = std::move(moved);
    moved = std::move(other);
    moved.pause();
    check(!moved.finish(std::chrono::milliseconds(20)), "a paused scan is not over");
    moved.abort();
    check(moved.finish().get("/completed") == "false", "an aborted scan says so");
    check(thrown([&] { other.abort(); }) == OTCORE_STATUS_BAD_HANDLE, "what was moved away");
    return report;
}

void documents(const std::string &report) {
    check(otcore::diff("[]", report).count("/new") == 0, "nothing is new at nobody's");
    check(otcore::join(report).view().size() > 1 && otcore::redecode(report).view() == "[]", "documents");
    check(!otcore::export_as("csv", report).view().empty(), "a spreadsheet");
    check(thrown([&] { otcore::export_as("pdf", report); }) == OTCORE_STATUS_NAMING, "no such form");
    check(otcore::manifest().view().find("ReadDeviceIdBasic") != std::string_view::npos, "a manifest");
}

void kept(const std::string &report) {
    const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
    const std::string name = "otcore-smoke-" + std::to_string(now) + ".otcore";
    const std::string path = (std::filesystem::temp_directory_path() / name).string();
    {
        otcore::Store store(path);
        check(store.keep(report) == 1 && store.json().view() == "[]", "a visit that found nobody");
        store.check();
    }
    check(otcore::Store(path).history("default/127.0.0.1", "firmware").view() == "[]", "kept, and no firmware");
    for (const char *end : {"", "-wal", "-shm"}) {
        std::remove((path + end).c_str());
    }
    check(thrown([] { otcore::Store("/"); }) == OTCORE_STATUS_FILE, "a folder is no store");

    otcore::Packs packs(public_key_of_minisign);
    check(!packs.json().get("/in_use"), "what is compiled in");
    check(thrown([&] { packs.apply("shopping list"); }) == OTCORE_STATUS_FILE, "no pack");
    check(thrown([&] { packs.verify("shopping list"); }) == OTCORE_STATUS_FILE, "no pack to verify");
    check(thrown([&] { packs.preview("", report); }) == OTCORE_STATUS_FILE, "no pack to try");
    check(thrown([&] { packs.roll_back(); }) == OTCORE_STATUS_FILE, "nothing before");
    check(packs.redecode(report).view() == "[]" && otcore::Store().json(&packs).view() == "[]", "with packs");
    otcore::Scanner(otcore::Settings().packs(packs));
    check(thrown([] { otcore::Packs("shopping list"); }) == OTCORE_STATUS_FILE, "no key");
}

}  // namespace

int main() {
    settings();
    const std::string report = scans();
    documents(report);
    kept(report);
    std::thread([&] { documents(report); }).join();
    return failures == 0 ? 0 : 1;
}
