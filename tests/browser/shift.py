"""What moved on a page while it was loaded; for every folder of tests in a browser."""

# What moved while the page was loaded, by how much. hadRecentInput is not looked at: nobody types, and the size that was
# set just before counts as input.
SHIFT = """const done = arguments[0]; const moved = [];
    const place = r => [r.x, r.y, r.width, r.height].map(Math.round).join(' ');
    new PerformanceObserver(list => list.getEntries().filter(e => e.value).forEach(e => moved.push([e.value, ...e.sources.map(
        s => `${s.node?.id || s.node?.className} from ${place(s.previousRect)} to ${place(s.currentRect)}`)]))).observe({type: 'layout-shift', buffered: true});
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(moved), 50)));"""


def moved(driver):
    return driver.execute_async_script(SHIFT)
