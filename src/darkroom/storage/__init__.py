"""Files: where they are kept, what is known of them, how they come in and how images are opened."""
