// The same as scan.c with the wrapper for C++: events are pushed, errors are exceptions.
//
//   scan_cpp TARGET...

#include <iostream>
#include <string>

#include <otcore.hpp>

namespace {

void print(const otcore::Text &event) {
    if (event.get("/event") == "asset") {
        std::cout << event.get("/path", "-") << "  " << event.get("/identity/vendor/value", "-") << "  "
                  << event.get("/identity/model/value", "-") << '\n';
    }
}

void scan(const std::string &targets) {
    otcore::Settings settings;
    settings.zone("line-3").source("example");
    settings.log([](OtcoreSeverity severity, std::string_view line) {
        if (severity == OTCORE_SEVERITY_WARNING) {
            std::cerr << "otcore: " << line << '\n';
        }
    });
    const otcore::Scanner scanner(settings);
    std::cout << "at most " << scanner.plan(targets).get("/bounds/packets", "?") << " packets\n";
    auto scan = scanner.start(targets);
    scan.watch(print);
    const auto report = scan.finish();
    std::cout << report.count("/assets") << " devices, " << scan.progress().packets << " packets\n";
}

}  // namespace

int main(int count, char **words) {
    std::string targets;
    for (int i = 1; i < count; i++) {
        targets += std::string(words[i]) + ' ';
    }
    try {
        scan(targets);
        return 0;
    } catch (const otcore::Error &error) {
        std::cerr << "scan_cpp: " << error.what() << " (status " << error.status() << ")\n";
    } catch (const std::exception &error) {
        std::cerr << "scan_cpp: " << error.what() << '\n';
    }
    return 1;
}
