"""Pages to look at the traces in a browser: made on the server, no script, nothing from outside.

Traces hold hostile text. Every value is escaped by the templates, and the pages' content security
policy would not run a script even if one got through.
"""
