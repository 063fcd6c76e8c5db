"""Ticket Playground: the engine. It knows no Streamlit, and it loads litellm only through `gateway`."""

__version__ = "0.1.0"
