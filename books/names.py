"""Customers' names and numbers, brought to a form in which two spellings of one thing are equal."""

import re
import unicodedata

# Legal forms, as single words once the dots are gone. They say how a company is incorporated, not which one it is.
_LEGAL_FORMS = frozenset(
    """
    ab ag aps as asa bv bvba co company corp corporation cv dac doo eg ehf eood gmbh gesmbh hf inc incorporated kft kg
    kgaa kk kommanditgesellschaft lda limited llc llp lp ltd ltda mbh nv ood oy oyj plc pllc pte pty pvt sa sarl sas
    sasu se sl slu snc spa spzoo sro srl ug zrt
    """.split()  # noqa: SIM905
)
_WORD = re.compile(r"[^\W_]+")
_ROUNDS = 8  # each round only shortens; real names need two


def normal_name(name: str) -> str:
    """Lower case, without accents, punctuation and legal forms: `Müller & Söhne GmbH` is `muller sohne`.

    A name of which nothing would be left keeps its words. Applied twice it changes nothing more.
    """
    for _ in range(_ROUNDS):
        shorter = _once(name)
        if shorter == name:
            break
        name = shorter
    return name


def _once(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(sign for sign in decomposed if not unicodedata.combining(sign)).replace("'", "").replace("’", "")
    words = _initials_joined(_WORD.findall(plain))
    telling = [word for word in words if word not in _LEGAL_FORMS and word != "and"]
    return " ".join(telling or words)


def _initials_joined(words: list[str]) -> list[str]:
    """`s a` from `S.A.` as `sa`: single letters in a row are one word."""
    joined: list[str] = []
    open_initials = False
    for word in words:
        initial = len(word) == 1 and word.isalpha()
        if initial and open_initials:
            joined[-1] += word
        else:
            joined.append(word)
        open_initials = initial
    return joined


def normal_number(number: str) -> str:
    """Letters and digits only, without leading zeros of a group of digits: `A-00042` is `a42`."""
    groups = re.findall(r"[^\W\d_]+|\d+", unicodedata.normalize("NFKC", number).casefold())
    joined = "".join(group.lstrip("0") or "0" if group.isdecimal() else group for group in groups)
    # Groups of digits that now stand together are one.
    return re.sub(r"\d+", lambda run: run[0].lstrip("0") or "0", joined)
