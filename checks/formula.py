"""Formulas over named terms: computed with Decimal, and printed with the numbers put in.

`"quantity * unit_price - billed"` may use + - * / and parentheses, numbers, and min(), max(), abs().
"""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, DivisionByZero, InvalidOperation, localcontext
from functools import cached_property

from books.money import PRECISION
from checks.errors import ArithmeticFault, DeclarationError

_OPERATORS: dict[type[ast.operator], tuple[str, Callable[[Decimal, Decimal], Decimal]]] = {
    ast.Add: ("+", lambda a, b: a + b),
    ast.Sub: ("−", lambda a, b: a - b),
    ast.Mult: ("×", lambda a, b: a * b),
    ast.Div: ("÷", lambda a, b: a / b),
}
_BINDING = {ast.Add: 1, ast.Sub: 1, ast.Mult: 2, ast.Div: 2}
_FUNCTIONS: dict[str, Callable[..., Decimal]] = {"min": min, "max": max, "abs": abs}


@dataclass(frozen=True)
class Formula:
    """One formula, parsed when it is declared. Raises DeclarationError for anything but arithmetic."""

    text: str

    def __post_init__(self) -> None:
        self._check(self._tree)

    @cached_property
    def _tree(self) -> ast.expr:
        try:
            return ast.parse(self.text, mode="eval").body
        except SyntaxError as error:
            raise DeclarationError(f"The formula {self.text!r} is not arithmetic.") from error

    def names(self) -> frozenset[str]:
        """The terms that the formula needs."""
        return self._names

    @cached_property
    def _names(self) -> frozenset[str]:
        called = {id(n.func) for n in ast.walk(self._tree) if isinstance(n, ast.Call)}
        return frozenset(n.id for n in ast.walk(self._tree) if isinstance(n, ast.Name) and id(n) not in called)

    def value(self, terms: Mapping[str, Decimal]) -> Decimal:
        """The exact value, to 50 digits. Raises ArithmeticFault for a missing term or a division by zero."""
        with localcontext() as context:
            context.prec = PRECISION
            try:
                return _value(self._tree, terms)
            except KeyError as missing:
                raise ArithmeticFault(f"The term {missing} of {self.text!r} has no value.") from missing
            except (DivisionByZero, InvalidOperation) as error:
                raise ArithmeticFault(f"{self.shown(terms)} divides by zero.") from error

    def shown(self, terms: Mapping[str, Decimal]) -> str:
        """The formula with the numbers put in: `500 × 40 − 18,000`."""
        return _shown(self._tree, terms, 0)

    def _check(self, node: ast.expr) -> None:
        match node:
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                self._check(left)
                self._check(right)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                self._check(operand)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS and args:
                for argument in args:
                    self._check(argument)
            case ast.Constant(value=int() | float()) | ast.Name():
                return
            case _:
                raise DeclarationError(f"{ast.unparse(node)!r} in the formula {self.text!r} is not arithmetic.")


@dataclass(frozen=True)
class Worked:
    """A formula of one row, with its own numbers: a sum that has as many parts as a price has tiers."""

    formula: Formula
    terms: Mapping[str, Decimal]

    @classmethod
    def nothing(cls) -> "Worked":
        """A sum of no parts."""
        return cls(Formula("0"), {})

    @cached_property
    def value(self) -> Decimal:
        """The exact value."""
        return self.formula.value(self.terms)


def _value(node: ast.expr, terms: Mapping[str, Decimal]) -> Decimal:
    match node:
        case ast.Name(id=name):
            return terms[name]
        case ast.Constant(value=number):
            return Decimal(str(number))
        case ast.UnaryOp(operand=operand):
            return -_value(operand, terms)
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATORS[type(op)][1](_value(left, terms), _value(right, terms))
        case ast.Call(func=ast.Name(id=name), args=args):
            return _FUNCTIONS[name](*(_value(argument, terms) for argument in args))
    raise DeclarationError(f"{ast.unparse(node)!r} is not arithmetic.")


def _shown(node: ast.expr, terms: Mapping[str, Decimal], binding: int) -> str:
    match node:
        case ast.Name(id=name):
            return plain(terms[name]) if name in terms else name
        case ast.Constant(value=number):
            return plain(Decimal(str(number)))
        case ast.UnaryOp(operand=operand):
            return f"−{_shown(operand, terms, 3)}"
        case ast.BinOp(left=left, op=op, right=right):
            own = _BINDING[type(op)]
            text = f"{_shown(left, terms, own)} {_OPERATORS[type(op)][0]} {_shown(right, terms, own + 1)}"
            return f"({text})" if own < binding else text
        case ast.Call(func=ast.Name(id=name), args=args):
            return f"{name}({', '.join(_shown(a, terms, 0) for a in args)})"
    return ast.unparse(node)


def plain(number: Decimal) -> str:
    """A number as people write it: thousands separated, no trailing zeros, `−` for minus."""
    whole = number == number.to_integral_value()
    text = f"{number.quantize(Decimal(1)) if whole else number.normalize():,f}"
    return text.replace("-", "−")
