"""Settings of the documentation site: python -m sphinx -W --keep-going docs build/docs."""

import importlib
from importlib.metadata import version as installed

project = "dynas"
author = copyright = "The dynas project"
version = release = installed("dynas")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = "dynas"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
highlight_language = "none"

default_role = "py:obj"  # docstrings name objects in single backticks
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # attributes stand once, as what the class says of them

for name in ("dynas", "dynas.testing"):  # both import what is asked for when it is asked for
    module = importlib.import_module(name)
    for member in module.__all__:
        setattr(module, member, getattr(module, member))
