"""Records into Altair charts: plain numbers in, a title that states the finding, and alt text to go with it."""
