"""The page of a check: what its docstring and its declaration say, for the people who own what it finds."""

from collections.abc import Iterable, Iterator, Mapping

from checks.contract import Advice, Check, Mode, MoneyKind, Need, Owner, Pattern, Scope, Setting, Spans
from checks.formula import plain

_GENERATED = "<!-- Made by `tieout docs` from the check's module. Change that, not this page. -->"
_MODES: Mapping[Mode, str] = {
    Mode.BLOCK: "blocks",
    Mode.WARN: "warns about",
    Mode.MONITOR: "is not asked by the gate; a finding would concern",
    Mode.SHADOW: "does not act; a finding would concern",
}
_SCOPES: Mapping[Scope, str] = {
    Scope.LINE: "the line's invoice",
    Scope.INVOICE: "the invoice",
    Scope.CREDIT_MEMO: "the credit memo",
    Scope.ACCOUNT: "the account's invoices",
    Scope.RUN: "the whole run",
}
_KINDS: Mapping[MoneyKind, str] = {
    MoneyKind.LEAK: "leak, what was never billed",
    MoneyKind.OVERBILL: "overbill, what was billed and not owed",
    MoneyKind.TIMING: "timing, what heals itself",
    MoneyKind.EXPOSURE: "exposure, a control gap without a loss yet",
}
_OWNERS: Mapping[Owner, str] = {
    Owner.BILLING_OPS: "Billing Ops",
    Owner.REVOPS: "RevOps",
    Owner.FINANCE_OPS: "Finance Ops",
    Owner.REVENUE_ACCOUNTING: "Revenue Accounting",
    Owner.IT: "IT",
}
_SPANS: Mapping[Spans, str] = {
    Spans.ACCOUNT: "one account at a time",
    Spans.SYSTEM: "one system at a time",
    Spans.EVERYTHING: "everything together",
}


def owners(check: Check) -> str:
    """`Billing Ops, with IT`: the business owner, then the technical one."""
    business, technical = (_OWNERS[role] for role in check.owners)
    return business if business == technical else f"{business}, with {technical}"


def at_the_gate(check: Check) -> str:
    """What the gate does with a finding, in words."""
    said = f"{_MODES[check.mode]} {_SCOPES[check.scope]}"
    return f"{said}; a row may block" if check.may_block and not check.mode_is_set else said


def money(check: Check) -> str:
    """The kind of the amount, in words."""
    said = _KINDS[check.kind]
    return f"{said}; a negative amount is {_KINDS[check.negative_kind]}" if check.negative_kind else said


def tolerance(check: Check) -> str:
    """Up to which size a difference is no finding."""
    if check.tolerance is None:
        return "none: every row is a finding"
    absolute, relative = check.tolerance.absolute, check.tolerance.relative
    parts = [plain(absolute)] if absolute or not relative else []
    if relative:
        parts.append(f"{plain(relative * 100)} % of what is expected")
    return f"{' or '.join(parts)}{', whichever is larger' if len(parts) > 1 else ''}; exactly that is no finding"


def reads(check: Check) -> Iterator[str]:
    """Each need, with what it means that a source is missing or its table empty."""
    if not check.needs:
        yield "how far every source was read"
    yield from map(_need, check.needs)


def _need(need: Need) -> str:
    if need.optional:
        return f"`{need.entity}` of {need.role}, where a source fills it"
    return f"`{need.entity}` of {need.role}" + (", which may be empty" if need.may_be_empty else "")


def value(setting: Setting) -> str:
    """The default, as it would be written."""
    default = setting.default
    return ", ".join(default) if isinstance(default, tuple) else str(default)


def page(check: Check) -> str:
    """The whole page, in Markdown."""
    parts = [
        f"# {check.id}",
        _GENERATED,
        check.condition,
        _facts(check),
        *(f"## {heading.value}\n\n{check.advice[heading.name.lower()]}" for heading in Advice),
        f"## The amount\n\n{_arithmetic(check)}",
    ]
    if check.settings:
        parts.append(f"## Settings\n\n{_settings(check.settings)}")
    parts.append("[All checks](README.md)")
    return "\n\n".join(parts) + "\n"


def _facts(check: Check) -> str:
    facts = {
        "family": check.pattern.words,
        "severity": f"{check.severity}, and higher where the amount is in a higher band",
        "owners": owners(check),
        "at the gate": at_the_gate(check),
        "money": money(check),
        "tolerance": tolerance(check),
        "reads": "; ".join(reads(check)),
        "looks at": _SPANS[check.spans],
    }
    if check.absent_from is not None:
        need = check.absent_from
        late = f", {check.lag_minutes} minutes allowed" if check.lag_minutes else ""
        facts["waits for"] = f"`{need.entity}` of {need.role}, before it says that something is absent there{late}"
    return "| | |\n|---|---|\n" + "\n".join(f"| {name} | {said} |" for name, said in facts.items())


def _arithmetic(check: Check) -> str:
    formulas = check.arithmetic
    lines = (f"expected = {formulas.expected.text}", f"actual = {formulas.actual.text}")
    return "\n".join(("```text", *lines, f"amount = {formulas.amount.text}", "```"))


def _settings(settings: Iterable[Setting]) -> str:
    rows = (f"| `{one.name}` | {value(one)} | {one.reason} |" for one in settings)
    return "| setting | default | why |\n|---|---|---|\n" + "\n".join(rows)


def index(checks: Iterable[Check]) -> str:
    """The page that leads to all others, by family."""
    known = list(checks)
    parts = [
        "# Checks",
        "<!-- Made by `tieout docs` from the checks' modules. Change those, not this page. -->",
        f"{len(known)} checks in {len({check.pattern for check in known})} families. What tieout.yaml says of a check "
        "replaces what its page says; `tieout controls` shows which of them are in force, and for whom.",
    ]
    for pattern in Pattern:
        found = [check for check in known if check.pattern is pattern]
        if found:
            parts.append(f"## {pattern.words}\n\n" + "\n".join(map(_entry, found)))
    return "\n\n".join(parts) + "\n"


def _entry(check: Check) -> str:
    return f"- [{check.id}]({check.id}.md): {check.condition}"
