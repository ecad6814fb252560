"""The shared database: the only rooms that know SQLAlchemy and psycopg."""
