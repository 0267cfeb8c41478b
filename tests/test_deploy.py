"""The ways to run the image on a machine or a cluster of one's own: compose.yaml and deploy/kubernetes."""

import json
import os
import re
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import requests
import yaml

from app.settings import Settings
from tests.support import containers
from tests.support.pictures import drawn, encoded
from tests.support.ports import free_port

ROOT = Path(__file__).parent.parent
COMPOSE = ROOT / "compose.yaml"
KUBERNETES = ROOT / "deploy" / "kubernetes"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]
KUSTOMIZATION = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())
RESOURCES: list[dict[str, Any]] = [
    resource for name in KUSTOMIZATION["resources"] for resource in yaml.safe_load_all((KUBERNETES / name).read_text())
]

PATHS = {
    "/": "page",
    "/review": "page",
    "/_stcore/stream": "page",
    "/metrics": "page",  # which knows no such path
    "/predict/": "api",
    "/predict/batch/": "api",
    "/read/": "api",
    "/alphabets/": "api",
    "/samples/": "api",
    "/samples/export": "api",
    "/health/ready": "api",
    "/docs": "api",
    "/docs/swagger-ui.css": "api",
    "/openapi.json": "api",
}


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [resource for resource in RESOURCES if resource["kind"] == kind]


def container() -> dict[str, Any]:
    (deployment,) = of_kind("Deployment")
    (only,) = deployment["spec"]["template"]["spec"]["containers"]
    return dict(only)


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_is_held_tightly(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "proxy" else [])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {"healthcheck", "mem_limit", "pids_limit", "restart"} <= service.keys()
    assert service.get("build") or re.fullmatch(r"[a-z]+:\d+\.\d+[\w.-]*(@sha256:\w{64})?", service["image"])


def test_nobody_but_the_proxy_is_reached_from_elsewhere() -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["app"]["ports"])
    assert "ports" not in SERVICES["database"]
    assert SERVICES["database"]["networks"] == ["back"]
    assert yaml.safe_load(COMPOSE.read_text())["networks"]["back"]["internal"] is True
    assert SERVICES["proxy"]["profiles"] == ["tls"]


def test_secrets_are_demanded_and_stand_in_no_file_of_ours() -> None:
    asked = set(re.findall(r"\$\{(\w+)", COMPOSE.read_text()))
    demanded = set(re.findall(r"\$\{(\w+):\?", COMPOSE.read_text()))
    example = (ROOT / ".env.example").read_text()
    assert demanded == {"DATABASE_PASSWORD"}
    assert set(re.findall(r"^#?(\w+)=", example, re.MULTILINE)) - {"COMPOSE_PROFILES"} <= asked
    assert re.findall(r"^\w+=.+", example, re.MULTILINE) == []
    ignored = subprocess.run(["git", "check-ignore", "--quiet", ".env"], cwd=ROOT)
    assert ignored.returncode in (0, 128), "128: this is no clone"


def test_what_the_app_is_told_are_its_settings() -> None:
    in_compose = set(SERVICES["app"]["environment"])
    in_kubernetes = {variable["name"] for variable in container()["env"]}
    known = {f"DIGITS_{name.upper()}" for name in Settings.model_fields}
    assert in_compose | in_kubernetes <= known


@pytest.mark.parametrize("path", PATHS)
def test_the_proxy_passes_each_path_to_whom_it_belongs(path: str) -> None:
    (patterns,) = re.findall(r"@api path (.+)", (ROOT / "deploy" / "Caddyfile").read_text())
    api = any(fnmatchcase(path, pattern) for pattern in patterns.split())
    assert api == (PATHS[path] == "api")


@pytest.mark.parametrize("path", PATHS)
def test_the_ingress_passes_each_path_to_whom_it_belongs(path: str) -> None:
    (ingress,) = of_kind("Ingress")
    (rule,) = ingress["spec"]["rules"]
    fitting = [
        route
        for route in rule["http"]["paths"]
        if path == route["path"] or (route["pathType"] == "Prefix" and path.startswith(route["path"].rstrip("/") + "/"))
    ]
    longest = max(fitting, key=lambda route: len(route["path"]))
    assert longest["backend"]["service"]["name"] == PATHS[path]


@pytest.mark.parametrize(
    "resource", RESOURCES, ids=lambda resource: f"{resource['kind']} {resource['metadata']['name']}"
)
def test_kubernetes_knows_every_field(resource: dict[str, Any]) -> None:
    kubernetes_validate.validate(resource, "1.37", strict=True)


def test_each_manifest_is_among_the_resources() -> None:
    others = {"kustomization.yaml"}
    assert {file.name for file in KUBERNETES.iterdir()} - others == set(KUSTOMIZATION["resources"])
    assert [image["name"] for image in KUSTOMIZATION["images"]] == [container()["image"]]


def test_selectors_ports_and_secrets_lead_somewhere() -> None:
    (deployment,) = of_kind("Deployment")
    template = deployment["spec"]["template"]
    labels = template["metadata"]["labels"]
    ports = {port["name"] for port in container()["ports"]}
    services = {service["metadata"]["name"]: service["spec"] for service in of_kind("Service")}
    assert all(service["selector"] == labels for service in services.values())
    assert {port["targetPort"] for service in services.values() for port in service["ports"]} == ports
    for kind in ("PodDisruptionBudget", "NetworkPolicy"):
        (only,) = of_kind(kind)
        assert only["spec"].get("selector", only["spec"].get("podSelector"))["matchLabels"] == labels
    (scaler,) = of_kind("HorizontalPodAutoscaler")
    assert scaler["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    probed = {container()[probe]["httpGet"]["port"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")}
    assert probed == ports
    references = [variable["valueFrom"]["secretKeyRef"] for variable in container()["env"] if "valueFrom" in variable]
    assert {reference["key"] for reference in references if not reference.get("optional")} == {"api-keys"}


def test_a_pod_may_do_nothing() -> None:
    (deployment,) = of_kind("Deployment")
    pod = deployment["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsUser"] == 10001
    own = container()["securityContext"]
    assert own["readOnlyRootFilesystem"] is True
    assert own["allowPrivilegeEscalation"] is False
    assert own["capabilities"] == {"drop": ["ALL"]}


@contextmanager
def composed(image: str, ports: dict[str, int], keys: dict[str, str]) -> Iterator[None]:
    """compose.yaml, up and well; gone with its volumes afterwards."""
    command = [str(containers.engine()), "compose", "--file", str(COMPOSE), "--project-name", "digits-test"]
    environment = os.environ | {"DIGITS_IMAGE": image} | keys | {name: str(port) for name, port in ports.items()}

    def compose(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True, timeout=600)

    try:
        up = compose("up", "--detach", "--no-build", "--wait", "--wait-timeout", "180")
        assert up.returncode == 0, up.stderr[-3000:] + compose("logs").stdout[-3000:]
        yield
    finally:
        compose("down", "--volumes", "--timeout", "5")


def test_up_is_the_whole_product_with_state() -> None:
    """A sample goes through the outbox to the database, from where an admin reads it."""
    image = os.environ.get("DIGITS_IMAGE")
    if not image or not containers.engine() or containers.call("compose", "version").returncode:
        pytest.skip("DIGITS_IMAGE names no image, or there is no `docker compose`")
    ports = {"PAGE_PORT": free_port(), "API_PORT": free_port()}
    key = secrets.token_hex(16)
    keys = {"DATABASE_PASSWORD": secrets.token_hex(24), "DIGITS_ADMIN_KEYS": key}
    api = f"http://127.0.0.1:{ports['API_PORT']}"
    with composed(image, ports, keys):
        assert containers.healthy(f"http://127.0.0.1:{ports['PAGE_PORT']}/_stcore/health")
        kept = requests.post(
            f"{api}/samples/",
            files={"file": encoded(drawn(5))},
            data={"label": "5", "source": "compose"},
            headers={"X-Visitor": secrets.token_hex(16)},
            timeout=30,
        )
        assert kept.status_code == 201, kept.text
        listed = wait_for_samples(f"{api}/samples/", key)
        assert [sample["id"] for sample in listed] == [kept.json()["id"]]


def wait_for_samples(address: str, key: str) -> list[dict[str, Any]]:
    for _ in range(100):
        answer = requests.get(address, headers={"X-API-Key": key}, timeout=30)
        assert answer.status_code == 200, answer.text
        if listed := answer.json()["samples"]:
            return list(listed)
        time.sleep(0.1)
    raise AssertionError(json.dumps(answer.json()))
