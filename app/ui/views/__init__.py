"""The pages, one module each; `app.ui.page` puts them together."""
