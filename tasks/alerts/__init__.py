"""Tell Slack about incidents."""
