"""The proxy that breaks connections, for tests in other languages: takes a fault by name, a line each, and answers "ok" when it holds."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[4] / "benchmarks" / "load"))
from fault_proxy import Fault, FaultProxy

with FaultProxy(sys.argv[1]) as proxy:
    print(proxy.target, flush=True)
    for line in sys.stdin:
        proxy.set(Fault(line.strip()))
        print("ok", flush=True)
