"""Python imports this at its start where the folder is on PYTHONPATH."""

from tests.support.left_out import leave_out

leave_out()
