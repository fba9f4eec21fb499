"""One file for each noun of the API."""

API = "/api/v1"
