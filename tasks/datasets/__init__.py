"""Pull and check labelled cases."""
