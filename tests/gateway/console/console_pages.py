"""A page as a reader meets it: its words, its links, its forms."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx


@dataclass
class Form:
    """`fields`: the names that it sends, with the values of hidden ones."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class Page(HTMLParser):
    """`links` maps the words of each link (or its aria-label) to where it leads."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__()
        self.links: dict[str, str] = {}
        self.forms: list[Form] = []
        self._words: list[str] = []
        self._link: tuple[str, str] | None = None
        self._link_words: list[str] = []
        self.feed(response.text)
        self.text = re.sub(r" ([,.;:)])", r"\1", " ".join(" ".join(self._words).split()))

    def form(self, ending: str) -> Form | None:
        """The form whose action ends so."""
        return next((form for form in self.forms if form.action.endswith(ending)), None)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in said:
            self._link, self._link_words = (said["href"], said.get("aria-label", "")), []
        if tag == "form":
            self.forms.append(Form(said.get("action", "")))
        if tag in ("input", "select", "textarea") and self.forms and "name" in said:
            self.forms[-1].fields[said["name"]] = said.get("value", "") if said.get("type") == "hidden" else ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._link:
            href, label = self._link
            self.links[label or " ".join(" ".join(self._link_words).split())] = href
            self._link = None

    def handle_data(self, data: str) -> None:
        self._words.append(data)
        if self._link:
            self._link_words.append(data)


def page(client: httpx.Client, address: str, status: int = 200) -> Page:
    """The page at an address, which must answer with this status."""
    response = client.get(address)
    assert response.status_code == status, response.text
    return Page(response)


def token(client: httpx.Client, address: str) -> str:
    """The form token that the pages of this visitor carry."""
    return next(form.fields["form_token"] for form in page(client, address).forms if "form_token" in form.fields)


def act(client: httpx.Client, reference: str, action: str, **said: str) -> httpx.Response:
    """Send one form of a case's page."""
    address = f"/exceptions/{reference}"
    return client.post(f"{address}/{action}", data={"form_token": token(client, address), **said})
