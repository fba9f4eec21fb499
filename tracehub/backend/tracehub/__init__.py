"""TraceHub: shipments, where they have been, and the papers that travel with them."""
