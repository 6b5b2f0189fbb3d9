"""The page of a series (`report.html`), a section a file; `document.py` puts them together."""
