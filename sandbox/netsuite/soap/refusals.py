"""What the SOAP side answers when it will not do as asked: faults, and statuses inside an HTTP 200 (vendors.md B5)."""

from lxml import etree

from sandbox.netsuite.soap.definition import FAULTS

_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"


class SoapFault(Exception):
    """A fault of the type `kind`, such as invalidCredentialsFault."""

    def __init__(self, kind: str, code: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.code = code
        self.message = message

    def envelope(self) -> bytes:
        """The reply, which goes with HTTP 500."""
        root = etree.Element(f"{{{_ENVELOPE}}}Envelope", nsmap={"soapenv": _ENVELOPE})
        fault = etree.SubElement(etree.SubElement(root, f"{{{_ENVELOPE}}}Body"), f"{{{_ENVELOPE}}}Fault")
        etree.SubElement(fault, "faultcode").text = "soapenv:Server.userException"
        etree.SubElement(fault, "faultstring").text = self.message
        detail = etree.SubElement(fault, "detail")
        inner = etree.SubElement(detail, f"{{{FAULTS}}}{self.kind}", nsmap={"platformFaults": FAULTS})
        etree.SubElement(inner, f"{{{FAULTS}}}code").text = self.code
        etree.SubElement(inner, f"{{{FAULTS}}}message").text = self.message
        content: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
        return content


def invalid_login() -> SoapFault:
    return SoapFault("invalidCredentialsFault", "INVALID_LOGIN_CREDENTIALS", "Invalid login attempt.")


def ambiguous_login() -> SoapFault:
    return SoapFault("invalidCredentialsFault", "USER_ERROR", "Ambiguous authentication.")


def blocked() -> SoapFault:
    message = "SuiteTalk concurrent request limit exceeded. Request blocked."
    return SoapFault("exceededConcurrentRequestLimitFault", "WS_REQUEST_BLOCKED", message)


def not_permitted(record: str) -> SoapFault:
    message = f"Permission Violation: You need a permission on {record} to access this page."
    return SoapFault("insufficientPermissionFault", "INSUFFICIENT_PERMISSION", message)


def unexpected(error_id: str, message: str = "An unexpected error occurred.") -> SoapFault:
    return SoapFault("unexpectedErrorFault", "UNEXPECTED_ERROR", f"{message} Error ID: {error_id}")


def too_many_records(most: int) -> SoapFault:
    return SoapFault("exceededRecordCountFault", "EXCEEDED_MAX_RECORDS", f"More than {most} records match.")


class StatusRefused(Exception):
    """A reply with HTTP 200 whose status says that it was no success."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def status(self) -> dict[str, object]:
        detail = {"type": "ERROR", "code": self.code, "message": self.message}
        return {"isSuccess": False, "statusDetail": [detail]}
