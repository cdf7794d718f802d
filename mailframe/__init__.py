"""Any IMAP mailbox as pandas DataFrames."""
