"""The Dockerfile and the manifests, with the name and the files of a learner's project.

The walkthroughs write them for a service that is called "shop". Its place is taken by the project's
name, in the form that Kubernetes takes for a Service and a namespace.
"""

import re
from collections.abc import Collection

_PLACEHOLDER = re.compile(r"\bshop\b")
_LONGEST = 47  # what KubeRay takes for a RayService; everything else takes more
_TAKEN = {
    # of namespaces that a cluster has, or that the policies name; and of a policy
    *("default", "ingress", "monitoring", "deny-all"),
    # words that are no text in YAML
    *("true", "false", "yes", "no", "on", "off", "y", "n", "null"),
}

# The walkthrough's service has no documents, and a model without a name; the project's has both.
_CODE = "COPY *.py ./\n"
_DATA = "COPY orders.json ./\nCOPY documents documents\n"
_SETTINGS = "    literals: [LOG_LEVEL=info]\n"
_MODELS = """\
    literals:
      - LOG_LEVEL=info
      - MODEL=openai:gpt-4.1-mini
      - EMBEDDINGS=openai:text-embedding-3-small
"""
_CHANGES = {
    "Dockerfile": (_CODE, _CODE + _DATA),
    "k8s/base/kustomization.yaml": (_SETTINGS, _MODELS),
}


def cluster_name(project: str) -> str:
    """A project's name as a cluster takes it: at most 47 of a-z, 0-9 and -, a letter first."""
    name = re.sub(r"[^a-z0-9]+", "-", project.lower()).strip("-")
    if not name[:1].isalpha() or name in _TAKEN or name.startswith("kube-"):
        name = f"app-{name}"
    return name[:_LONGEST].rstrip("-")


def fitted(path: str, text: str, project: str, files: Collection[str]) -> str:
    """A program's text, with the project's name and files where it is for a container.

    Args:
        path: its path in the project.
        text: as a walkthrough wrote it.
        project: the project's name.
        files: the paths of all files that the project has.

    Raises:
        ValueError: the text is not what the project's files can be fitted into.
    """
    if path in _CHANGES and "chat.py" in files:
        old, new = _CHANGES[path]
        if text.count(old) != 1:
            raise ValueError(f"{path} does not have the line {old.strip()!r} once.")
        text = text.replace(old, new)
    return _PLACEHOLDER.sub(cluster_name(project), text) if path.startswith("k8s/") else text
