"""Deliveries of claim files: to a directory, or to the clearinghouse by SFTP."""
