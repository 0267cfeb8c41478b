"""The image, built, run as tightly as it is deployed, drawn on, killed and stopped, where a container engine is at hand.

DIGITS_IMAGE names an image to test; without it one is built from the Dockerfile.
"""

import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, expect

from benchmarks.image import HELD, base_layers, layers
from tests.browser.drawing import draw
from tests.support import containers, handwriting
from tests.support.containers import Container, running
from tests.support.pictures import encoded

ROOT = Path(__file__).parent.parent
PAGES = {"Upload": "Upload pictures", "How good is it?": "How good is it?", "API": "The API"}
"""By their link, their heading."""
TAG = "digit-recognition-app:test"


@pytest.fixture(scope="module")
def image() -> str:
    if not containers.engine():
        pytest.skip("there is no container engine")
    if given := os.environ.get("DIGITS_IMAGE"):
        return given
    if os.environ.get("CI"):
        pytest.skip("the pipeline builds the image once and names it in DIGITS_IMAGE")
    base = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[-1]
    if containers.call("image", "inspect", base).returncode and containers.call("pull", base).returncode:
        pytest.skip(f"the base image {base} cannot be had")
    built = containers.call("build", "--tag", TAG, str(ROOT), timeout=1800)
    assert built.returncode == 0, built.stderr[-3000:]
    return TAG


@pytest.fixture(scope="module")
def container(image: str) -> Iterator[Container]:
    with running(image, "--env", "DIGITS_WORKERS=1") as container:  # whatever the machine has, as on half a processor
        yield container


def process_of(container: Container, module: str) -> int:
    """The id, inside, of the process that runs a module."""
    program = f"""
from pathlib import Path
for entry in Path("/proc").glob("[0-9]*/cmdline"):
    try:
        words = entry.read_bytes().split(bytes(1))
    except OSError:
        continue
    if words[1:3] == [b"-m", b"{module}"]:
        print(entry.parent.name)
        break
"""
    return int(container.python(program))


def test_configuration(image: str) -> None:
    configured = containers.configuration(image)["Config"]
    assert configured["User"] == "10001:10001"
    assert configured["Cmd"] == ["python", "-m", "app"]
    assert set(configured["ExposedPorts"]) == {"8000/tcp", "8501/tcp"}
    assert configured.get("StopSignal", "SIGTERM") in ("SIGTERM", "15")
    assert configured["Labels"]["org.opencontainers.image.title"] == "Digit Recognition App"


def test_is_small(image: str) -> None:
    """In megabytes, compressed: what a task pulls before it starts."""
    weights, of_base = layers(image), base_layers(image)
    assert sum(layer.compressed for layer in weights) <= 180
    assert sum(layer.compressed for layer in weights[of_base:]) <= 135


def test_is_modest_when_idle(container: Container) -> None:
    """In megabytes, by what its processes hold and by what counts against the container's limit."""
    assert float(container.python(HELD)) <= 175
    assert container.megabytes() <= 200


def test_holds_the_app_and_nothing_else_of_the_project(container: Container) -> None:
    """No tests, no training, no torch, no secrets that lay beside the Dockerfile."""
    found = container.python("import os; print(sorted(os.listdir('/srv')), sorted(os.listdir('/srv/app/models')))")
    files, models = found.split("] [")
    assert files == "['Procfile', 'app'"
    assert "'digits'" in models
    kept = container.python(
        "import glob; print(sorted({f.split('/')[-1] for f in glob.glob('/srv/app/models/[a-z]*/*')}))"
    )
    assert kept == "['lines.onnx', 'middle.onnx', 'model.onnx', 'pictures', 'rows.onnx']"
    assert container.python("import importlib.util as u; print(u.find_spec('torch'))") == "None"


def test_is_nobody_who_can_change_nothing(container: Container) -> None:
    assert container.python("import os; print(os.getuid(), os.getgid())") == "10001 10001"
    program = "import os; print([place for place in ('/', '/srv', '/usr/local', '/tmp') if os.access(place, os.W_OK)])"
    assert container.python(program) == "['/tmp']"


def test_is_healthy_by_its_own_check(image: str, container: Container) -> None:
    """The HEALTHCHECK asks for a prediction and for the page; OCI images, unlike Docker's, cannot carry one."""
    carried = containers.configuration(image).get("Healthcheck") or containers.configuration(image)["Config"].get(
        "Healthcheck"
    )
    command = ["python", "-m", "app.healthcheck"]
    assert carried is None or carried["Test"] == ["CMD", *command]
    check = container.run(*command)
    assert check.returncode == 0, check.stdout + check.stderr


def test_recognizes_a_digit(container: Container) -> None:
    picture = encoded(handwriting.canvas(3))
    answer = requests.post(container.url(8000, "/predict/"), files={"file": picture}, timeout=30)
    assert answer.status_code == 200
    assert answer.json()["label"] == "3"
    assert answer.json()["predicted_digit"] == 3


def test_nothing_is_left_to_compile(container: Container) -> None:
    """The bytecode of everything is in the image, but for what no server imports: a start compiles nothing."""
    program = """
import importlib.util, os, sysconfig
from pathlib import Path
left_out = {"pip", "idlelib", "lib2to3", "ensurepip"}
roots = [Path("/srv"), Path(sysconfig.get_path("stdlib"))]
sources = [file for root in roots for file in root.rglob("*.py") if left_out.isdisjoint(file.parts)]
missing = [str(file) for file in sources if not os.path.exists(importlib.util.cache_from_source(file))]
print(len(sources) > 1000, missing[:10])
"""
    assert container.python(program) == "True []"


def test_a_digit_drawn_in_a_browser_is_recognized_and_every_page_can_be_read(
    container: Container, browser: Browser
) -> None:
    """Also that the page needs none of the packages that the image leaves out."""
    with browser.new_context() as context:
        page = context.new_page()
        broken: list[str] = []
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.on("response", lambda answer: broken.append(answer.url) if answer.status >= 400 else None)
        page.goto(container.url(8501))
        page.locator("canvas").last.wait_for(timeout=60_000)
        draw(page, "2")
        expect(page.locator(".st-key-answer .answer-label")).to_have_text("2", timeout=30_000)
        if where := os.environ.get("DIGITS_SCREENSHOT"):
            page.screenshot(path=where)
        for link, heading in PAGES.items():
            page.get_by_role("link", name=link, exact=True).click()
            expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible(timeout=30_000)
            expect(page.locator("[data-testid=stException]")).to_have_count(0)
    assert broken == []
    assert "Traceback" not in container.logs()


def test_starts_without_a_network(image: str) -> None:
    """Nothing is fetched at start."""
    with running(image, "--network", "none", ready=False) as container:
        until = time.monotonic() + 120
        while container.run("python", "-m", "app.healthcheck").returncode:
            assert container.running(), container.logs()
            assert time.monotonic() < until, container.logs()
            time.sleep(0.5)


@pytest.mark.parametrize("module", ["app.api", "app.ui"])
def test_if_one_is_killed_the_container_ends(image: str, module: str) -> None:
    with running(image) as container:
        container.python(f"import os; os.kill({process_of(container, module)}, {int(signal.SIGKILL)})")
        assert container.exit_code() == 128 + signal.SIGKILL
        assert f"{module.removeprefix('app.')} was ended by SIGKILL; the rest was ended." in container.logs()


def test_a_request_in_flight_is_answered_before_the_end(image: str) -> None:
    """Half of a request is sent, the container is told to stop, then comes the other half."""
    with running(image) as container, ThreadPoolExecutor() as pool:
        prepared = requests.Request(
            "POST", container.url(8000, "/predict/"), files={"file": encoded(handwriting.canvas(7))}
        ).prepare()
        head = "POST /predict/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in prepared.headers.items()
        )
        assert isinstance(prepared.body, bytes)
        with socket.create_connection(("127.0.0.1", container.ports[8000]), timeout=60) as connection:
            connection.sendall(f"{head}\r\n".encode() + prepared.body[:100])
            stopping = pool.submit(containers.ask, "stop", "--time", "20", container.id)
            time.sleep(1)
            connection.sendall(prepared.body[100:])
            answer = b"".join(iter(lambda: connection.recv(4096), b""))
        stopping.result()
        assert answer.startswith(b"HTTP/1.1 200"), answer
        assert b'"label":"7"' in answer
        assert b'"predicted_digit":7' in answer
        assert container.exit_code() == 0


def test_leaves_no_zombies(container: Container) -> None:
    program = """
from pathlib import Path
print([entry.read_text().rpartition(") ")[2].split()[0] for entry in Path("/proc").glob("[0-9]*/stat")].count("Z"))
"""
    orphan = "import os, time; os.fork() or (os.setsid(), time.sleep(0.2))"
    container.python(orphan)
    time.sleep(1)
    assert container.python(program) == "0"


def test_log_lines_are_told_apart(container: Container) -> None:
    names = {line.split(" | ")[0].strip() for line in container.logs().splitlines()}
    assert names == {"api", "ui"}


def test_licences_are_those_of_what_ships(container: Container) -> None:
    listed = containers.call(
        "exec", "--interactive", container.id, "python", "-", input=(ROOT / "container" / "licences.py").read_text()
    )
    assert listed.stdout == (ROOT / "THIRD_PARTY.md").read_text()
