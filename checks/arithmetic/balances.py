"""What a customer owes: charges, adjustments, payments and account credit of one account in one currency."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(frozen=True)
class InvoiceSum:
    """One invoice. Adjustments are negative where they take something back; credits were used on it."""

    charged: Decimal
    adjusted: Decimal = ZERO
    paid: Decimal = ZERO
    credited: Decimal = ZERO

    @property
    def amount(self) -> Decimal:
        """What is charged in the end."""
        return self.charged + self.adjusted

    @property
    def balance(self) -> Decimal:
        """What is still owed on it; never negative, for what is paid too much becomes account credit."""
        return max(self.amount - self.paid - self.credited, ZERO)

    @property
    def to_credit(self) -> Decimal:
        """What becomes account credit: paid or credited beyond the amount."""
        return max(self.paid + self.credited - self.amount, ZERO)


def use_credit(credit: Decimal, invoice: InvoiceSum) -> tuple[InvoiceSum, Decimal]:
    """The invoice with as much of the account's credit as it takes, and the credit that is left."""
    used = min(credit, invoice.balance)
    put = InvoiceSum(invoice.charged, invoice.adjusted, invoice.paid, invoice.credited + used)
    return put, credit - used


def owed(invoices: Iterable[InvoiceSum]) -> Decimal:
    """What an account owes on its invoices."""
    return sum((invoice.balance for invoice in invoices), ZERO)
