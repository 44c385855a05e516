"""The front door says what is there: options, files, both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from pipelines.console.app import app

ROOT = Path(__file__).parent.parent
READMES = ("README.md", "README.zh.md")
PAGES = [*READMES, "CONTRIBUTING.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]


def links(page: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text) + re.findall(r'(?:src|srcset)="([^"]+)"', text)
    return [link for link in found if "://" not in link]


@pytest.mark.parametrize("page", ["docs/options.md", "docs/options.zh.md"])
def test_every_option_is_explained(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for option in get_command(app).params:
        names = [*option.opts, *option.secondary_opts]
        assert any(re.search(rf"`{re.escape(name)}[` ]", text) for name in names), f"{page} lacks {names[0]}"


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for link in links(page):
        assert (ROOT / page).parent.joinpath(link).exists(), f"{page}: {link}"


def test_both_readmes_have_the_same_parts() -> None:
    english, chinese = ((ROOT / page).read_text(encoding="utf-8") for page in READMES)
    for pattern in (r"^## ", r"^```", r"^\|"):
        counts = [len(re.findall(pattern, text, re.MULTILINE)) for text in (english, chinese)]
        assert counts[0] == counts[1], f"{pattern}: {counts}"


@pytest.mark.slow
def test_the_demo_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbclient = pytest.importorskip("nbclient", reason="needs nbclient and ipykernel")
    pytest.importorskip("ipykernel")
    import nbformat

    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(ROOT / "notebooks" / "demo.ipynb", as_version=4)
    nbformat.validate(notebook)
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources).execute()
    assert (tmp_path / "demo" / "out" / "ep01" / "report.html").stat().st_size > 10_000
    table = next(c for c in notebook.cells if "corpus.lines[[" in c.source).outputs[0]["data"]["text/plain"]
    assert "Diane" in table and "Sheila" in table
