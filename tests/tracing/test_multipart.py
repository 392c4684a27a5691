import pytest

from helpers.tracing import multipart
from helpers.tracing.errors import Invalid

TYPE = "multipart/form-data; boundary=xyz"


def body(*parts: tuple[str, bytes], end: bytes = b"--xyz--\r\n") -> bytes:
    head = b'--xyz\r\nContent-Disposition: form-data; name="%s"\r\nContent-Type: a/b\r\n\r\n%s\r\n'
    return b"".join(head % (name.encode(), content) for name, content in parts) + end


PARTS = [("post.1", b'{"a": 1}'), ("post.1.inputs", b""), ("é x", b"\r\n\r\n--xy\r\n --xyz")]


def named(form: multipart.Form) -> list[tuple[str, bytes]]:
    return [(part.name, part.content) for part in form.parts]


@pytest.mark.parametrize("kind", [TYPE, 'Multipart/Form-Data; Boundary="xyz"; charset=utf-8'])
def test_parts_come_in_order_byte_for_byte(kind: str) -> None:
    assert named(multipart.form(body(*PARTS), kind)) == PARTS


def test_what_follows_the_end_is_no_part() -> None:
    assert named(multipart.form(body(*PARTS) + b"--xyz\r\nrubbish", TYPE)) == PARTS


@pytest.mark.parametrize(
    ("content", "kind", "says"),
    [
        (body(*PARTS), "application/json", "Send a multipart form"),
        (body(*PARTS), "multipart/form-data", "Send a multipart form"),
        (b"", TYPE, "does not begin"),
        (b"hello", TYPE, "does not begin"),
        (body(*PARTS), "multipart/form-data; boundary=other", "does not begin"),
    ],
)
def test_what_is_no_form_is_refused(content: bytes, kind: str, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        multipart.form(content, kind)


@pytest.mark.parametrize(
    ("end", "says"),
    [
        (b"--xyz\r\nContent-Type: a/b\r\n\r\n{}\r\n--xyz--", "has no name"),
        (
            b'--xyz\r\nContent-Disposition: form-data; name="a"',
            "the middle in the part 'a'",
        ),
        (b"", "the middle in the part 'é x'"),
    ],
)
def test_what_is_not_whole_is_named_and_the_rest_is_kept(end: bytes, says: str) -> None:
    found = multipart.form(body(*PARTS, end=end), TYPE)
    assert named(found) == (PARTS if end else PARTS[:-1])
    (problem,) = found.problems
    assert says in problem


def test_a_part_knows_its_content_type() -> None:
    (part, *_) = multipart.form(body(*PARTS), TYPE).parts
    assert part.content_type == "a/b"
