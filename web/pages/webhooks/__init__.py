"""Pages of webhooks: endpoints, and what was sent to them."""
