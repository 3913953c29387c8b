"""The process in which one content is judged: `python -m app.ems.media.child <media type>`, content in, content out.

Decoders of foreign bytes run here. The system limits memory and time, and the process has neither the server's
environment nor its connections. A crash ends this process only.
"""

from __future__ import annotations

import resource
import sys

from app.ems.media.inspection import MediaType, RefusedContent

MEMORY_BYTES = 1536 * 1024 * 1024
CPU_SECONDS = 20
KEPT, REFUSED = 0, 10


def bound() -> None:
    """Set limits of the system: this process ends when it takes too much memory or processor time, or writes a file."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(declared: MediaType) -> int:
    """Returns KEPT and writes the cleaned content to standard output, or REFUSED and writes the refusal's code."""
    bound()
    from app.ems.media.walking import walk  # the decoders are loaded within the bounds

    try:
        cleaned = walk(declared, sys.stdin.buffer.read())
    except RefusedContent as refused:
        sys.stdout.write(refused.refusal.value)
        return REFUSED
    sys.stdout.buffer.write(cleaned)
    return KEPT


if __name__ == "__main__":
    sys.exit(main(MediaType(sys.argv[1])))
