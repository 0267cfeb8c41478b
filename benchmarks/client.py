"""The client: wrk, which sends one body again and again over a number of connections."""

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

SCRIPT = """
local file = io.open("{body}", "rb")
wrk.method, wrk.body = "POST", file:read("*a")
wrk.headers["Content-Type"] = "{content_type}"
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('{{"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "failed": %d}}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


@dataclass(frozen=True)
class Load:
    """What came of sending for a while; p50 and p99 in milliseconds."""

    requests: int
    seconds: float
    p50: float
    p99: float
    failed: int


def send(url: str, body: bytes, content_type: str, connections: int, seconds: int) -> Load:
    with tempfile.TemporaryDirectory() as folder:
        content, script = Path(folder, "body"), Path(folder, "script.lua")
        content.write_bytes(body)
        script.write_text(SCRIPT.format(body=content, content_type=content_type))
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(script), url]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return Load(**json.loads(output[output.rindex("{") :]))
