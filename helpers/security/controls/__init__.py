"""Controls on what goes into the agent and what comes out of it.

Each is small and does one thing; most are LangChain middleware, so that `build_agent(middleware=
[...])` takes one or several. `text_controls` puts them together in the order that works. Only one
of them binds: `make_apply_goodwill`, which keeps the secret where no text can ask for it. The
others lower the odds, and module 03 measures by how much; what a compromised agent may still do is
limited by `helpers.security.policy`.
"""

from helpers.security.controls.approval import approve_refunds
from helpers.security.controls.around import Control
from helpers.security.controls.limits import LimitInput, LimitResults, limit_calls
from helpers.security.controls.marking import CleanText, MarkUntrusted, clean
from helpers.security.controls.output import FilterOutput, allow_hosts
from helpers.security.controls.personal import OthersData
from helpers.security.controls.pii import redact_pii
from helpers.security.controls.screen import Classifier, ScreenInput, has_signs, signs, train
from helpers.security.controls.secrets import Till, make_apply_goodwill
from helpers.security.controls.stack import text_controls

__all__ = [
    "Classifier",
    "CleanText",
    "Control",
    "FilterOutput",
    "LimitInput",
    "LimitResults",
    "MarkUntrusted",
    "OthersData",
    "ScreenInput",
    "Till",
    "allow_hosts",
    "approve_refunds",
    "clean",
    "has_signs",
    "limit_calls",
    "make_apply_goodwill",
    "redact_pii",
    "signs",
    "text_controls",
    "train",
]
