"""otcore tells a plant what is on its network without ever disturbing it.

>>> import otcore
>>> plan = otcore.plan("10.20.4.0/24")  # nothing is sent
>>> plan.devices
256

`scan` finds out what is there and returns an `Inventory`; `Scanner.start` and `Scanner.stream`
show what happens on the way; `Policy` says what may be done.
"""

from __future__ import annotations

from otcore import journal
from otcore._native import __version__
from otcore.asynchronous import Stream
from otcore.differences import Change, Changed, Diff, Spot
from otcore.enums import (
    Confidence,
    Format,
    Level,
    Method,
    Outcome,
    Phase,
    Profile,
    Protocol,
    StopReason,
    Transport,
)
from otcore.errors import (
    EmptyScopeError,
    Error,
    FileError,
    InternalError,
    Interrupted,
    NameResolutionError,
    NamingError,
    PolicyError,
    ProcessError,
    TargetError,
)
from otcore.events import (
    AssetFound,
    ConversationEnded,
    Event,
    Finished,
    OtherEvent,
    PhaseChanged,
    Progress,
    Skipped,
)
from otcore.inventory import Inventory
from otcore.joining import Doubt, Joined, Reason, SameDevice
from otcore.manifests import Manifest, manifest
from otcore.model import Asset, Claim, Evidence, Node, OutcomeRecord, Service
from otcore.packs import Card, Pack, Packs
from otcore.plans import Bounds, Plan
from otcore.policies import Explanation, Policy
from otcore.quarantine import Memory, Remembered
from otcore.scanning import PolicyLike, Scan, Scanner, Target, Targets, plan, scan, scan_async
from otcore.stores import Store

__all__ = [
    "Asset",
    "AssetFound",
    "Bounds",
    "Card",
    "Change",
    "Changed",
    "Claim",
    "Confidence",
    "ConversationEnded",
    "Diff",
    "Doubt",
    "EmptyScopeError",
    "Error",
    "Event",
    "Evidence",
    "Explanation",
    "FileError",
    "Finished",
    "Format",
    "InternalError",
    "Interrupted",
    "Inventory",
    "Joined",
    "Level",
    "Manifest",
    "Memory",
    "Method",
    "NameResolutionError",
    "NamingError",
    "Node",
    "OtherEvent",
    "Outcome",
    "OutcomeRecord",
    "Pack",
    "Packs",
    "Phase",
    "PhaseChanged",
    "Plan",
    "Policy",
    "PolicyError",
    "PolicyLike",
    "ProcessError",
    "Profile",
    "Progress",
    "Protocol",
    "Reason",
    "Remembered",
    "SameDevice",
    "Scan",
    "Scanner",
    "Service",
    "Skipped",
    "Spot",
    "StopReason",
    "Store",
    "Stream",
    "Target",
    "TargetError",
    "Targets",
    "Transport",
    "__version__",
    "journal",
    "manifest",
    "plan",
    "scan",
    "scan_async",
]
