"""Point 3: the outline. Blocks, layers and operations, by eye, by search and by keyboard."""

import json
import re

from playwright.sync_api import Locator, expect

from page.book import TRACE_TIMEOUT_MS, Book


def outline(book: Book) -> Locator:
    book.open(view="values", text="the film was sad")
    tree = book.page.get_by_role("tree", name="Outline of the model")
    expect(tree.get_by_role("treeitem").first).to_be_visible(timeout=TRACE_TIMEOUT_MS)
    return tree


def test_outline_lists_blocks_and_layers_with_their_shapes(book: Book) -> None:
    tree = outline(book)
    for label in (
        "token_embedding, layer, 1 × 6 × 32",
        "block_1, block",
        "block_2, block",
        "final_norm, layer",
    ):
        expect(tree.get_by_role("treeitem", name=label)).to_be_visible()
    # Each comes with a small histogram, whose range is told as well.
    expect(tree.get_by_role("treeitem", name=re.compile("block_1, block.*from -?[0-9.]+ to"))).to_be_visible()


def test_outline_is_walked_by_keyboard(book: Book) -> None:
    tree = outline(book)
    tree.focus()
    tree.press("Home")
    tree.press("ArrowDown")
    tree.press("ArrowDown")
    tree.press("ArrowRight")
    block = tree.get_by_role("treeitem", name=re.compile("^block_1,"))
    expect(block).to_have_attribute("aria-expanded", "true")
    tree.press("ArrowRight")
    expect(tree.get_by_role("treeitem", name=re.compile("^attention_norm,")).first).to_have_attribute(
        "aria-level", "2"
    )
    tree.press("Enter")
    expect(book.page.get_by_role("heading", level=2, name="block_1/attention_norm/output")).to_be_visible()
    # The layer folds, then its block is the current row, then that folds.
    for _ in range(3):
        tree.press("ArrowLeft")
    expect(block).to_have_attribute("aria-expanded", "false")


def test_search_finds_values_by_name(book: Book) -> None:
    tree = outline(book)
    search = book.page.get_by_role("searchbox", name="Search values by name").first
    search.fill("softmax/exponentials")
    expect(tree.get_by_role("treeitem")).to_have_count(2)
    search.press("ArrowDown")
    tree.press("ArrowDown")
    tree.press("Enter")
    expect(
        book.page.get_by_role("heading", level=2, name="block_2/attention/softmax/exponentials")
    ).to_be_visible()


def test_search_without_a_find_says_so(book: Book) -> None:
    outline(book)
    book.page.get_by_role("searchbox", name="Search values by name").first.fill("no such value")
    expect(book.page.get_by_text(re.compile("^(0|no) ", re.IGNORECASE)).first).to_be_visible()


def test_every_value_of_the_trace_is_found(book: Book) -> None:
    tree = outline(book)
    values = json.loads(book.server.get(f"api/traces/{book.trace_id}"))["values"]
    search = book.page.get_by_role("searchbox", name="Search values by name").first
    for name in list(values)[:: len(values) // 8]:
        search.fill(name)
        expect(tree.get_by_role("treeitem").first).to_be_visible()
