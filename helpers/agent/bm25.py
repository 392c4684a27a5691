"""BM25, the search by words (S. Robertson and H. Zaragoza, 2009, doi:10.1561/1500000019)."""

from collections.abc import Sequence

import bm25s
import numpy as np
from numpy.typing import NDArray


class BM25:
    """The BM25 score of each of some texts for a query, by `bm25s` with its usual constants."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Index the texts; there must be at least one."""
        self._count = len(texts)
        tokens = bm25s.tokenize(list(texts), return_ids=False, show_progress=False)
        # A library of common words only has no vocabulary, which bm25s cannot index.
        self._index = bm25s.BM25() if any(tokens) else None
        if self._index is not None:
            self._index.index(tokens, show_progress=False)

    def scores(self, query: str) -> NDArray[np.float64]:
        """A score of 0 to about 20 for each text, in their order; 0 where no word is shared."""
        (words,) = bm25s.tokenize(query, return_ids=False, show_progress=False)
        if self._index is None or not words:
            return np.zeros(self._count)
        return np.asarray(self._index.get_scores(words), dtype=np.float64)
