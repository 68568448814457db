/* Sizes and places that programs were compiled with: this compiles, or the interface has changed. */

#include <stddef.h>

#include "otcore.h"

#define SAME(name, holds) typedef char name[(holds) ? 1 : -1]

SAME(status_is_an_int, sizeof(OtcoreStatus) == sizeof(int));
SAME(severity_is_an_int, sizeof(OtcoreSeverity) == sizeof(int));
SAME(state_is_an_int, sizeof(OtcoreScanState) == sizeof(int));
SAME(progress_has_40_bytes, sizeof(OtcoreProgress) == 40);
SAME(done_is_first, offsetof(OtcoreProgress, done) == 0);
SAME(planned_at_8, offsetof(OtcoreProgress, planned) == 8);
SAME(answered_at_16, offsetof(OtcoreProgress, answered) == 16);
SAME(packets_at_24, offsetof(OtcoreProgress, packets) == 24);
SAME(percent_at_32, offsetof(OtcoreProgress, percent) == 32);
SAME(state_at_36, offsetof(OtcoreProgress, state) == 36);
SAME(forever_is_32_bits, OTCORE_FOREVER == 0xFFFFFFFF);
