"""Transactional e-mail: templates, delivery through SES or into files, and the notices of SES about it."""
