"""A log in CSV and JSON lines: what is guessed, what is left out, and that a bad row is named by its line."""

from __future__ import annotations

import csv
import io
import json
import math
from datetime import date
from pathlib import Path

import pytest

from playground.cli import main
from playground.errors import BadTicket
from playground.logs import BATCH, FIELDS, Columns, LogRead, guess, preview, problems_csv, read_log
from playground.logs.satisfaction import satisfaction_of
from playground.safe_cells import safe
from tests.logs_helpers import read, reasons, written

ZENDESK = "Id,Requester,Requester id,Requester email,Subject,Created at,Updated at"
FRESHDESK = "Ticket ID,Subject,Status,Created time,Agent interactions,Customer interactions,Full name,Title,Email"
INTERCOM = "Conversation ID,Conversation started at (Europe/Berlin),User email,User name,First message,Title"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Ticket ID,Requester,Subject,Description", Columns("Description", "Ticket ID", "Requester", "Subject")),
        ("id,customer_id,created_at,text", Columns("text", "id", "customer_id", None, "created_at")),
        ("body", Columns("body")),
        ("MESSAGE,email", Columns("MESSAGE", None, "email", None)),
        ("text,turns,n_turns", Columns("text", turns="turns")),
        ("text,n_customer_turns", Columns("text", turns="n_customer_turns", turns_of="customer")),
        (ZENDESK, Columns("Subject", "Id", "Requester id", None, "Created at")),
        (
            FRESHDESK,
            Columns("Subject", "Ticket ID", "Email", None, "Created time", "Customer interactions", "customer"),
        ),
        (
            INTERCOM,
            Columns(
                "First message", "Conversation ID", "User email", "Title", "Conversation started at (Europe/Berlin)"
            ),
        ),
    ],
)
def test_columns_are_guessed_from_their_names(header: str, expected: Columns) -> None:
    assert guess(dict.fromkeys(header.split(","), ""), "log.csv") == expected


def test_a_column_that_holds_no_turns_is_not_guessed_to() -> None:
    assert guess({"text": "x", "messages": "thank you"}, "log.csv").turns is None
    assert guess({"text": "x", "messages": "4"}, "log.csv").turns == "messages"


def test_the_fields_are_those_of_columns() -> None:
    assert set(FIELDS) == set(Columns.__dataclass_fields__) - {"turns_of"}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_csv_is_read_whatever_stands_between_its_columns(tmp_path: Path, delimiter: str) -> None:
    rows = [["id", "customer", "text"], ["a", "acme", '"Where is my\ninvoice?"'], ["b", "", "Second"]]
    (batch,), told = read(written(tmp_path, "log.csv", "\n".join(delimiter.join(r) for r in rows)))
    assert batch.ids == ("a", "b")
    assert batch.texts == ("Where is my\ninvoice?", "Second")
    assert batch.customers == ("acme", "")
    assert told.problems == []
    assert told.share == 1.0


def test_the_delimiter_is_not_looked_for_inside_quoted_names_and_may_be_said(tmp_path: Path) -> None:
    (batch,), told = read(written(tmp_path, "log.csv", '"id, or number, if any";text\na;Hello, you\n'))
    assert batch.texts == ("Hello, you",)
    assert told.notes == ["log.csv: semicolons stand between the columns."]
    (batch,), _ = read(written(tmp_path, "log.csv", "sep=;\nid;text\na;Hello\n"))
    assert batch.texts == ("Hello",)


def test_every_column_of_a_log_is_read(tmp_path: Path) -> None:
    content = "id,customer,subject,created_at,turns,text\na,acme,  Two\twords ,2026-11-24T10:11:00Z,4,Hello\nb,,,,,Hi\n"
    (batch,), told = read(written(tmp_path, "log.csv", content))
    assert batch.subjects == ("Two words", "")
    assert batch.days.tolist() == [date(2026, 11, 24).toordinal(), 0]
    assert batch.rounds.tolist() == [2, 0]
    assert (told.rows, told.left_out, told.noted) == (2, 0, 0)


def test_columns_that_are_set_are_used_and_count_the_customers_messages(tmp_path: Path) -> None:
    path = written(tmp_path, "log.csv", "a,b,c\nHello,7,24.11.2026\n")
    (batch,), told = read(path, Columns("a", created_at="c", turns="b", turns_of="customer"))
    assert (batch.rounds[0], batch.days[0]) == (7, date(2026, 11, 24).toordinal())
    assert told.columns is not None
    assert told.columns.turns == "b"


def test_json_lines_are_read_and_a_broken_one_is_named(tmp_path: Path) -> None:
    lines = [json.dumps({"id": 7, "text": "Hello"}), "{broken", "[1]", "", json.dumps({"text": "No id"})]
    (batch,), told = read(written(tmp_path, "log.jsonl", "\n".join(lines)))
    assert batch.ids == ("7", "line 5")
    assert told.left_out == 2
    assert [(p.line, p.left_out) for p in told.problems] == [(2, True), (3, True)]
    assert all("this is not a JSON object" in reason for reason in reasons(told))


def test_rows_without_text_are_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    (batch,), told = read(written(tmp_path, "log.csv", "id,text\na,\nb,Hello\nc,  \u200b \n"))
    assert batch.ids == ("b",)
    assert [r.split(": ")[0] for r in reasons(told)] == ["log.csv, line 2", "log.csv, line 4"]


def test_ids_given_twice_are_kept_apart_and_said(tmp_path: Path) -> None:
    (batch,), told = read(written(tmp_path, "log.csv", "id,text\na,One\na,Two\n"))
    assert batch.ids == ("a", "a (line 3)")
    assert "stood before" in told.problems[0].reason
    assert (told.left_out, told.noted) == (0, 1)


def test_a_row_with_more_cells_than_columns_and_names_given_twice(tmp_path: Path) -> None:
    (batch,), told = read(written(tmp_path, "log.csv", "text,text,\nHello,second,third,fourth\n"))
    assert batch.texts == ("Hello",)
    assert "more cells than columns" in told.problems[0].reason
    assert preview(tmp_path / "log.csv").columns == ("text", "text (2)", "column 3")


def test_a_subject_stands_for_the_text_where_there_is_none_and_that_is_said(tmp_path: Path) -> None:
    (batch,), told = read(written(tmp_path, "log.csv", f"{ZENDESK}\n1,Ann,7,a@x.io,Invoice,2026-11-24 10:11,x\n"))
    assert batch.texts == ("Invoice",)
    assert "'Subject' is read as the text" in told.notes[0]


def test_html_in_a_cell_becomes_text_and_a_word_about_a_tag_stays(tmp_path: Path) -> None:
    rows = [{"text": "<div><p>Hello&nbsp;you</p><p>Bye</p></div>"}, {"text": "<p is a tag I do not know"}]
    (batch,), _ = read(written(tmp_path, "log.jsonl", "\n".join(map(json.dumps, rows))))
    assert batch.texts == ("Hello you\n\nBye", "<p is a tag I do not know")


def test_a_long_file_comes_in_batches_and_can_be_left_half_way(tmp_path: Path) -> None:
    path = written(tmp_path, "log.csv", "text\n" + "Hello\n" * (BATCH + 1))
    batches, told = read(path)
    assert [len(b.ids) for b in batches] == [BATCH, 1]
    assert told.rows == BATCH + 1
    stopped = LogRead()
    assert len(next(read_log(path, None, stopped)).ids) == BATCH
    assert stopped.rows == BATCH


def test_problems_stand_in_the_order_of_the_lines(tmp_path: Path) -> None:
    content = "id,created_at,text\na,nonsense,Hello\na,2026-01-01,\nb,2026-01-01,Hi\nb,2026-01-01,Hi\n"
    _, told = read(written(tmp_path, "log.csv", content))
    assert [p.line for p in told.problems] == [2, 3, 5]


def test_a_file_that_is_not_there_and_a_column_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadTicket, match="cannot be read"):
        read(tmp_path / "none.csv")
    with pytest.raises(BadTicket, match="there is no column 'Body'"):
        read(written(tmp_path, "log.csv", "text\nHello\n"), Columns("Body"))


def test_the_problems_are_a_table_that_no_spreadsheet_runs(tmp_path: Path) -> None:
    _, told = read(written(tmp_path, "=log.csv", "text,created_at\n,\nHello,never\n"))
    table = list(csv.reader(io.StringIO(problems_csv(told))))
    assert table[0] == ["line", "left out", "reason"]
    assert [row[:2] for row in table[1:]] == [["2", "yes"], ["3", "no"]]
    assert all(row[2].startswith("'=log.csv") for row in table[1:])


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_starts_like_a_formula_gets_an_apostrophe(start: str) -> None:
    assert safe(f"{start}1+1") == f"'{start}1+1"
    assert safe(f"a{start}1") == f"a{start}1"


def test_a_preview_shows_rows_and_a_guess_or_why_there_is_none(tmp_path: Path) -> None:
    shown = preview(written(tmp_path, "log.csv", f"id,text\na,{'x' * 300}\nb,y\n"), rows=1)
    assert shown.columns == ("id", "text")
    assert [row["text"] for row in shown.rows] == ["x" * 200]
    assert shown.guess == Columns("text", "id")
    other = preview(written(tmp_path, "log.csv", "a,b\n1,2\n"))
    assert other.guess is None
    assert "no column looks like" in other.problem
    with pytest.raises(BadTicket, match="no rows"):
        preview(written(tmp_path, "log.csv", "a,b\n"))
    with pytest.raises(BadTicket, match="cannot be read"):
        preview(tmp_path / "none.csv")


DATA = Path(__file__).parents[1] / "../shared/data/tickets"


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared tickets are not here")
@pytest.mark.parametrize("name", ["abcd_sample.jsonl", "multidogo_train.jsonl", "banking77_train.csv"])
def test_real_logs_are_read_without_a_problem(name: str) -> None:
    batches, told = read(DATA / name)
    assert sum(len(b.ids) for b in batches) + told.left_out == told.rows > 0
    assert told.left_out < told.rows / 100
    if name.endswith("jsonl"):
        assert all((b.rounds >= 1).all() for b in batches)


def test_the_command_takes_every_column_and_shows_problems_and_notes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, "log.csv", "a;b;c\nWhere is my invoice?;3;24.11.2026\nHello;x;soon\n;1;\n")
    names = ["--text", "a", "--turns", "b", "--turns-of", "customer", "--created-at", "c"]
    assert main(["price", str(path), *names, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["tickets"], told["left_out"]) == (2, 1)
    assert [p.split(":")[0] for p in told["problems"]] == ["log.csv, line 3", "log.csv, line 3", "log.csv, line 4"]
    assert told["notes"] == ["log.csv: semicolons stand between the columns."]
    assert main(["price", str(path), *names, "--plan", "before"]) == 0
    shown = capsys.readouterr().out
    assert all(sentence in shown for sentence in told["problems"] + told["notes"])
    assert main(["price", str(path), "--text", "a", "--turns", "none"]) == 2
    assert "there is no column 'none'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "expected"),
    [("4", 4.0), ("4/5", 4.0), ("80%", 80.0), ("4,5", 4.5), ("good", 1.0), ("Bad with comment", 0.0), ("Very unhappy", 0.0),
     (5, 5.0), ({"score": "good"}, 1.0), (True, 1.0)],
)  # fmt: skip
def test_satisfaction_is_a_number_or_a_help_desks_word(value: object, expected: float) -> None:
    assert satisfaction_of(value) == expected


@pytest.mark.parametrize("value", ["", None, "offered", "unoffered", "n/a", [1], "=1+1"])
def test_what_says_nothing_of_satisfaction_is_not_known(value: object) -> None:
    assert math.isnan(satisfaction_of(value))


def test_satisfaction_and_true_labels_are_read(tmp_path: Path) -> None:
    path = written(tmp_path, "log.csv", "text,csat,true intent\nHello,5,refund\nAgain,,\n")
    batches, told = read(path)
    assert told.columns is not None
    assert (told.columns.satisfaction, told.columns.label) == ("csat", "true intent")
    assert batches[0].labels == ("refund", "")
    assert batches[0].satisfaction[0] == 5
    assert math.isnan(batches[0].satisfaction[1])
