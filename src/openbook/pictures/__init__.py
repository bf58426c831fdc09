"""Pictures as they come from people, and as models take them."""
