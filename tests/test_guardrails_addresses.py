"""A link to another site is found however it is disguised, an allowed one never is, and ordinary text holds none."""

from __future__ import annotations

import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import BadInput
from playground.guardrails.addresses import Sites, foreign, hosts, loads
from playground.knowledge import sample_help_centre, sample_policies

SITES = Sites(("tallyfield.example",))
LABELS = st.from_regex(r"[a-z][a-z0-9]{2,10}", fullmatch=True).filter(lambda label: label not in ("www", "tallyfield"))
ENDINGS = st.sampled_from(["com", "net", "org", "xyz", "io", "de", "shop", "example", "co.uk"])
HOSTS = st.tuples(LABELS, ENDINGS).map(".".join)
PROSE = st.lists(
    st.sampled_from("please open the settings and choose a plan, then wait. Thanks! We (usually) answer; see below".split()),
    max_size=12,
).map(" ".join)  # fmt: skip
DISGUISES = {
    "plain": lambda h: f"https://{h}/x?y=1",
    "http": lambda h: f"http://{h}",
    "hxxp": lambda h: f"hxxps://{h}",
    "defanged scheme": lambda h: f"hxxp[:]//{h}",
    "bare": lambda h: h,
    "bare with path": lambda h: f"{h}/login",
    "www": lambda h: f"www.{h}",
    "upper": str.upper,
    "dots in brackets": lambda h: h.replace(".", "[.]"),
    "dots in parentheses": lambda h: h.replace(".", "(.)"),
    "dots said": lambda h: h.replace(".", "[dot]"),
    "zero width": lambda h: "\u200b".join(h),
    "soft hyphen": lambda h: h[:2] + "\u00ad" + h[2:],
    "full width": lambda h: "".join(chr(ord(c) + 0xFEE0) for c in h),
    "ideographic dot": lambda h: h.replace(".", "\u3002"),
    "bullet dot": lambda h: h.replace(".", "\u2022"),
    "spaced": " ".join,
    "markdown": lambda h: f"[here](https://{h})",
    "image": lambda h: f"![](https://{h}/p.png)",
    "angle": lambda h: f"<https://{h}>",
    "html": lambda h: f'<a href="https://{h}">x</a>',
    "entity": lambda h: f"https://&#{ord(h[0])};{h[1:]}",
    "percent": lambda h: f"https://%{ord(h[0]):02x}{h[1:]}",
    "e-mail": lambda h: f"claims@{h}",
    "e-mail said": lambda h: f"claims [at] {h}",
    "user": lambda h: f"https://tallyfield.example@{h}/",
    "user and port": lambda h: f"https://tallyfield.example:443@{h}:8080",
    "as a subdomain": lambda h: f"https://tallyfield.example.{h}",
    "glued": lambda h: f"https://nottallyfield.{h}",
    "backslashes": lambda h: f"https:\\\\{h}\\x",
    "no scheme": lambda h: f"//{h}/x",
    "one slash": lambda h: f"https:/{h}",
    "in a query": lambda h: f"https://tallyfield.example/out?to=https://{h}",
    "ftp": lambda h: f"ftp://{h}/a",
    "spaced scheme": lambda h: f"h t t p s : / / {h}",
    "base64": lambda h: base64.b64encode(f"go to https://{h}/now".encode()).decode(),
    "base64 twice": lambda h: base64.b64encode(base64.b64encode(f"go to https://{h}/now".encode())).decode(),
}


@given(PROSE, HOSTS, st.sampled_from(sorted(DISGUISES)), PROSE)
def test_a_disguised_link_is_found_anywhere(before: str, host: str, disguise: str, after: str) -> None:
    assert foreign(f"{before} {DISGUISES[disguise](host)} {after}", SITES)


@pytest.mark.parametrize("host", ["a00.com", "evil.co.uk", "evil.de", "evil.example", "evil.shop"])
@pytest.mark.parametrize("after", ["a", "a a", "a plan", "I will"])
def test_spaced_letters_are_read_though_a_word_of_one_letter_follows(host: str, after: str) -> None:
    assert foreign(f"Open {' '.join(host)} {after}", SITES) == (host,)


@pytest.mark.parametrize(
    "text",
    [
        "http://3405803785/pay", "http://0x7f.1/", "http://[::1]/x", "http://localhost:3000", "203.0.113.9",
        "https://t\u0430llyfield.example",
        "t\u0430llyfield.example", "https://xn--tllyfield-0yh.example", "https://tallyfield.example\\@evil.com",
        "file:///etc/passwd",
        "evil dot com", "evil dot me", "evil-mail [.com]", "evil-dot-com", "4444.com", "Evil.Me", "evil_mail.com",
        "\\\\evil\\share",
        "evil&period;com", "evil . com", "evil .com", "evil. com", "EVIL.Com", "a@tallyfield.example.evil.com",
    ],
)  # fmt: skip
def test_a_host_in_an_unusual_form_is_found(text: str) -> None:
    assert foreign(f"Please see {text} for more.", SITES)


PATHS = st.from_regex(
    r"(?:/[a-z0-9._~,+-]{0,12}){0,4}(?:\?[a-z]{1,5}=[a-z0-9.%-]{0,12})?(?:#[a-z0-9-]{0,8})?", fullmatch=True
)
OWN = st.sampled_from(["", "app.", "status.", "a.b."]).map(lambda sub: f"{sub}tallyfield.example")
WRITTEN = st.sampled_from(
    ["{}", "https://{}", "http://{}", "[status](https://{})", "({})", "https://{}:8443", "HTTPS://{}", "<https://{}>"]
)


@given(PROSE, OWN, WRITTEN, PATHS, PROSE)
def test_an_allowed_link_is_never_flagged(before: str, host: str, form: str, path: str, after: str) -> None:
    if "%" in path or "//" in path:
        return  # an escape may stand for anything, and two slashes begin an address
    assert foreign(f"{before} {form.format(host + path if '[' not in form else host)} {after}", SITES) == ()


@given(st.sampled_from(["help", "security", "no-reply", "a.b+c"]), OWN, PROSE)
def test_an_allowed_mailbox_is_never_flagged(name: str, host: str, around: str) -> None:
    assert foreign(f"{around} write to {name}@{host}. {around}", SITES) == ()


@given(PROSE, HOSTS, PROSE)
def test_a_host_that_an_article_names_is_known(before: str, host: str, after: str) -> None:
    text = f"{before} https://{host}/x {after}"
    assert foreign(text, SITES, hosts(f"See {host}.")) == ()
    assert foreign(text.replace(host, f"other.{host}"), SITES, hosts(f"See {host}."))


@pytest.mark.parametrize(
    "text",
    [
        "It works.Then open it.", "the dot in the corner", "entry_type.id",
        "at 9.am, 10.30.pm, e.g. this, i.e. that, z.B. das, d.h. nie",
        "1.5 or 1,000.50",
        "Node.js data.json export.csv time_entry.created", "Version 2.0.1 and/or more...and then", "100% sure &amp; done",
        "Dr. No. vs. Mr.",
        "a\u2022b\u2022c", "Antworten Sie bitte. In der Regel dauert es. So ist es.", "Gracias. De nada. No es nada.",
        "key: value; 12:30:05",
    ],
)  # fmt: skip
def test_ordinary_text_names_no_host(text: str) -> None:
    assert hosts(text) == ()


def test_what_the_sample_help_centre_says_leads_nowhere_else() -> None:
    for article in sample_help_centre().articles:
        assert foreign(article.text, SITES) == (), article.id
    for policy in sample_policies():
        assert foreign(policy.text, SITES) == ()


@pytest.mark.parametrize(
    "text",
    [
        "![x](y)",
        "![](//a)",
        "<img src=x>",
        "< IMG src=x>",
        "<script>",
        "</a >",
        "&lt;img src=x&gt;",
        "javascript:go()",
        "skype:evil?call",
        "data:image/png;base64",
    ],
)
def test_what_loads_something_is_found(text: str) -> None:
    assert loads(f"Hello {text} bye")


@pytest.mark.parametrize(
    "text",
    [
        "Great! [1] is done",
        "a < b",
        "Here is the data: 5 rows",
        "<ok>",
        "JavaScript: the good parts".replace(": ", " - "),
    ],
)
def test_what_loads_nothing_is_not(text: str) -> None:
    assert not loads(text)


@pytest.mark.parametrize("wrong", ["https://a.com", "a.com/x", "", "*.a.com", "a b"])
def test_a_site_that_is_no_domain_is_refused(wrong: str) -> None:
    with pytest.raises(BadInput, match="is no domain"):
        Sites((wrong,))


def test_a_site_of_another_alphabet_is_the_same_in_punycode() -> None:
    assert foreign("https://xn--mnchen-3ya.example", Sites(("münchen.example",))) == ()
    assert foreign("https://münchen.example", Sites(("xn--mnchen-3ya.example",))) == ()


@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    hosts(text)
    loads(text)


@pytest.mark.parametrize(
    "text",
    [
        "a-" * 8000,
        "a." * 8000,
        "h " * 8000,
        "[ " * 8000,
        "@" * 16000,
        "a@" * 8000,
        "%61" * 5000,
        "QUFB" * 5000,
        " ." * 8000,
    ],
)
def test_reading_an_answer_is_quick(text: str) -> None:
    started = time.perf_counter()
    hosts(text)
    assert time.perf_counter() - started < 5
