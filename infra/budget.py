"""A limit on what the account should cost, and whom to tell before it is reached."""

from aws_cdk import aws_budgets as budgets
from constructs import Construct


class Budget(Construct):
    """Mails at 80% of the month's `usd`, and when the forecast goes over it."""

    def __init__(self, scope: Construct, id: str, *, usd: int, email: str) -> None:
        super().__init__(scope, id)
        budgets.CfnBudget(
            self,
            "Monthly",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=usd, unit="USD"),
            ),
            notifications_with_subscribers=[
                budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=budgets.CfnBudget.NotificationProperty(
                        notification_type=kind,
                        comparison_operator="GREATER_THAN",
                        threshold=percent,
                        threshold_type="PERCENTAGE",
                    ),
                    subscribers=[budgets.CfnBudget.SubscriberProperty(address=email, subscription_type="EMAIL")],
                )
                for kind, percent in (("ACTUAL", 80), ("FORECASTED", 100))
            ],
        )
