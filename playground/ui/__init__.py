"""What the pages share: the session's state, background runs, and drawing. The only part that knows Streamlit."""
