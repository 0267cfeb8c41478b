"""Draw architecture.png: `python diagram.py`. It needs Graphviz's `dot`."""

import sys
from pathlib import Path

from diagrams import Cluster, Diagram, Edge
from diagrams.aws.compute import ECR, Fargate
from diagrams.aws.database import RDSPostgresqlInstance
from diagrams.aws.general import Users
from diagrams.aws.integration import SNS, Eventbridge
from diagrams.aws.management import Cloudwatch
from diagrams.aws.network import ALB, CloudFront, Route53
from diagrams.aws.security import IAMRole, SecretsManager
from diagrams.aws.storage import S3
from diagrams.onprem.ci import GithubActions
from diagrams.onprem.container import Docker


def draw(target: Path) -> None:
    """Write the picture to `target`, a path without its ending `.png`."""
    with Diagram(
        filename=str(target),
        show=False,
        direction="LR",
        graph_attr={"pad": "0.1", "nodesep": "0.3", "ranksep": "1.1", "splines": "spline", "dpi": "80"},
    ):
        people = Users("browsers,\nAPI clients")
        pipeline = GithubActions("GitHub Actions")
        hub = Docker("Docker Hub")
        with Cluster("AWS"):
            role = IAMRole("deploy role\n(option)")
            secrets = SecretsManager("API keys, sign-in")
            name = Route53("domain name\n(option)")
            edge = CloudFront("CloudFront")
            with Cluster("public subnets, two zones"):
                balancer = ALB("load balancer")
                with Cluster("Fargate service, 2 to 4 tasks"):
                    tasks = [Fargate("page :8501\nAPI :8000"), Fargate("page :8501\nAPI :8000")]
            with Cluster("data subnets, a stack of its own (option)"):
                samples = RDSPostgresqlInstance("samples")
            training = Fargate("training\n(option)")
            images = ECR("images")
            log = S3("access log")
            models = S3("models\n(option)")
            metrics = Cloudwatch("logs, dashboard,\nalarms")
            events = Eventbridge("stopped tasks,\nfailed deployments")
            topic = SNS("topic, e-mail")

        option = {"style": "dashed"}
        people >> edge >> balancer >> tasks
        people >> Edge(**option) >> name >> Edge(**option) >> balancer
        balancer >> log
        tasks[0] >> metrics >> topic
        tasks[1] >> events >> topic
        secrets >> tasks[0]
        pipeline >> hub >> images >> tasks[1]
        tasks[1] >> Edge(**option) >> samples
        models >> Edge(**option) >> tasks[0]
        training >> Edge(**option) >> models
        pipeline >> Edge(**option) >> role


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("architecture"))
