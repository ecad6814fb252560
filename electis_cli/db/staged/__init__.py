"""Bulk work inside the database: rows are staged in temporary tables, compared there, and written by few statements.

`tables` makes the temporary tables and fills them, `comparing` finds what is wrong with staged rows and what they
change, `standing_against` what stands against older changes, `articles` the articles that changes touch, and
`carrying_out` writes changes, whoever made them.
"""
