"""Transactional e-mail: templates, delivery through SES or into files, and what SES reports about it."""
