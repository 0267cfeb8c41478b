"""The script that Streamlit runs for every visitor."""

import streamlit as st

from app.ui import document, sign_in
from app.ui.views.developers import developers
from app.ui.views.draw import draw
from app.ui.views.quality import quality
from app.ui.views.upload import upload

page = st.navigation(
    [
        st.Page(draw, title="Draw", icon=":material/draw:", default=True),
        st.Page(upload, title="Upload", icon=":material/upload:"),
        st.Page(quality, title="How good is it?", icon=":material/query_stats:", url_path="how-good"),
        st.Page(developers, title="API", icon=":material/code:", url_path="api"),
    ],
    position="top",
)
st.set_page_config(document.VIEWS.get(f"/{page.url_path}", document.DRAW).title, document.ICON, "wide")
sign_in.ask()
page.run()
