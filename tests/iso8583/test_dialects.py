"""`onfile iso8583` on dialect files and messages, and the driver with a dialect of the operator's own."""

import subprocess

import pytest

from parts import BUILD, ROOT, Bank, Driver

DIALECTS = sorted((ROOT / "src/lib/iso8583/dialects").glob("*.dialect"))
CARD = "4111111111111111"
M = ("0100723c648108e1800816411111111111111100000000000001234508211530451234561530450821291259990840010059064001233632333331"
     "353132333435365445524d303030314d45524348414e54303030303030314f4e46494c4520544553542053484f50202020202020204155434b"
     "4c414e44202020202020204e5a0012393230333132333031303131383430001630303030303130303030363030383430")


def onfile(*words, text=None):
    return subprocess.run([f"{BUILD}/src/cli/onfile", "iso8583", *map(str, words)], input=text, capture_output=True,
                          text=True, timeout=20)


@pytest.mark.parametrize("path", DIALECTS, ids=lambda path: path.stem)
def test_shipped_files_have_no_mistake_and_fit_a_parameter(path):
    done = onfile("lint", path)
    assert done.returncode == 0 and f"dialect {path.stem} has" in done.stdout, done
    assert path.stat().st_size <= 16384


def test_lint_notes_what_has_no_place(tmp_path):
    text = next(path for path in DIALECTS if path.stem == "1987-bcd").read_text()
    file = tmp_path / "less.dialect"
    file.write_text("\n".join(line for line in text.splitlines() if not line.startswith(("place cvc ", "place network"))) + "\n")
    done = onfile("lint", file)
    notes = [line.split(": note: ")[1] for line in done.stdout.splitlines() if ": note: " in line]
    assert done.returncode == 0 and [note.split(":")[0] for note in notes] == [
        "there is no place for network-transaction-id", "there is no place for cvc"]
    assert "the code is never sent" in notes[1]
    file.write_text(text.replace("edition 1987\n", ""))
    done = onfile("lint", file)
    assert done.returncode == 0 and "no line edition" in done.stdout and done.stdout.count("note: ") == 1


def test_lint_tells_every_mistake_with_its_place(tmp_path):
    file = tmp_path / "bad.dialect"
    file.write_text('dialect bad\nmti bcd\nbitmap binary\nfield 3 n 6 LL "Code"\nfeld 4\nfield 2 n ..19 LL printable "Card"\n')
    done = onfile("lint", file)
    lines = done.stdout.splitlines()
    assert done.returncode == 1 and lines[-1] == "3 mistakes"
    assert [line.removeprefix(f"{file}:").split(": ")[0] for line in lines[:-1]] == ["4:11", "5:1", "6:7"]
    assert "write ..6" in lines[0] and "write hidden" in lines[2]


def test_a_mistake_in_a_part_is_one_mistake(tmp_path):
    file = tmp_path / "bad.dialect"
    file.write_text('dialect bad\nmti bcd\nbitmap binary\nfield 3 n 6 content=positional "Code"\n'
                    'part 3.1 q 2 ascii "Kind"\npart 3.2 n 2 ascii "From"\npart 3.3 n 2 ascii "To"\n'
                    'field 9 b ..99 LL content=ber "Chip"\npart 9.E1 b ..9 content=berr "Template"\npart 9.9A n 6 bcd "Date"\n')
    lines = onfile("lint", file).stdout.splitlines()
    assert [line.removeprefix(f"{file}:").split(": ")[0] for line in lines] == ["5:10", "9:17", "2 mistakes"], lines


def test_decode_shows_fields_and_hides_secrets():
    for done in (onfile("decode", "--dialect", "1987-bcd", M), onfile("decode", "--dialect", "1987-bcd", text=M[:99] + "\n " + M[99:]),
                 onfile("decode", "--dialect", DIALECTS[1], M)):
        lines = [line.split() for line in done.stdout.splitlines()]
        assert done.returncode == 0 and done.stderr == "" and len(lines) == 24
        assert ["10", "2", "Primary", "Account", "Number", "[hidden", "16]"] in lines
        assert ["22", "4", "Amount,", "Transaction", "000000012345"] in lines
        assert CARD not in done.stdout and "920312301011" not in done.stdout and "2912" not in done.stdout


def test_every_prefix_says_where_it_ends_and_what_was_before():
    for length in range(2, len(M), 8):
        done = onfile("decode", "--dialect", "1987-bcd", text=M[:length])
        assert done.returncode == 1 and done.stdout.splitlines()[-1].startswith("error at byte ")
        assert CARD not in done.stdout + done.stderr
        assert length < 80 or "0821153045" in done.stdout


@pytest.mark.parametrize("words, text, said", [
    (["decode", "--dialect", "1987-bcd", "01x0"], None, "character 3"),
    (["decode", "--dialect", "1987-bcd"], "010", "one digit"),
    (["decode", "--dialect", "1987-bcd"], "", "no message"),
    (["decode", "--dialect", "1988", "00"], None, "no dialect that comes with onfile"),
    (["decode", M], None, "--dialect"),
    (["lint"], None, "one FILE"),
    (["lint", "/nowhere"], None, "cannot be read"),
    (["compile"], None, "lint FILE"),
])
def test_wrong_words_are_told(words, text, said):
    done = onfile(*words, text=text)
    assert done.returncode == 2 and said in done.stderr and M not in done.stderr and done.stdout == ""


def test_the_driver_speaks_a_dialect_of_the_operators_own():
    text = next(path for path in DIALECTS if path.stem == "1987-ascii").read_text()
    bank = Bank("dialect=1987-ascii")
    driver = Driver(bank.port, dialect=text.replace("dialect 1987-ascii", "dialect mine")).up()
    assert driver.verify()["outcome"] == "approved"
    driver.stop()
    bank.stop()


def test_a_dialect_with_a_mistake_keeps_the_line_down():
    driver = Driver(1, dialect="dialect mine\nmti bcd\n")
    down = driver.wait_own(lambda line: line.get("state") == "down")
    assert "The parameter dialect should be" in down["detail"] and driver.process.wait(5) == 2
