"""The pusher: brings one store's dirty articles and label wishes to AIMS (design 5.2)."""
