"""Steps of a workflow, run here by their own commands, in the order in which they stand there."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent.parent


class Workflow:
    """
    Args:
        file: in `.github/workflows`.
        context: expression, without its braces -> what it is here; every one that a step has, conditions included.
        environment: of all commands, beside what the workflow sets.
    """

    def __init__(self, file: str, context: Mapping[str, str], environment: Mapping[str, str]) -> None:
        self._jobs = yaml.safe_load((ROOT / ".github" / "workflows" / file).read_text())["jobs"]
        self._context = context
        self._environment = environment

    def run(self, job: str, folder: Path, *, without: str = "") -> list[str]:
        """Run a job's steps that are commands, but for one, in a folder; the names of those whose condition holds."""
        found = []
        shared = self._known(self._jobs[job].get("env", {}))
        for step in self._jobs[job]["steps"]:
            command = step.get("run", "")
            if not command or command == without or not self._holds(step.get("if", ""), shared):
                continue
            assert "${{" not in command, "what others may have written would be run"
            done = subprocess.run(
                ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", command],
                cwd=folder,
                env=os.environ | dict(self._environment) | shared | self._known(step.get("env", {})),
                capture_output=True,
                text=True,
                timeout=600,
            )
            assert done.returncode == 0, f"{step.get('name', command)}:\n{done.stdout}\n{done.stderr}"
            found.append(step["name"])
        return found

    def _known(self, values: Mapping[str, Any]) -> dict[str, str]:
        return {
            name: re.sub(r"\$\{\{ (.*?) \}\}", lambda found: self._context[found[1]], str(value))
            for name, value in values.items()
        }

    def _holds(self, condition: str, shared: Mapping[str, str]) -> bool:
        """Of `env.NAME == 'VALUE'` and `!=` alone."""
        if not condition:
            return True
        found = re.fullmatch(r"env\.(\w+) (==|!=) '(\w*)'", condition)
        assert found, condition
        return (shared[found[1]] == found[3]) == (found[2] == "==")
