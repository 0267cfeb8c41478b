"""Where a request ends up, worked out from the synthesized listeners and rules as the load balancer would."""

import re
from fnmatch import fnmatchcase
from typing import Any

import pytest

from config import ConfigError
from synth import INFRA, Synthesis, default, synthesize, with_cloudfront, with_domain, without_https

PAGE, API = "page", "api"


def ends_up(synthesis: Synthesis, path: str, *, port: int = 80, headers: dict[str, object] | None = None) -> str:
    resources = synthesis.template["Resources"]
    (listener_id,) = [
        id for id, r in resources.items() if r["Type"].endswith("V2::Listener") and r["Properties"]["Port"] == port
    ]
    rules = [
        rule
        for rule in synthesis.of("ElasticLoadBalancingV2::ListenerRule")
        if rule["ListenerArn"]["Ref"] == listener_id
    ]
    for rule in sorted(rules, key=lambda rule: rule["Priority"]):
        if all(holds(condition, path, headers or {}) for condition in rule["Conditions"]):
            return outcome(synthesis, rule["Actions"])
    return outcome(synthesis, resources[listener_id]["Properties"]["DefaultActions"])


def holds(condition: dict[str, Any], path: str, headers: dict[str, object]) -> bool:
    if condition["Field"] == "path-pattern":
        return any(fnmatchcase(path, pattern) for pattern in condition["PathPatternConfig"]["Values"])
    assert condition["Field"] == "http-header"
    config = condition["HttpHeaderConfig"]
    return headers.get(config["HttpHeaderName"]) in config["Values"]


def outcome(synthesis: Synthesis, actions: list[dict[str, Any]]) -> str:
    (action,) = actions
    match action["Type"]:
        case "forward":
            group = synthesis.template["Resources"][action["TargetGroupArn"]["Ref"]]["Properties"]
            return {8501: PAGE, 8000: API}[group["Port"]]
        case "fixed-response":
            return str(action["FixedResponseConfig"]["StatusCode"])
        case _:
            return f"{action['RedirectConfig']['StatusCode']} {action['RedirectConfig']['Protocol']}"


PATHS = [
    ("/", PAGE),
    ("/_stcore/stream", PAGE),
    ("/_stcore/health", PAGE),
    ("/oauth2callback", PAGE),
    ("/predict", API),
    ("/predict/", API),
    ("/predict/batch/", API),
    ("/read", API),
    ("/read/", API),
    ("/read/batch/", API),
    ("/alphabets/", API),
    ("/samples/", API),
    ("/samples/mine", API),
    ("/health/ready", API),
    ("/docs", API),
    ("/openapi.json", API),
]
HIDDEN = ["/_stcore/metrics", "/_stcore/script-health-check", "/_stcore/agent/openapi.json", "/component/x/index.html"]
METRICS = ["/metrics", "/metrics/", "//metrics", "/%6detrics", "/METRICS"]


@pytest.mark.parametrize(("path", "expected"), PATHS)
def test_page_and_api_share_one_address(path: str, expected: str) -> None:
    assert ends_up(without_https(), path, port=80) == expected
    assert ends_up(with_domain(), path, port=443) == expected


@pytest.mark.parametrize(("path", "expected"), PATHS)
def test_the_api_keeps_its_own_port(path: str, expected: str) -> None:
    for synthesis in (without_https(), with_domain()):
        assert ends_up(synthesis, path, port=8000) == (API if expected == API or path == "/" else "404")


@pytest.mark.parametrize(("path", "_"), PATHS)
def test_the_page_keeps_its_own_port(path: str, _: str) -> None:
    assert ends_up(without_https(), path, port=8501) == PAGE
    assert ends_up(with_domain(), path, port=8501) == PAGE


@pytest.mark.parametrize("path", METRICS)
def test_no_spelling_of_metrics_reaches_the_api(path: str) -> None:
    assert ends_up(without_https(), path, port=80) == PAGE
    assert ends_up(without_https(), path, port=8000) == "404"


@pytest.mark.parametrize("path", HIDDEN)
def test_what_of_streamlit_is_not_for_strangers_reaches_nobody(path: str) -> None:
    assert ends_up(without_https(), path, port=80) == ends_up(without_https(), path, port=8501) == "404"
    assert ends_up(with_domain(), path, port=443) == ends_up(with_domain(), path, port=8501) == "404"
    assert from_cloudfront(path) == "404"


def test_the_page_gets_all_that_it_uses_of_streamlit() -> None:
    used = re.findall(r'"(/_stcore/[^"]+)"', (INFRA.parent / "app/ui/paths.py").read_text())
    assert len(used) == 5
    for path in used:
        assert ends_up(without_https(), f"{path}1" if path.endswith(("/", ".")) else path, port=80) == PAGE


def from_cloudfront(path: str, *, header: str | None = None, key: object = None) -> str:
    """Where a request ends up that has CloudFront's secret, unless told otherwise."""
    (origin,) = with_cloudfront().the("CloudFront::Distribution")["DistributionConfig"]["Origins"]
    (secret,) = origin["OriginCustomHeaders"]
    assert "{{resolve:secretsmanager:" in str(secret["HeaderValue"]), "the value is in the template"
    return ends_up(with_cloudfront(), path, headers={header or secret["HeaderName"]: key or secret["HeaderValue"]})


@pytest.mark.parametrize(("path", "expected"), PATHS)
def test_only_cloudfront_is_let_in_when_it_is_in_front(path: str, expected: str) -> None:
    assert from_cloudfront(path) == expected
    assert ends_up(with_cloudfront(), path) == from_cloudfront(path, key="a guess") == "403"
    assert from_cloudfront(path, header="X-Another") == "403"
    assert [listener["Port"] for listener in with_cloudfront().of("ElasticLoadBalancingV2::Listener")] == [80]


def test_https_without_a_domain_is_the_default() -> None:
    assert default().of("CloudFront::Distribution")
    assert default().template["Outputs"]["Address"]["Value"]["Fn::Join"][1][0] == "https://"


def test_the_load_balancer_admits_cloudfront_alone() -> None:
    (balancer,) = [g for g in default().of("EC2::SecurityGroup") if "LoadBalancer" in g["GroupDescription"]]
    assert "SecurityGroupIngress" not in balancer
    admitted = [r for r in default().of("EC2::SecurityGroupIngress") if "SourcePrefixListId" in r]
    assert [(r["FromPort"], r["ToPort"], r["SourcePrefixListId"]) for r in admitted] == [(80, 80, "pl-3b927c52")]


def test_an_unknown_region_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDK_DEFAULT_REGION", "mars-north-1")
    with pytest.raises(ConfigError, match="CloudFront's addresses in mars-north-1"):
        synthesize(arm64="true")


def test_cloudfront_keeps_files_that_never_change_and_passes_all_else() -> None:
    distribution = with_cloudfront().the("CloudFront::Distribution")["DistributionConfig"]
    (static,) = distribution["CacheBehaviors"]
    assert static["PathPattern"] == "/static/*"
    assert static["CachePolicyId"] == "658327ea-f89d-4fab-a63d-7e88639e58f6"  # CachingOptimized, which AWS manages
    behaviour = distribution["DefaultCacheBehavior"]
    assert behaviour["ViewerProtocolPolicy"] == "redirect-to-https"
    assert {"GET", "POST"} < set(behaviour["AllowedMethods"])
    # The ids of two policies that AWS manages: CachingDisabled and AllViewer.
    assert behaviour["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    assert behaviour["OriginRequestPolicyId"] == "216adef6-5c7f-47e4-b989-5492eafa07d3"


def test_a_domain_means_https_on_every_port_and_a_redirect() -> None:
    listeners = {
        listener["Port"]: listener["Protocol"] for listener in with_domain().of("ElasticLoadBalancingV2::Listener")
    }
    assert listeners == {443: "HTTPS", 8501: "HTTPS", 8000: "HTTPS", 80: "HTTP"}
    assert ends_up(with_domain(), "/", port=80) == "HTTP_301 HTTPS"
    assert with_domain().the("CertificateManager::Certificate")["DomainName"] == "digits.example.com"
    assert with_domain().the("Route53::RecordSet")["Name"] == "digits.example.com."


def test_each_process_has_its_own_health_check() -> None:
    groups = {group["Port"]: group for group in default().of("ElasticLoadBalancingV2::TargetGroup")}
    assert groups[8501]["HealthCheckPath"] == "/_stcore/health"
    assert groups[8000]["HealthCheckPath"] == "/health/ready"


def test_a_page_session_stays_with_one_task() -> None:
    groups = {
        group["Port"]: {a["Key"]: a["Value"] for a in group["TargetGroupAttributes"]}
        for group in default().of("ElasticLoadBalancingV2::TargetGroup")
    }
    assert (groups[8501]["stickiness.enabled"], groups[8000]["stickiness.enabled"]) == ("true", "false")
    assert {group["deregistration_delay.timeout_seconds"] for group in groups.values()} == {"30"}
    balancer = default().the("ElasticLoadBalancingV2::LoadBalancer")["LoadBalancerAttributes"]
    assert {"Key": "access_logs.s3.enabled", "Value": "true"} in balancer


def constant(file: str, name: str) -> float:
    """A number from the app's source, which is not installed here."""
    (value,) = re.findall(rf"^{name}(?:: Final)? = ([\d.]+)$", (INFRA.parent / file).read_text(), re.MULTILINE)
    return float(value)


def test_the_app_is_the_last_to_close_a_connection_and_a_websocket_is_never_idle() -> None:
    balancer = default().the("ElasticLoadBalancingV2::LoadBalancer")["LoadBalancerAttributes"]
    (idle,) = [float(a["Value"]) for a in balancer if a["Key"] == "idle_timeout.timeout_seconds"]
    assert idle < constant("app/listening.py", "KEEP_ALIVE")
    assert idle > constant("app/ui/server.py", "PING_SECONDS")


def test_a_busy_app_has_the_time_that_its_own_check_gives_it() -> None:
    patience = constant("app/health.py", "SECONDS")
    for group in default().of("ElasticLoadBalancingV2::TargetGroup"):
        assert group["HealthCheckTimeoutSeconds"] >= patience
        assert group["HealthCheckIntervalSeconds"] > group["HealthCheckTimeoutSeconds"]
    for_picture = constant("app/healthcheck.py", "SECONDS")
    assert default().container["HealthCheck"]["Timeout"] > for_picture + 2 * patience


def test_a_task_ends_by_itself_before_it_is_killed() -> None:
    settings = {s["Name"]: s["Value"] for s in default().container["Environment"]}
    grace = constant("app/__main__.py", "GRACE_ON_REQUEST")
    assert 0 < float(settings["DIGITS_DRAIN_SECONDS"]) + grace < default().container["StopTimeout"] - 5


def test_no_rule_has_more_values_than_the_load_balancer_takes() -> None:
    for synthesis in (without_https(), with_cloudfront()):
        for rule in synthesis.of("ElasticLoadBalancingV2::ListenerRule"):
            values = [c.get("PathPatternConfig") or c.get("HttpHeaderConfig") for c in rule["Conditions"]]
            assert sum(len(value["Values"]) for value in values) <= 5
