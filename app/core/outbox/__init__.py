"""The outbox: events recorded in the transaction of the change, published in order by one relay."""
