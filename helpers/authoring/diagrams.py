"""Give every mermaid diagram colours that read in the light and the dark theme alike.

JupyterLab draws a diagram once, as a picture in the colours of the theme of that moment, and does
not draw it again when the theme is switched: dark arrows then lie on a dark page. Other viewers
have colours of their own. So the build writes into each diagram which colours to use: lines in a
gray of at least 3:1 on either page, and text always on a light ground of its own. The messages of
a sequence diagram have none: put them into a `rect rgb(240, 240, 240)`.
"""

import re

COLOURS = (
    '%%{init: {"theme": "neutral", "themeVariables": {"lineColor": "#808080", "strokeWidth": 2}}}%%'
)
SEQUENCE = COLOURS.replace(
    '"strokeWidth"', '"signalColor": "#808080", "actorLineColor": "#808080", "strokeWidth"'
)
_BEGINNING = re.compile(r"^( *)```mermaid *\n(?! *%%\{)(?= *(sequenceDiagram)?)", re.MULTILINE)


def coloured(text: str) -> str:
    """Markdown whose diagrams name their colours; one that has a directive keeps it."""

    def directed(found: re.Match[str]) -> str:
        return f"{found[0]}{found[1]}{SEQUENCE if found[2] else COLOURS}\n"

    return _BEGINNING.sub(directed, text)
