"""Turns the figures of a run (`name value` lines) into docs/bench/results.md and a plot of the latency.

usage: report.py FOLDER INTO      FOLDER holds `figures`, `latency-half` and `latency-given`"""

import math
import pathlib
import statistics
import sys

TARGETS = [  # figure, what it is called, unit, target, is more better?
    ('payments_per_s', 'one-tap payments', '/s', 5000, True),
    ('links_per_s', 'links, without a question of the bank', '/s', 2000, True),
    ('half_p99_ms', 'payments at half of what was measured: 99 % answered within', ' ms', 5, False),
    ('given_p99_ms', 'payments at half of what is wanted: 99 % answered within', ' ms', 5, False),
    ('memory_share_mib', 'all programs, resident, shared pages counted once', ' MiB', 64, False),
    ('start_ms', 'from the start to the first answer', ' ms', 200, False),
]

LIMITS = [  # figure, what it is, the figure of ours beside it
    ('nginx_per_s', 'nginx, one worker, a fixed answer, the same load generator', 'payments_per_s'),
    ('sqlite_group_1_per_s', 'SQLite alone: insert, commit, update, commit, one by one', 'payments_per_s'),
    ('sqlite_group_64_per_s', 'the same in groups of 64 that share a commit', 'payments_per_s'),
    ('p256_per_s', 'P-256 agreement through EVP alone, one thread', 'links_per_s'),
]

STEPS = [  # as profile.py names them
    ('requests', 'reading requests: routes, keys, parameters'),
    ('answers', 'taking answers of vault, the flows'),
    ('timers', 'what is due: captures, deadlines'),
    ('reads', 'statements that read'),
    ('writes', 'statements that write'),
    ('render', 'objects and events as JSON'),
    ('events', 'events besides that'),
    ('tags', 'HMAC and SHA-256: ids, idempotency keys'),
    ('commit', 'commit: pages of the log'),
    ('fsync', 'commit: its write and fsync, their processor time'),
    ('checkpoint', 'the log into the database file'),
    ('lines', 'messages between programs'),
    ('loop', 'the loop, system calls of waiting'),
    ('rest', 'elsewhere'),
]

COLOURS = {'half': '#2563eb', 'given': '#0d9488', 'text': '#6b7280', 'grid': '#9ca3af'}


def number(value):
    """At most three digits that mean something, thousands set apart."""
    if value >= 100:
        return f'{value:,.0f}'
    return f'{value:.3g}'


def read_figures(path):
    figures = {}
    for line in path.read_text().splitlines():
        name, _, value = line.partition(' ')
        try:
            figures[name] = float(value)
        except ValueError:
            figures[name] = value
    return figures


def read_points(path):
    return [(float(share), int(latency)) for share, latency in (line.split() for line in path.read_text().splitlines())]


def table(head, rows):
    lines = ['| ' + ' | '.join(head) + ' |', '|' + ' --- |' + ' ---: |' * (len(head) - 1)]
    return lines + ['| ' + ' | '.join(row) + ' |' for row in rows]


def targets(figures):
    rows = []
    for name, what, unit, target, more in TARGETS:
        value = figures[name]
        good = value >= target if more else value < target
        bound = f'{"at least" if more else "under"} {number(target)}{unit}'
        rows.append([what, f'{number(value)}{unit}', bound, 'yes' if good else '**no**'])
    return table(['', 'measured', 'wanted', 'reached'], rows)


def limits(figures):
    rows = []
    for name, what, ours in LIMITS:
        rows.append([what, f'{number(figures[name])}/s', f'{figures[ours] / figures[name]:.2f}'])
    return table(['the machine alone', '', 'onfile to it'], rows)


def by_program(figures, prefix):
    return {name[len(prefix) + 1:]: value for name, value in figures.items() if name.startswith(prefix + '.')}


def spent(figures):
    """Where the processor's time goes."""
    kinds = [by_program(figures, f'{kind}_us') for kind in ('payment_cpu', 'half_cpu', 'half_queued', 'link_cpu')]
    rows = [[name, *(number(kind[name]) for kind in kinds)] for name in kinds[0]]
    rows.append(['all', *(number(sum(kind.values())) for kind in kinds)])
    return table(['µs of processor for', 'a payment', 'one at half load', 'waited for a processor', 'a link'], rows) + [
        '', 'At half load (of what was measured) fewer payments share a turn of the loop, a commit and what is in the processor\'s caches.']


def steps(figures):
    """Core's part of a payment, by step, where the profiler could look."""
    if not figures.get('profile_samples'):
        return ['', 'The profiler could not look into core on this machine.']
    whole = by_program(figures, 'payment_cpu_us')['core']
    shares = by_program(figures, 'step')
    rows = [[what, f'{shares[name]:.0f} %', number(whole * shares[name] / 100)] for name, what in STEPS if shares.get(name, 0) >= 0.5]
    return ['', f'Core\'s part of a payment, by step ({figures["profile_samples"]:.0f} samples of the profiler; a step is what it does itself, without '
            'the steps that it calls):', ''] + table(['', 'share', 'µs'], rows)


def room(figures):
    """What the processor would have time for, were nothing else on the machine and the disk no limit."""
    payment, link = (by_program(figures, f'{what}_cpu_us') for what in ('payment', 'link'))
    budget = figures['machine_cores'] * 1e6
    return (f'So the {figures["machine_cores"]:.0f} cores have time for {number(budget / sum(payment.values()))} payments or '
            f'{number(budget / sum(link.values()))} links a second, and one processor, were core alone on it, for '
            f'{number(1e6 / payment["core"])} payments. What was measured less than that was taken by others on the machine '
            '(see the load) and by waiting for the disk: a payment is in two commits, one before the bank is asked and one before '
            f'the answer. An fsync took {figures["fsync_ms"]:.2f} ms on average; {figures["fsync_within_2_5_ms"]:.1f} % ended within 2.5 ms.')


def memory(figures):
    share, peak = by_program(figures, 'memory_share_mib'), by_program(figures, 'memory_peak_mib')
    rows = [[name, f'{share[name]:.1f}', f'{peak[name]:.1f}'] for name in share if name not in ('load', 'bank')]
    rows.append(['all', f'{figures["memory_share_mib"]:.1f}', f'{figures["memory_resident_mib"]:.1f} now'])
    return table(['MiB', 'its share', 'resident at most'], rows)


def line_of(points, x, y, colour, name):
    """A line of the plot, with its name at its end."""
    places = [(x(share), y(latency / 1000)) for share, latency in points]
    text = ' '.join(f'{left:.1f},{top:.1f}' for left, top in places)
    left, top = places[-1]
    return [f'<polyline points="{text}" fill="none" stroke="{colour}" stroke-width="2"/>',
            f'<text x="{left - 6:.1f}" y="{max(top - 6, 14):.1f}" text-anchor="end" fill="{colour}">{name}</text>']


def plot(lines):
    """The latency by share of the payments, as SVG: each step to the right is another nine. `lines`: colour, name, points."""
    width, height, left, bottom = 640, 320, 60, 40
    top = max(latency for _, _, points in lines for _, latency in points) / 1000
    decade = 10 ** math.floor(math.log10(max(top, 0.1)))
    top = math.ceil(top / decade) * decade

    def x(share):
        return left + (width - left - 20) * min(-math.log10(max(1 - share, 1e-4)), 4) / 4

    def y(ms):
        return height - bottom - (height - bottom - 20) * ms / top

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
             'font-family="sans-serif" font-size="12">',
             '<title>Latency of payments at fixed rates</title>']
    for share, name in [(0, '0'), (0.9, '90 %'), (0.99, '99 %'), (0.999, '99.9 %'), (0.9999, '99.99 %')]:
        parts.append(f'<line x1="{x(share):.1f}" x2="{x(share):.1f}" y1="20" y2="{height - bottom}" '
                     f'stroke="{COLOURS["grid"]}" stroke-width="0.5"/>')
        anchor = 'end' if x(share) > width - 30 else 'middle'
        parts.append(f'<text x="{x(share):.1f}" y="{height - 20}" text-anchor="{anchor}" '
                     f'fill="{COLOURS["text"]}">{name}</text>')
    for step in range(5):
        ms = top * step / 4
        parts.append(f'<line x1="{left}" x2="{width - 20}" y1="{y(ms):.1f}" y2="{y(ms):.1f}" '
                     f'stroke="{COLOURS["grid"]}" stroke-width="0.5"/>')
        parts.append(f'<text x="{left - 8}" y="{y(ms) + 4:.1f}" text-anchor="end" '
                     f'fill="{COLOURS["text"]}">{ms:g} ms</text>')
    for colour, name, points in lines:
        parts += line_of(points, x, y, colour, name)
    return '\n'.join(parts) + '\n</svg>\n'


def latency(figures):
    """At fixed rates, and what the disk alone would make of it."""
    text = ['Payments sent at fixed times whatever the answers do; the clock of each starts when it was due, so that a pause cannot hide',
            f'the requests that it held up. {figures["seconds"]:.0f} seconds each.', '']
    kinds = [('half', 'half of what was measured'), ('given', 'half of what is wanted')]
    rows = []
    for kind, what in kinds:
        busy = figures[f'{kind}_rate_per_s'] * by_program(figures, f'{kind}_cpu_us')['core'] / 1e6
        rows.append([f'{number(figures[f"{kind}_rate_per_s"])}/s, {what}',
                     *(number(figures[f'{kind}_{share}_ms']) for share in ('p50', 'p99', 'p999', 'max')),
                     number(figures[f'{kind}_fsyncs_per_s']), number(figures[f'{kind}_fsyncs_ms']),
                     *(f'{figures[f"{kind}_fsyncs_over_{bound}_ms"]:.0f}' for bound in ('2_5', '5', '10')), f'{100 * busy:.0f} %'])
    text += table(['', 'p50, ms', 'p99', 'p99.9', 'slowest', 'fsyncs/s', 'one, ms', 'over 2.5 ms', '5', '10', 'core at work'], rows)
    return text + [
        '', 'A payment waits for two fsyncs, and for the turns of core that end with them: what comes during a turn or its fsync waits for the',
        'next. An fsync of 5 ms keeps all waiting that are there, and what came meanwhile is worked off beside what goes on coming: at a',
        f'share of work as in the last column, in 1/(1 - share) times its length. {figures["seconds"] / 100:.2g} seconds of that are one payment in a hundred.', '',
        'As many payments as in the first row of which each is nothing but two small fsyncs, shared by those that are there, take this disk, with',
        f'nothing else for it to do, {number(figures["fsync_twice_p50_ms"])} ms (p50), {number(figures["fsync_twice_p99_ms"])} ms (p99) and '
        f'{number(figures["fsync_twice_p999_ms"])} ms (p99.9): the disk alone. One fsync of 12 KiB, a thousand times a second, takes',
        f'{number(figures["fsync_alone_p50_ms"])} ms (p50), {number(figures["fsync_alone_p99_ms"])} ms (p99) and '
        f'{number(figures["fsync_alone_p999_ms"])} ms (p99.9).', '',
        '![Latency of payments at fixed rates](latency.svg)', '']


def middle(figures, size, name):
    """The middle one of the rounds with a store of this size."""
    return statistics.median(figures[f'deep_{size}.{turn}.{name}'] for turn in (1, 2, 3))


def deep(figures):
    """The same with little and with much in the store, where that was measured."""
    if 'deep_large.cards' not in figures:
        return []
    sizes = ('small', 'large')
    names = [('payments_per_s', 'payments/s'), ('half_p50_ms', 'half of that: p50, ms'), ('half_p99_ms', 'p99, ms'),
             ('payment_cpu_us.core', 'core, µs of processor for a payment')]
    rows = []
    for name, what in names:
        small, large = (middle(figures, size, name) for size in sizes)
        rows.append([what, number(small), number(large), f'{100 * (large / small - 1):+.0f} %'])
    head = ['', *(f'{figures[f"deep_{size}.cards"]:,.0f} cards, {figures[f"deep_{size}.payments"]:,.0f} payments, '
                  f'{figures[f"deep_{size}.store_gib"]:.2g} GiB' for size in sizes), '']
    text = ['', '## With much in the store', '',
            'Two stores, in turn on the same programs; the middle one of three rounds of five seconds. With little, payments are made with',
            'a thousand cards, with much, with 20,000 of a million.', ''] + table(head, rows)
    if not all(figures.get(f'deep_{size}.profile_samples') for size in sizes):
        return text
    shares = [by_program(figures, f'deep_{size}.step') for size in sizes]
    whole = [middle(figures, size, 'payment_cpu_us.core') for size in sizes]
    rows = []
    for name, what in STEPS:
        small, large = (share.get(name, 0) * us / 100 for share, us in zip(shares, whole))
        if max(small, large) >= 1:
            rows.append([what, number(small), number(large), f'{large - small:+.1f}'])
    return text + ['', 'Core\'s part of a payment, by step, in µs:', ''] + table(['', 'with little', 'with much', ''], rows) + [
        '', 'With much, each payment reads two pages that nobody read just before, wherever they lie in the file: the row of its card, and the',
        'page of the index where its idempotency key belongs, which it changes. With little both are in SQLite\'s cache. Everything else of a',
        'payment lies at the end of its table; what it takes longer is spread over all steps.']


def report(figures, notes):
    text = [
        '# What onfile does on one machine', '',
        'Written by `./bench`, which sets itself up and takes under three minutes. Bank, load generator and all of onfile share the',
        'machine. Every payment that was answered was on disk before (fsync of the log). What the load generator counts is an',
        'answer with the wanted content; one that is not ends the run.', '',
        f'Machine: {figures["machine_cores"]:.0f} cores ({figures["machine_processor"]}), '
        f'{figures["machine_memory_mib"]:,.0f} MiB, {figures["machine_kernel"]}, {figures["machine_file_system"]}; '
        f'load before {figures["machine_load_before"]}, after {figures["machine_load_after"]}. '
        f'Revision {figures["revision"]}, {figures["date"]}.', '']
    text += targets(figures)
    text += ['', 'A payment is one `POST /v1/payment_intents` with a card on file, confirmed at once, authorized and captured at the bank;',
             '64 connections, each with one request at a time. A link is the one request of the card page with the encrypted card:',
             'opened, verified at the bank with its code, authenticated without a question (3-D Secure), saved.',
             f'Customers: {number(figures["customers_per_s"])}/s made; SetupIntents: {number(figures["intents_per_s"])}/s made, '
             f'{number(figures["retrievals_per_s"])}/s retrieved.', '',
             '## Latency', '']
    text += latency(figures)
    text += ['## The machine\'s limits, in the same run', '']
    text += limits(figures)
    text += deep(figures)
    text += ['', '## Where the time goes', '']
    text += spent(figures)
    text += ['', room(figures)]
    text += steps(figures)
    text += ['', '## Memory, after the load', '']
    text += memory(figures)
    if notes.exists():
        text += ['', notes.read_text().rstrip()]
    return '\n'.join(text) + '\n'


def main():
    folder, into = map(pathlib.Path, sys.argv[1:3])
    figures = read_figures(folder / 'figures')
    lines = [(COLOURS[kind], f'{number(figures[f"{kind}_rate_per_s"])}/s', read_points(folder / f'latency-{kind}')) for kind in ('half', 'given')]
    (into / 'latency.svg').write_text(plot(lines))
    (into / 'results.md').write_text(report(figures, into / 'notes.md'))


main()
