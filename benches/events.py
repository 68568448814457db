"""Read the events of one scan from Python and say what that took: events.py POLICY TARGETS.

Both are files. Prints JSON: how many events, devices and names there were, and the processor time
from the start of the scan to its last event.
"""

import json
import sys
import time
from pathlib import Path

import otcore


def main() -> None:
    policy, targets = (Path(argument).read_text(encoding="utf-8") for argument in sys.argv[1:])
    scanner = otcore.Scanner(policy=policy)
    events = assets = names = 0
    began = time.process_time()
    for event in scanner.start(targets):
        events += 1
        if isinstance(event, otcore.AssetFound):
            asset = event.asset
            assets += 1
            known = (asset.path, asset.vendor, asset.model, asset.firmware)
            names += sum(name is not None for name in known)
    seconds = time.process_time() - began
    print(json.dumps({"events": events, "assets": assets, "names": names, "seconds": seconds}))


if __name__ == "__main__":
    main()
