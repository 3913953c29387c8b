"""Background work on pgqueuer: enqueued in the transaction of its cause, run in the app's process or the worker's."""
