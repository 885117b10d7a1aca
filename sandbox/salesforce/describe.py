"""The describe call: what an object and its fields are called and of which type (vendors.md A1, A2)."""

from typing import Any

from sandbox.salesforce.fields import KEYS, NUMBERS, SYSTEM_FIELDS, TEXT, Field
from sandbox.salesforce.org import OrgView
from sandbox.salesforce.table import Shape

_SOAP_TYPES = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
}


def global_description(view: OrgView, version: str) -> dict[str, Any]:
    """GET /sobjects: every object without its fields."""
    shapes = [table.shape for name in view.names() if (table := view.table(name))]
    return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": [_summary(shape, version) for shape in shapes]}


def object_description(view: OrgView, shape: Shape, version: str) -> dict[str, Any]:
    """GET /sobjects/{Object}/describe: the object with its fields."""
    return _summary(shape, version) | {"fields": [_field(view, shape, field) for field in shape.visible]}


def _summary(shape: Shape, version: str) -> dict[str, Any]:
    url = f"/services/data/v{version}/sobjects/{shape.name}"
    return {
        "name": shape.name,
        "label": _label(shape.name),
        "labelPlural": _label(shape.name) + "s",
        "keyPrefix": shape.prefix,
        "custom": shape.name.endswith("__c"),
        "queryable": True,
        "replicateable": True,
        "retrieveable": True,
        "urls": {"sobject": url, "describe": f"{url}/describe", "rowTemplate": url + "/{ID}"},
    }


def _field(view: OrgView, shape: Shape, field: Field) -> dict[str, Any]:
    target = view.target(shape, field) if field.type == "reference" else None
    return {
        "name": field.name,
        "label": _label(field.name),
        "type": field.type,
        "soapType": _SOAP_TYPES.get(field.type, "xsd:string"),
        "length": _length(field),
        "precision": 18 if field.type in NUMBERS and field.type != "int" else 0,
        "scale": 2 if field.type in ("currency", "percent") else 0,
        "digits": 9 if field.type == "int" else 0,
        "nillable": field not in SYSTEM_FIELDS and field.type != "boolean",
        "custom": field.name.endswith("__c"),
        "calculated": field.calculated,
        "filterable": True,
        "sortable": True,
        "referenceTo": [target] if target else [],
        "relationshipName": field.relationship,
        "picklistValues": [{"value": v, "label": v, "active": True, "defaultValue": False} for v in field.values],
    }


def _length(field: Field) -> int:
    if field.type in KEYS:
        return 18
    return 255 if field.type in TEXT else 0


def _label(name: str) -> str:
    """SBQQ__StartDate__c reads Start Date."""
    bare = name.removesuffix("__c").rpartition("__")[2]
    spaced = "".join(f" {c}" if c.isupper() and i and not bare[i - 1].isupper() else c for i, c in enumerate(bare))
    return spaced.replace("_", " ").strip()
