"""The local model as a server of its own: OpenAI's API on a port, for a pod beside the service.

    python3 model_server.py [HOST [PORT]]

After SIGTERM it finishes the answers that it has begun. `COURSE_SLOTS` says how many it writes at
the same time, `COURSE_THREADS` with how many threads. Over HTTP this model calls no tools: the
course's own classifier does that, in the process of `course serve`.
"""

import signal
import sys
import threading

import xllamacpp

from helpers.models import weights
from helpers.models.local import CHAT_MODEL
from helpers.models.settings import Settings

host, port = [*sys.argv[1:], *("0.0.0.0", "8080")[len(sys.argv) - 1 :]]
settings = Settings.from_environment()
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())  # process 1 would not hear it otherwise

params = xllamacpp.CommonParams()
params.model.path = str(weights.chat_weights())
params.model_alias = {CHAT_MODEL}
params.hostnames, params.port = [host], int(port)
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = settings.threads
params.n_parallel, params.n_ctx = settings.slots, settings.context * settings.slots
params.sampling.seed, params.n_gpu_layers = settings.seed, 0
params.cache_prompt, params.cache_ram_mib = settings.prompt_cache, 0
params.endpoint_metrics, params.ui, params.verbosity = True, False, -1

server = xllamacpp.Server(params)
print(f"Serving {CHAT_MODEL} on {host}:{port}", flush=True)
while not stop.wait(1):  # a wait without end would keep the signal's handler from running
    pass
while "requests_processing 0\n" not in server.handle_metrics():
    threading.Event().wait(0.2)
