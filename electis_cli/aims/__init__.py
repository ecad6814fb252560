"""SoluM AIMS over HTTP: the only room that knows httpx."""
