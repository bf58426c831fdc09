"""Opening the page: what stands in its title, and what it asks for."""

from playwright.sync_api import expect

from page.book import Book


def test_page_says_which_model_is_open(book: Book) -> None:
    book.open()
    expect(book.page).to_have_title("reviews · openbook")
    expect(book.page.get_by_role("heading", level=1)).to_have_text("reviews")


def test_several_models_can_be_chosen(book: Book) -> None:
    book.open()
    choice = book.page.get_by_role("combobox", name="Model")
    choice.select_option(label="table.keras")
    expect(book.page).to_have_title("table.keras · openbook")
    choice.select_option(label="<b>bold<b>.keras")
    expect(book.page.get_by_role("heading", level=1)).to_have_text("<b>bold<b>.keras")


def test_page_keeps_nothing_in_the_browser(book: Book) -> None:
    book.open()
    expect(book.page.get_by_role("heading", level=1)).to_be_visible()
    assert book.page.context.cookies() == []
