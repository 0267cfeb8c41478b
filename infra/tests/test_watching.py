import json
from collections.abc import Callable

import pytest

from synth import Synthesis, default, with_cloudfront, with_domain


def test_what_is_alarmed_on() -> None:
    alarms = {(alarm["Namespace"], alarm["MetricName"]) for alarm in default().of("CloudWatch::Alarm")}
    assert alarms == {
        ("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count"),
        ("AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count"),
        ("AWS/ApplicationELB", "TargetResponseTime"),
        ("AWS/ApplicationELB", "UnHealthyHostCount"),
        ("AWS/ApplicationELB", "HealthyHostCount"),
        ("AWS/ECS", "CPUUtilization"),
        ("AWS/ECS", "MemoryUtilization"),
        ("AWS/Events", "TriggeredRules"),
    }
    (latency,) = [a for a in default().of("CloudWatch::Alarm") if a["MetricName"] == "TargetResponseTime"]
    assert latency["ExtendedStatistic"] == "p99"


def test_an_outage_without_visitors_is_told_also_when_there_is_no_figure() -> None:
    alarms = [a for a in default().of("CloudWatch::Alarm") if a["MetricName"] == "HealthyHostCount"]
    watched = {str(a["Dimensions"]) for a in alarms}
    assert len(alarms) == len(watched) == 2, "the page's targets and the API's"
    for alarm in alarms:
        assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
        assert alarm["TreatMissingData"] == "breaching"


def test_whoever_gives_no_address_is_warned_that_alarms_reach_nobody() -> None:
    assert "Alarms reach nobody" in default().warnings
    assert "Alarms reach nobody" not in with_domain().warnings


@pytest.mark.parametrize(("synthesis", "asked"), [(with_domain, "digits.example.com"), (with_cloudfront, "DomainName")])
def test_it_is_asked_from_outside_if_wanted(synthesis: Callable[[], Synthesis], asked: str) -> None:
    check = synthesis().the("Route53::HealthCheck")["HealthCheckConfig"]
    assert (check["Type"], check["ResourcePath"]) == ("HTTPS", "/health/ready")
    assert asked in str(check["FullyQualifiedDomainName"])
    (alarm,) = [a for a in synthesis().of("CloudWatch::Alarm") if a["MetricName"] == "HealthCheckStatus"]
    assert (alarm["ComparisonOperator"], alarm["TreatMissingData"]) == ("LessThanThreshold", "breaching")
    assert not default().of("Route53::HealthCheck")


def test_only_the_service_s_own_tasks_are_incidents() -> None:
    (rule,) = [r for r in default().of("Events::Rule") if "ECS Task State Change" in r["EventPattern"]["detail-type"]]
    (group,) = rule["EventPattern"]["detail"]["group"]
    assert "service:" in str(group)


def test_every_alarm_tells_the_topic_when_it_begins_and_ends() -> None:
    for alarm in default().of("CloudWatch::Alarm"):
        assert alarm["AlarmActions"] == alarm["OKActions"]
        (topic,) = alarm["AlarmActions"]
        assert topic["Ref"] in default().template["Resources"]


def test_alarms_and_events_may_publish_and_only_over_tls() -> None:
    statements = default().the("SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    allowed = {s["Principal"]["Service"] for s in statements if s["Effect"] == "Allow"}
    assert allowed == {"cloudwatch.amazonaws.com", "events.amazonaws.com"}
    assert [s["Condition"] for s in statements if s["Effect"] == "Deny"] == [{"Bool": {"aws:SecureTransport": "false"}}]


def test_failed_deployments_and_stopped_tasks_are_told_with_their_reason() -> None:
    told = {rule["EventPattern"]["detail-type"][0]: rule["Targets"][0] for rule in default().of("Events::Rule")}
    assert set(told) == {"ECS Deployment State Change", "ECS Task State Change"}
    assert "$.detail.reason" in str(told["ECS Deployment State Change"])
    assert "$.detail.stoppedReason" in str(told["ECS Task State Change"])


def test_mail_and_budget_only_when_asked_for() -> None:
    assert not default().of("SNS::Subscription")
    assert not default().of("Budgets::Budget")
    subscription = with_domain().the("SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "ops@example.com")
    budget = with_domain().the("Budgets::Budget")
    assert budget["Budget"]["BudgetLimit"] == {"Amount": 60, "Unit": "USD"}
    kinds = [n["Notification"]["NotificationType"] for n in budget["NotificationsWithSubscribers"]]
    assert kinds == ["ACTUAL", "FORECASTED"]


def test_the_dashboard_shows_the_share_of_errors() -> None:
    body = json.dumps(default().the("CloudWatch::Dashboard")["DashboardBody"])
    for shown in ("100 * (app + balancer) / requests", "HealthyHostCount", "MemoryUtilization", "p99"):
        assert shown in body
