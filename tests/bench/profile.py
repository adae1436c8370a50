"""Says where core's processor time goes, step by step: every sample of the profiler belongs to the first step of the table below that has a
function of its own anywhere on the sample's stack.

usage: perf script -F ip,sym | profile.py      prints `step.NAME PERCENT` lines, which report.py reads"""

import collections
import sys

STEPS = [
    ('checkpoint', {'sqlite3_wal_checkpoint_v2', 'sqlite3Checkpoint', 'sqlite3BtreeCheckpoint'}),
    ('fsync', {'gathered_log_sync', 'fdatasync', 'fsync', '__x64_sys_fdatasync'}),
    ('commit', {'store_commit'}),
    ('tags', {'crypto_hmac', 'crypto_sha256'}),
    ('writes', {'store_execute', 'store_insert', 'store_update', 'write_row'}),
    ('reads', {'store_begin', 'store_step', 'store_end', 'store_find', 'store_load', 'store_one', 'store_read', 'read_row', 'sqlite3_step'}),
    ('render', {'api_render', 'api_event_body', 'api_render_event'}),
    ('events', {'write_event'}),
    ('lines', {'wire_channel_read', 'wire_channel_next', 'wire_channel_put', 'wire_channel_flush', 'core_reply'}),
    ('timers', {'flows_timer', 'pages_timer', 'deliveries_timer'}),
    ('answers', {'flows_vault_message', 'on_answer', 'flows_event'}),
    ('requests', {'api_request', 'route'}),
    ('loop', {'uv_run'}),
]


def stacks(lines):
    """Each sample's functions, innermost first."""
    stack = []
    for line in lines:
        words = line.split()
        if words:
            stack.append(words[1] if len(words) > 1 else '')
        elif stack:
            yield stack
            stack = []
    if stack:
        yield stack


def step_of(stack):
    functions = {name.split('.')[0].split('+')[0] for name in stack}
    return next((step for step, own in STEPS if own & functions), 'rest')


def main():
    counts = collections.Counter(step_of(stack) for stack in stacks(sys.stdin))
    total = sum(counts.values())
    print(f'profile_samples {total}')
    for step, count in counts.items():
        print(f'step.{step} {100 * count / total:.2f}')


main()
