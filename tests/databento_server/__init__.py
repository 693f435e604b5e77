"""A service on loopback that speaks Databento's historical API as its official client calls it."""
