from __future__ import annotations

import os
import random
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground import tokens
from playground.records import Message
from playground.tokens import CHUNK, count, count_messages

ROOT = Path(__file__).resolve().parents[1]
MEGABYTE = 1_000_000
HARD_CUT_TOKENS = 4
PROSE = "The customer's 3rd order, #A-1024, didn't arrive; she'd like her money back.\n"


def whole(text: str) -> int:
    """Count without cutting."""
    return len(tokens._encoding().encode_ordinary(text))


def hard_cuts(text: str) -> int:
    parts = [len(part) for part in tokens._parts(text)]
    return sum(length >= CHUNK for length in parts[:-1])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("hello world", 2),
        ("tiktoken is great!", 6),
        ("I was charged twice for my subscription.", 8),
        ("a" * 8, 1),
        ("<|endoftext|>", 7),
        ("\ud800", 1),
        ("\ud83d\ude42", 1),
        ("\u200b", 1),
        ("\0", 1),
    ],
)
def test_a_text_has_so_many_tokens(text: str, expected: int) -> None:
    assert count(text) == expected


def test_a_lone_surrogate_counts_as_the_replacement_character() -> None:
    assert count("before \udfff after") == count("before \ufffd after")


def test_zero_width_characters_count() -> None:
    assert count("re\u200bfund") > count("refund")


class TestLongRuns:
    @pytest.mark.parametrize(
        "run",
        [
            "a",
            "A",
            "1",
            " ",
            "\n",
            "\t",
            ".",
            "-",
            "'",
            "é",
            "漢",
            "\u200b",
            "\u0301",
            "🙂",
            "\0",
            "Aa",
            " \t",
            "./",
            "\r\n",
        ],
    )
    def test_a_megabyte_of_one_character_takes_well_under_a_second(self, run: str) -> None:
        text = (run * MEGABYTE)[: MEGABYTE // len(run[0].encode())]
        started = time.perf_counter()
        counted = count(text)
        assert time.perf_counter() - started < 1
        assert abs(counted - whole(text[:30_720]) * len(text) / 30_720) < 0.005 * counted + HARD_CUT_TOKENS

    @pytest.mark.parametrize(
        "alphabet",
        ["abcdefghijklmnopqrstuvwxyz", "0123456789", "漢字仮名交文", "กขคงจฉชซ\u0e34\u0e35", ".,;:!?-'\"", " \t\n"],
    )
    def test_hard_cuts_move_the_count_by_less_than_a_token_each(self, alphabet: str) -> None:
        text = "".join(random.Random(1).choices(alphabet, k=100_000))
        assert hard_cuts(text) > 0
        assert abs(count(text) - whole(text)) < hard_cuts(text)

    @pytest.mark.parametrize(
        "text",
        [
            PROSE * 2_000,
            "https://example.org/orders/4711?ref=mail&utm_source=news_letter/" * 500,
            "我的订单还没有到\uff0c请帮我查一下。谢谢\uff01" * 500,
            "deadbeef0123456789" * 1_000,
            '{"id":"A-1","items":[{"sku":"B2","n":3}]},' * 500,
            "don't," * 1_000,
        ],
    )
    def test_text_with_punctuation_or_digits_is_counted_exactly(self, text: str) -> None:
        assert count(text) == whole(text)

    def test_a_run_between_texts_is_cut_inside_the_run_only(self) -> None:
        text = PROSE * 50 + " " * (3 * CHUNK) + PROSE * 50
        assert abs(count(text) - whole(text)) <= HARD_CUT_TOKENS * hard_cuts(text)
        assert "".join(tokens._parts(text)) == text

    def test_whitespace_that_tiktoken_refuses_is_counted(self) -> None:
        assert count(" " * MEGABYTE + "end") == count(" " * MEGABYTE) + 1


alphabets = st.sampled_from(
    ["ab", "aA", "a1", "a.", "a ", "漢。", "é\u0301", "🙂a", " \n", "'s t", "a\u200b", "/\n", "ab\ud800"]
)


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_cutting_never_loses_text_and_stays_in_bounds(data: st.DataObject) -> None:
    alphabet = data.draw(alphabets | st.text(min_size=1, max_size=6))
    seed = data.draw(st.integers(0, 10_000))
    text = "".join(random.Random(seed).choices(alphabet, k=data.draw(st.integers(0, 6_000))))
    parts = list(tokens._parts(text))
    assert "".join(parts) == text
    assert all(parts) or not text
    assert abs(count(text) - whole(text)) <= HARD_CUT_TOKENS * hard_cuts(text)


@settings(deadline=None)
@given(st.text(max_size=CHUNK))
def test_a_short_text_is_never_cut(text: str) -> None:
    assert count(text) == whole(text)


@pytest.fixture(scope="module")
def token_counter() -> object:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    os.environ["LITELLM_MODE"] = "PRODUCTION"
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Item '.*' on TypedDict class", category=UserWarning)
        from litellm import token_counter
    return token_counter


@pytest.mark.parametrize(
    "messages",
    [
        (),
        (Message("user", ""),),
        (Message("user", "Where is my order?"),),
        (Message("system", "You are a support agent.\n" + PROSE * 12), Message("user", PROSE)),
        (
            Message("system", "日本語で答えてください。"),
            Message("user", "返金\u200bしてください 🙂"),
            Message("user", "!!"),
        ),
    ],
)
def test_messages_count_as_litellm_counts_them(token_counter: object, messages: tuple[Message, ...]) -> None:
    theirs = token_counter(model="gpt-4o", messages=[{"role": m.role, "content": m.content} for m in messages])
    assert count_messages(messages) == theirs


def test_a_long_message_is_counted_whole_where_litellm_counts_it_in_slices(token_counter: object) -> None:
    # litellm encodes 1,024 characters at a time, which splits a word at most edges.
    long = PROSE * 500
    theirs = token_counter(model="gpt-4o", messages=[{"role": "user", "content": long}])
    assert count_messages([Message("user", long)]) == whole(long) + whole("user") + 6
    assert 0 <= theirs - count_messages([Message("user", long)]) <= 2 * len(long) / 1_024


class TestTokenizerFiles:
    def run(self, script: str, **environment: str) -> str:
        env = {key: value for key, value in os.environ.items() if key != "TIKTOKEN_CACHE_DIR"} | environment
        command = [sys.executable, "-c", script]
        return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True).stdout.strip()

    def test_counting_leaves_the_environment_alone_and_litellm_unimported(self) -> None:
        script = (
            "import os, sys; from playground import tokens; tokens.count('x');"
            "print('TIKTOKEN_CACHE_DIR' in os.environ, 'litellm' in sys.modules)"
        )
        assert self.run(script) == "False False"

    def test_a_folder_the_user_chose_is_kept(self, tmp_path: Path) -> None:
        folder = tokens._tokenizer_folder()
        for file in folder.iterdir():
            (tmp_path / file.name).symlink_to(file)
        script = (
            "import os; from playground import tokens;"
            "print(tokens.count('hello world'), os.environ['TIKTOKEN_CACHE_DIR'])"
        )
        assert self.run(script, TIKTOKEN_CACHE_DIR=str(tmp_path)) == f"2 {tmp_path}"

    def test_threads_that_count_first_all_find_the_files(self) -> None:
        script = (
            "from concurrent.futures import ThreadPoolExecutor; from playground import tokens\n"
            "with ThreadPoolExecutor(8) as pool: print(set(pool.map(tokens.count, ['hello world'] * 64)))"
        )
        assert self.run(script) == "{2}"


@given(st.text(alphabet="ab1 ./<{\n\r\t'-é中\u200d", max_size=80))
def test_counting_in_parts_is_counting(text: str) -> None:
    assert tokens.count_in_parts(text) == tokens.count(text)


@given(st.text(max_size=400))
def test_counting_any_text_in_parts_is_counting(text: str) -> None:
    assert tokens.count_in_parts(text) == tokens.count(text)


LINES = [
    "a line\n",
    "ends !\n",
    "/path\n",
    "\n",
    "",
    "no end",
    "'s\n",
    "中文。\n",
    "x" * 3000 + "\n",
    "\ud800 half\n",
    "<|endoftext|>\n",
    " b\n",
]


@given(
    st.lists(
        st.one_of(st.sampled_from(LINES), st.text(max_size=40).map(lambda t: t + "\n"), st.text(max_size=40)),
        max_size=30,
    )
)
def test_many_texts_at_once_count_as_each_alone(texts: list[str]) -> None:
    assert tokens.count_many(texts).tolist() == [tokens.count(t) for t in texts]


def test_many_texts_are_encoded_in_lots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_TOGETHER_CHARS", 10)
    assert tokens.count_many(LINES * 3).tolist() == [tokens.count(t) for t in LINES * 3]
