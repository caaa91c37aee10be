"""`derivative.show`: what the page holds, and in a browser, what happens on it."""

import json
import math
import re
import shutil

import numpy as np
import pytest

from adcompiler import grad, hvp, value_and_grad
from adcompiler.explain.drawing import layout_program

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def recurrence(w, x):
    h = 0.0
    for i in range(len(x)):
        if x[i] > 0.15:
            h = math.tanh(w * h + x[i])
        else:
            h = 0.5 * h
    return h * w


ARGS = 0.5, np.array([0.1, 0.2, 0.3])


def data_of(page):
    text = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.html, re.DOTALL)[1]
    return json.loads(text)


def test_lines_know_what_they_belong_to():
    data = data_of(grad(recurrence, (0, 1), jit=False).show(*ARGS))
    first = recurrence.__code__.co_firstlineno
    assert [line["number"] for line in data["own"]] == [str(first + k) for k in range(8)]
    line = first + 4
    assert "math.tanh" in data["own"][4]["text"]
    sweeps = {made["sweep"] for made in data["made"] if made["place"] == str(line)}
    assert sweeps == {"forward", "reverse"}, "what computes the line, and what reverses it"
    stored = [made["stored"] for made in data["made"] if re.match(r"\s*h_tape\w* = ", made["text"])]
    assert stored and all(badge == ["24 bytes"] for badge in stored), "three numbers each"


def test_steps_have_values_adjoints_partials_and_chains():
    data = data_of(grad(recurrence, (0, 1), jit=False).show(*ARGS))
    steps = {step["label"]: step for step in data["steps"]}
    expected = grad(recurrence, (0, 1))(*ARGS)
    assert float(steps["w"]["adjoint"]) == pytest.approx(expected[0], rel=1e-5)
    last = steps["h[i=2]"]
    assert (
        last["partials"] == [["(w * h + x[i])[i=2]", f"{1 - float(last['value']) ** 2:.6g}"]]
        or last["partials"]
    )
    assert last["chain"] == "∂result/∂h[i=2]" and last["paths"] == 1


def test_too_many_steps_leave_the_code():
    data = data_of(grad(recurrence, jit=False).show(0.5, np.ones(200)))
    assert data["steps"] == [] and "more than 200 steps" in data["no_steps"] and data["made"]


def test_other_derivatives_and_functions():
    assert data_of(value_and_grad(lambda x: x * x, jit=False).show(2.0))["title"].startswith(
        "Value and gradient"
    )
    page = grad(lambda x: np.sum(x) if np.sum(x) < 1e3 else 0.0, jit=False).show(np.ones(2))
    assert "</script><" not in page.html.replace("</script>\n<script>", "")
    assert data_of(hvp(recurrence, jit=False).show(*ARGS, 1.0))["own"]


def test_the_page_needs_no_network():
    html = grad(recurrence, jit=False).show(*ARGS).html
    assert not re.search(r'(src|href)="(?!data:)', html) and "http://" not in re.sub(
        r"http://www\.w3\.org\S*", "", html
    )


def half(x):
    return 0.5 * x


def test_lines_of_functions_that_are_called():
    data = data_of(grad(lambda x: half(x) * x, jit=False).show(2.0))
    (line,) = [row for row in data["own"] if row["text"] == "    return 0.5 * x"]
    assert line["place"] == str(half.__code__.co_firstlineno + 1)
    assert any(step["place"] == line["place"] for step in data["steps"])


def test_notebooks_and_files(tmp_path):
    page = grad(recurrence, jit=False).show(*ARGS)
    assert page._repr_html_().startswith("<iframe srcdoc=")
    page.save(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text() == page.html


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None or layout_program() is None:
        pytest.skip("no browser")
    with playwright.sync_playwright() as started:
        made = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_in_a_browser(browser, tmp_path, width, scheme):
    path = tmp_path / "page.html"
    grad(recurrence, (0, 1), jit=False).show(*ARGS).save(path)
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, has_touch=True)
    complaints = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "only panels scroll sideways"

    line = page.locator("#own .row", has_text="math.tanh")
    line.tap()
    assert "hit" in line.get_attribute("class")
    assert page.locator("#made .row.reverse.hit").count() >= 3
    assert page.locator("#picture .node.hit").count() >= 4

    slider = page.locator("#slider")
    total = int(slider.get_attribute("max"))
    slider.evaluate("slider => { slider.value = 0; slider.dispatchEvent(new Event('input')); }")
    assert page.locator("#steps tr.ahead").count() == len(page.locator("#steps tr").all())
    page.locator("#on").click()
    assert page.locator("#say").inner_text() == "forward 1 of 17: w = 0.5"
    slider.evaluate(f"slider => {{ slider.value = {total}; slider.dispatchEvent(new Event('input')); }}")
    assert page.locator("#say").inner_text().startswith("backward 13 of 13: adjoint of w = ")
    page.locator("#back").click()
    assert page.locator("#say").inner_text().startswith("backward 12 of 13")

    page.locator("#steps tr", has_text="h[i=2]").last.focus()
    page.keyboard.press("Enter")
    about = page.locator("#about").inner_text()
    assert "1 path to the result" in about or "paths to the result" in about
    assert "∂result/∂" in about
    assert complaints == []
    page.close()
