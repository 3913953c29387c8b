"""What every uploaded part of a chart has: declared first, sent with a link, judged when complete."""
