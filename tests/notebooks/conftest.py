"""What the notebook tests share: the committed notebooks, and labs fresh from their sources."""

from pathlib import Path

import pytest

from helpers.authoring.committed import NoCommitError
from helpers.paths import ROOT
from tests.notebooks import running


@pytest.fixture(scope="session")
def committed_course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The notebooks of the last commit, in a folder of their own."""
    folder = tmp_path_factory.mktemp("committed")
    try:
        running.committed(ROOT, folder)
    except NoCommitError as error:
        pytest.skip(str(error))
    return folder


@pytest.fixture(scope="session")
def fresh_course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Labs and solutions as the sources give them now, in a folder of their own."""
    return running.fresh(ROOT, tmp_path_factory.mktemp("fresh"))
