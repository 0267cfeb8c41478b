"""The script that Streamlit runs for every visitor."""

import streamlit as st

from app import garbage
from app.ui import admin, document, languages, sign_in, texts
from app.ui.intake import intake
from app.ui.texts import _
from app.ui.views import upload as uploading
from app.ui.views.developers import developers
from app.ui.views.draw import draw
from app.ui.views.health import health
from app.ui.views.number import number
from app.ui.views.quality import quality
from app.ui.views.review import review


def upload() -> None:
    uploading.upload(above)


languages.choose()
st.set_page_config(document.DRAW.title(texts.language()), document.ICON, "wide")
sign_in.ask()
page = st.navigation(
    [
        st.Page(draw, title=_(document.DRAW.name), icon=":material/draw:", default=True),
        st.Page(number, title=_(document.NUMBER.name), icon=":material/123:"),
        st.Page(upload, title=_(document.UPLOAD.name), icon=":material/upload:"),
        st.Page(quality, title=_(document.QUALITY.name), icon=":material/query_stats:", url_path="how-good"),
        st.Page(health, title=_(document.HEALTH.name), icon=":material/vital_signs:", url_path="health-of-model"),
        st.Page(developers, title=_(document.API.name), icon=":material/code:", url_path="api"),
        st.Page(
            review,
            title=_(document.SAMPLES.name),
            icon=":material/checklist:",
            url_path="review",
            visibility="visible" if admin.is_admitted() else "hidden",
        ),
    ],
    position="top",
)
st.set_page_config(document.VIEWS.get(f"/{page.url_path}", document.DRAW).title(texts.language()))
above = st.container()
intake(on_page=page.url_path == "upload", shown=uploading.from_files())
page.run()
garbage.leave_out_what_stays()
