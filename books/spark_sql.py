"""The SQL of an expression for Spark 4 and Databricks, with the meaning that it has in the embedded engine.

Ibis compiles to Spark SQL, but for what is gathered in an order: Spark's aggregates know none, so that the order
becomes part of what is gathered. Elsewhere the two differ in what a null does, and the embedded engine's way holds.
"""

from typing import Any

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir
import sqlglot as sg
import sqlglot.expressions as sge
from ibis.backends.sql.compilers.base import NULL
from ibis.backends.sql.compilers.pyspark import PySparkCompiler

from books.errors import PermanentError


def spark_sql(rows: ir.Table) -> str:
    """Raises PermanentError for an order that Spark cannot be told."""
    return str(_Compiler().to_sqlglot(rows.unbind()).sql(dialect=_Compiler.dialect))


class _Compiler(PySparkCompiler):  # type: ignore[misc]
    __slots__ = ()

    def visit_First(self, op: ops.First, *, arg: Any, where: Any, order_by: Any, include_null: bool) -> Any:
        del include_null
        return self._outermost("min_by", op, arg, where, order_by)

    def visit_Last(self, op: ops.Last, *, arg: Any, where: Any, order_by: Any, include_null: bool) -> Any:
        del include_null
        return self._outermost("max_by", op, arg, where, order_by)

    def _outermost(self, function: str, op: Any, arg: Any, where: Any, order_by: Any) -> Any:
        """The value of the first or the last row that has one. Rows whose place is null are left out by Spark."""
        place = self.f.struct(*self._places(op, order_by)) if order_by else sge.convert(1)
        there: Any = sg.not_(arg.copy().is_(NULL))
        there = there if where is None else sg.and_(where, there)
        return self.f[function](arg, self.if_(there, place, NULL))

    def visit_ArrayCollect(
        self, op: ops.ArrayCollect, *, arg: Any, where: Any, order_by: Any, include_null: bool, distinct: bool
    ) -> Any:
        """Without nulls; null where nothing is left."""
        del include_null
        arg = arg if where is None else self.if_(where, arg, NULL)
        if distinct or [key.arg for key in op.order_by] == [op.arg]:
            gathered = self.f.sort_array((self.f.collect_set if distinct else self.f.collect_list)(arg))
        elif order_by:
            row = self.f.struct(*self._places(op, order_by), arg.copy())
            rows = self.f.sort_array(self.f.collect_list(self.if_(sg.not_(arg.copy().is_(NULL)), row, NULL)))
            each = sg.to_identifier("each")
            value = sge.Dot(this=sg.column("each"), expression=sg.to_identifier(f"col{2 * len(op.order_by) + 1}"))
            gathered = self.f.transform(rows, sge.Lambda(this=value, expressions=[each]))
        else:
            gathered = self.f.collect_list(arg)
        return self.if_(self.f.size(gathered.copy()).eq(0), NULL, gathered)

    def _places(self, op: Any, order_by: Any) -> list[Any]:
        """What orders rows as the keys do, ascending and nulls last."""
        places: list[Any] = []
        for key, said in zip(op.order_by, order_by, strict=True):
            value = said.this
            places += [value.copy().is_(NULL), self._turned(key.arg.dtype, value) if not key.ascending else value]
        return places

    def _turned(self, dtype: dt.DataType, value: Any) -> Any:
        """What ascends where the value descends."""
        if dtype.is_boolean():
            return sg.not_(value)
        if dtype.is_numeric():
            return sge.Neg(this=value)
        if dtype.is_date():
            return sge.Neg(this=self.f.unix_date(value))
        if dtype.is_timestamp():
            return sge.Neg(this=self.f.unix_micros(value))
        raise PermanentError(f"Spark cannot be asked for the first of {dtype} in descending order.")

    def visit_ArrayConcat(self, op: ops.ArrayConcat, *, arg: tuple[Any, ...]) -> Any:
        """A null adds nothing."""
        empty = self.cast(self.f.array(), op.dtype)
        return self.f.concat(*(self.f.coalesce(one, empty.copy()) for one in arg))

    def visit_ArrayIndex(self, op: ops.ArrayIndex, *, arg: Any, index: Any) -> Any:
        """Null beyond the end."""
        del op
        return self.f.try_element_at(arg, self.cast(index + 1, dt.int32))

    def visit_Field(self, op: ops.Field, *, rel: Any, name: str) -> Any:
        del op
        return sg.column(self._gen_valid_name(name), table=rel.alias_or_name, quoted=self.quoted, copy=False)

    def visit_NonNullLiteral(self, op: ops.Literal, *, value: Any, dtype: dt.DataType) -> Any:
        return None if dtype.is_floating() else super().visit_NonNullLiteral(op, value=value, dtype=dtype)
