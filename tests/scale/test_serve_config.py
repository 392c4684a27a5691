"""`course ray config`: every mistake of a Serve config file is named, with its place."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers.scale.serve_config import main, problems

GOOD = """
proxy_location: EveryNode
http_options:
  host: 127.0.0.1
  port: 8000
logging_config:
  encoding: JSON
applications:
- name: shop
  route_prefix: /
  import_path: serve_app:app
  runtime_env:
    env_vars: {COURSE_MODEL: local}
  args: {anything: goes}
  deployments:
  - name: Search
    num_replicas: 1
    ray_actor_options:
      num_cpus: 0.5
  - name: Support
    max_ongoing_requests: 8
    max_queued_requests: 20
    user_config: {whatever: {a: [learner, likes]}}
    autoscaling_config:
      min_replicas: 1
      max_replicas: 3
      target_ongoing_requests: 2
"""


def changed(*steps: Any, **keys: Any) -> str:
    """The good file with keys added where the steps lead."""
    content = yaml.safe_load(GOOD)
    place = content
    for step in steps:
        place = place[step]
    place.update(keys)
    return yaml.safe_dump(content)


APP = ("applications", 0)
SEARCH = (*APP, "deployments", 0)
SUPPORT = (*APP, "deployments", 1)


def test_a_good_file_has_no_problem() -> None:
    assert problems(GOOD) == []


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        (changed(proxy_locaton="HeadOnly"), "proxy_locaton", "proxy_location"),
        (changed("http_options", prt=1), "http_options.prt", "port"),
        (changed("logging_config", log_levl="INFO"), "logging_config.log_levl", "log_level"),
        (changed(*APP, route_prefx="/"), "applications[0].route_prefx", "route_prefix"),
        (
            changed(*SEARCH, num_replica=2),
            "applications[0].deployments[0].num_replica",
            "num_replicas",
        ),
        (
            changed(*SEARCH, "ray_actor_options", num_cpu=2),
            "applications[0].deployments[0].ray_actor_options.num_cpu",
            "num_cpus",
        ),
        (
            changed(*SUPPORT, "autoscaling_config", min_replica=2),
            "applications[0].deployments[1].autoscaling_config.min_replica",
            "min_replicas",
        ),
        (changed(*APP, "runtime_env", pips=["a"]), "applications[0].runtime_env.pips", "pip"),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest_right_one(
    text: str, place: str, hint: str
) -> None:
    (found,) = problems(text)
    assert found.startswith(f"{place} is not known to Ray")
    assert f"did you mean {hint}?" in found


def test_a_right_key_one_level_too_high_is_led_to_its_place() -> None:
    (found,) = problems(changed(*SEARCH, num_gpus=1))
    assert found.endswith("it belongs under ray_actor_options")


def test_a_key_like_no_other_gets_the_list() -> None:
    (found,) = problems(changed(*SEARCH, colour="red"))
    assert "max_ongoing_requests" in found


def test_all_problems_come_in_one_go() -> None:
    content = yaml.safe_load(changed(*SEARCH, num_replica=2, max_queued_requests="ten"))
    content["applications"][0]["import_path"] = "nowhere"
    content["htp_options"] = {}
    found = "\n".join(problems(yaml.safe_dump(content)))
    assert all(
        word in found for word in ("num_replica ", "max_queued_requests", "import_path", "htp_op")
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (changed(*SUPPORT, max_ongoing_requests=0), "max_ongoing_requests: Input should be great"),
        (changed(*SUPPORT, num_replicas=2), "num_replicas is not allowed when autoscaling_config"),
        (changed(*SUPPORT, "autoscaling_config", max_replicas="x"), "autoscaling_config.max_repl"),
        (changed(*APP, import_path="x"), "applications[0].import_path"),
        (changed(applications="x"), "applications: Input should be a valid list"),
        ("applications: []\napplications: []", "line 2: the key 'applications' is there twice"),
        ("applications: [", "line 1: "),
        ("- a", "it has no keys"),
        ("", "it has no keys"),
        ("? [a, b]\n: 1", "line 1: "),
    ],
)
def test_a_bad_value_is_named(text: str, said: str) -> None:
    assert any(said in each for each in problems(text)), problems(text)


def test_the_command_says_what_is_wrong_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "serve.yaml"
    file.write_text(GOOD)
    assert main([str(file)]) == 0
    file.write_text(changed(*SEARCH, num_replica=2))
    assert main([str(file)]) == 1
    assert "did you mean num_replicas?" in capsys.readouterr().out


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_file_that_cannot_be_read(
    tmp_path: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "serve.yaml"
    if content is not None:
        file.write_bytes(content)
    assert main([str(file)]) == 1
    assert "cannot be read" in capsys.readouterr().err
