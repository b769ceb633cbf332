"""ONNX Runtime tells nobody what it runs."""

from __future__ import annotations

import os
import subprocess
import sys

THREADS = "import os, wildgate_service.model.encoder; print(os.environ['ORT_DISABLE_TELEMETRY'], len(os.listdir('/proc/self/task')))"


def test_no_telemetry_and_no_thread_of_it():
    """Whatever the environment said: a thread would not survive the fork of the workers, and would report to the library's maker."""
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    said = subprocess.run([sys.executable, "-c", THREADS], capture_output=True, text=True, env=environment, check=True).stdout
    assert said.split()[0] == "1"
    with_telemetry = environment | {"ORT_DISABLE_TELEMETRY": "0"}
    plain = "import os, onnxruntime; print(len(os.listdir('/proc/self/task')))"
    loud = subprocess.run([sys.executable, "-c", plain], capture_output=True, text=True, env=with_telemetry, check=True).stdout
    assert int(said.split()[1]) <= int(loud)
