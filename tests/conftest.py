"""Settings that every test shares: one thread a model, and a course folder of its own."""

import os
import tempfile

# Before any room is imported: tests never write into the learner's own `.course/`.
os.environ.setdefault("COURSE_HOME", tempfile.mkdtemp(prefix="course-tests-"))
os.environ.setdefault("COURSE_THREADS", "1")
os.environ.setdefault("COURSE_FAST", "1")
