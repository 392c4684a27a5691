"""Check the weights against their digests and convert what the engine reads in another format.

Done when the image is built, because a container with a read-only root file system cannot.
"""

import os
from pathlib import Path

from helpers.models import weights

# An image keeps the times of files in whole seconds, and the check remembers a file by its time.
for path in (weights.CHAT.path(), weights.EMBEDDING.path(), weights.VOCABULARY.path()):
    os.utime(path, (0, 0))
weights.chat_weights()
converted = weights.embedding_weights()
os.utime(converted, (0, 0))
weights.embedding_weights()

# The service reads the converted file alone.
Path(weights.EMBEDDING.path()).unlink()
