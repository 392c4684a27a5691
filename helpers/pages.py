"""What every page of the course has: one HTML file that loads nothing, in light and dark."""

import base64
import hashlib
from html import escape

STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1b; --page: #ffffff; --soft: #f1f1f1; --line: #999;
  --mark: #0b5394; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ececec; --page: #161616; --soft: #262626; --line: #777; --mark: #8ecbff; }
}
@media print {
  :root { --ink: #000; --page: #fff; --soft: #fff; --mark: #000; color-scheme: light; }
}
body { font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); }
table { border-collapse: collapse; margin: 0.5rem 0; }
th, td { border: 1px solid var(--line); padding: 0.2rem 0.6rem; text-align: left; }
tr { break-inside: avoid; }
pre { background: var(--soft); padding: 0.5rem 1rem; overflow-x: auto; }
"""


def page(title: str, body: str, style: str, script: str = "", *, head: str = "") -> str:
    """A whole page; its policy lets it load nothing and run nothing but `script`.

    `head` has further elements of its head, near the beginning of the file.
    """
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    allowed = f"script-src 'sha256-{digest}'; " if script else ""
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; {allowed}"
        "form-action 'none'; base-uri 'none'"
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"{head}"
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style></head><body>\n{body}\n"
        + (f"<script>{script}</script>" if script else "")
        + "</body></html>\n"
    )
