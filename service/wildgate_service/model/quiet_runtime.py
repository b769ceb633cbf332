"""ONNX Runtime without its telemetry: newer wheels report to their maker, by a thread that the supervisor must not have either."""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read when the library is loaded

import onnxruntime

onnxruntime.disable_telemetry_events()  # of versions that have only this

__all__ = ["onnxruntime"]
