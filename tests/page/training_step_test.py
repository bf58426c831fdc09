"""Point 6: one training step with real numbers, and what follows from a number that the reader changes."""

import json
import re

import numpy as np
import pytest
from playwright.sync_api import expect

import openbook
from page.book import TRACE_TIMEOUT_MS, Book
from page.truth import Truth, page_array, page_inputs

ROW = {"row": [0.5, -1.0, 2.0, 0.0, 3.5]}


def first_step(book: Book) -> dict:
    """The trace of the step; a second one, with the weights that it left, follows at once."""
    traces = [json.loads(book.server.get(f"api/traces/{each}")) for each in dict.fromkeys(book.trace_ids)]
    return next(trace for trace in traces if trace["mode"] == "step")


def test_step_shows_loss_gradient_and_update_of_the_readers_example(book: Book, truth: Truth) -> None:
    book.open("table.keras", view="step", arrays=json.dumps(ROW), target="[2.5]")
    main = book.page.locator("main")
    expect(main.get_by_role("region", name="Loss")).to_contain_text(
        re.compile(r"\d"), timeout=TRACE_TIMEOUT_MS
    )
    info = first_step(book)
    inputs = [array for array in page_inputs(book) if array.shape == (1, 5)]
    model = truth.model("table.keras")
    step = openbook.trace_step(model, inputs[0], np.array([[2.5]], np.float32))
    assert info["loss"] == pytest.approx(float(step["loss"]), rel=1e-5)
    weights = main.get_by_role("table", name="Weights and their gradients")
    expect(weights.get_by_role("row", name="hidden/kernel")).to_be_visible()
    for name in ("gradients/hidden/kernel", "updates/hidden/kernel", "updates/price/bias"):
        np.testing.assert_allclose(page_array(book, name, info["id"]), step[name], rtol=1e-5, atol=1e-7)
    weights.get_by_role("button", name="price/bias").click()
    update = float(step["updates/price/bias"][0])
    assert f"{update:.3g}"[:5] in main.inner_text().replace("−", "-")


def test_step_of_the_text_generator_makes_the_target_likelier(book: Book) -> None:
    book.open("reviews", view="step", text="the film was sad")
    loss = book.page.locator("main").get_by_role("region", name="Loss")
    expect(loss).to_contain_text(re.compile(r"\d.*before.*\d.*after", re.DOTALL), timeout=TRACE_TIMEOUT_MS)
    before, after = (float(number) for number in re.findall(r"\d+\.\d+", loss.inner_text())[:2])
    assert after < before
    changes = book.page.get_by_role("table", name="How the answer changes")
    expect(changes.locator("tbody tr").first).to_be_visible()


def test_changed_weight_is_followed_downstream_and_restored(book: Book, truth: Truth) -> None:
    book.open("table.keras", view="edit", arrays=json.dumps(ROW))
    main = book.page.locator("main")
    main.get_by_role("combobox", name="Of").select_option("price/bias")
    field = main.get_by_role("textbox", name="price/bias[0]")
    field.fill("4.5")
    main.get_by_role("button", name="Change", exact=True).click()
    changed = main.get_by_role("table", name="What else changed")
    expect(changed.get_by_role("row", name=re.compile("output"))).to_be_visible(timeout=TRACE_TIMEOUT_MS)
    assert book.place()["edit"].startswith("price/bias[0]")
    plain = float(truth.trace(book, "table.keras")["output"][0, 0])
    bias = float(truth.trace(book, "table.keras")["price/bias"][0])
    # The page traces the same without the change as well.
    outputs = [float(page_array(book, "output", each)[0, 0]) for each in dict.fromkeys(book.trace_ids)]
    assert plain in outputs
    assert pytest.approx(plain - bias + 4.5, rel=1e-5) in outputs
    main.get_by_role("button", name=re.compile("Restore")).first.click()
    expect(changed).to_have_count(0)
    assert "edit" not in book.place()


def test_changed_input_is_followed_downstream(book: Book, truth: Truth) -> None:
    book.open("table.keras", view="values", value="output", arrays=json.dumps(ROW), edit="input/row[0,2]=-7")
    book.wait_for_values()
    changed = [*ROW["row"][:2], -7.0, *ROW["row"][3:]]
    expected = np.asarray(truth.model("table.keras")(np.array([changed], np.float32)))
    book.expect_trace(lambda: np.allclose(page_array(book, "output"), expected, rtol=1e-5))
