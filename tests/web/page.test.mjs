// SPDX-License-Identifier: GPL-2.0-only
// The page in Chromium, with made-up recordings.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { close, cpuMs, open, placeOf, poll, screenshot, settle, start, stop, view } from './browser.mjs';
import { hostileWords } from './hostile.mjs';
import { makeBuild, Writer } from './recordings.mjs';

const template = process.env.BPFTRAP_PAGE;
const ms = 1e6;

before(start);
after(stop);

// make, two compilers at the same time, one that fails, one that crashes, and one that never ends.
function small() {
  const writer = new Writer({ end: 1000 * ms });
  const root = writer.add({ start: 0, duration: 900 * ms, comm: 'make', cpu: 5 * ms, execs: [{ at: ms, args: ['make', 'all'] }] });
  const compiler = (start, duration, name, more = {}) => writer.add({
    parent: root, start: start * ms, duration: duration === null ? null : duration * ms, comm: 'cc',
    cpu: (duration ?? 0) * ms / 2, execs: [{ at: 2 * ms, args: ['cc', '-c', '-O2', name] }], ...more,
  });
  compiler(100, 300, 'first.c');
  compiler(150, 100, 'second.c', { status: 1 << 8 });
  compiler(300, 200, 'third.c', { status: 11 | 128 });
  compiler(500, null, 'fourth.c');
  compiler(600, 50, 'first.c', {
    nsPid: 7,
    execs: [{
      at: ms, args: ['cc', 'a b', "it's", '$HOME'], argsSize: 4096, truncated: true, capabilities: 0x1ffffffffff, secure: true,
      exeDeleted: true,
    }],
  });
  writer.header.losses = { since: [700 * ms], at: [750 * ms], count: [12] };
  writer.header.chain = { process: [root, 1, root], at: [0, 100 * ms, 400 * ms], duration: [100 * ms, 300 * ms, 500 * ms] };
  return writer.page(template);
}

test('opens without network and shows what the recording has', async () => {
  const html = small();
  assert.ok(html.length < 60_000, `${html.length} bytes`);
  const page = await open(html);
  assert.equal(await page.textContent('#command'), 'make all');
  assert.match(await page.textContent('#facts'), /^example · 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} · 1\.00 s · 6 processes$/);
  assert.equal(await page.textContent('#failures'), '✕ 2 failed');
  assert.match(await page.textContent('#warnings'), /12 records lost/);
  const policy = await page.getAttribute('meta[http-equiv]', 'content');
  assert.match(policy, /^default-src 'none'; script-src 'sha256-[^']+' 'sha256-[^']+'; style-src 'sha256-[^']+'; base-uri 'none'; form-action 'none'$/);
  await screenshot(page, 'small');
  await close(page);
});

test('boots that are left out are named', async () => {
  const writer = new Writer({ earlier_boots: 2 });
  writer.add({ start: 0, duration: ms, comm: 'make' });
  const page = await open(writer.page(template));
  assert.equal(await page.textContent('#warnings'), 'the last boot only, without 2 earlier ones');
  await close(page);
});

test('the policy refuses scripts, handlers and requests', async () => {
  const page = await open(small());
  const ran = await page.evaluate(async () => {
    const script = document.createElement('script');
    script.textContent = 'window.hacked = 1';
    const image = document.createElement('img');
    image.src = 'x';
    image.setAttribute('onerror', 'window.hacked = 2');
    document.body.append(script, image);
    const sent = await fetch('data:text/plain,x').then(() => true, () => false);
    await new Promise((resolve) => setTimeout(resolve, 100));
    return [window.hacked, sent];
  });
  assert.deepEqual(ran, [undefined, false]);
  assert.ok(page.problems.length >= 3, 'Chromium reports each refusal');
  page.problems = [];
  await close(page);
});

test('the wheel zooms at the pointer', async () => {
  const page = await open(small());
  const box = await page.locator('#overlay').boundingBox();
  const x = 400;
  const timeAt = () => page.evaluate((at) => window.timeline.viewport.time(at), x);
  await page.mouse.move(box.x + x, box.y + 60);
  const [before, time] = [await view(page), await timeAt()];
  await page.mouse.wheel(0, -400);
  await settle(page);
  const zoomed = await view(page);
  assert.ok(zoomed.span < before.span / 1.5, `${zoomed.span}`);
  assert.ok(Math.abs(await timeAt() - time) < before.span / 1000, 'the time at the pointer stays');
  await page.mouse.wheel(0, 4000);
  await settle(page);
  assert.deepEqual((await view(page)).bounds, [(await view(page)).begin, (await view(page)).end]);
  await close(page);
});

test('dragging pans, and does not select', async () => {
  const page = await open(makeBuild({ jobs: 300, parallel: 40 }).page(template));
  const box = await page.locator('#overlay').boundingBox();
  await page.mouse.move(box.x + 600, box.y + 300);
  await page.mouse.wheel(0, -800);
  await settle(page);
  const before = await view(page);
  await page.mouse.down();
  await page.mouse.move(box.x + 500, box.y + 200, { steps: 5 });
  await page.mouse.up();
  await settle(page);
  const after = await view(page);
  assert.ok(Math.abs(after.begin - before.begin - before.span * 100 / before.width) < before.span / 500);
  assert.equal(after.top - before.top, 100);
  assert.ok(Math.abs(after.span - before.span) < 1e-3);
  assert.ok(await page.isHidden('#details'));
  await close(page);
});

test('a drag in the charts zooms to that time', async () => {
  const page = await open(small());
  const box = await page.locator('#charts').boundingBox();
  const wanted = await page.evaluate(() => [300, 500].map((x) => window.timeline.viewport.time(x)));
  await page.mouse.move(box.x + 300, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + 500, box.y + 40, { steps: 4 });
  await page.mouse.up();
  await settle(page);
  const { begin, end } = await view(page);
  assert.ok(Math.abs(begin - wanted[0]) < 2 * ms && Math.abs(end - wanted[1]) < 2 * ms);
  await close(page);
});

test('keys pan, zoom and show everything', async () => {
  const page = await open(makeBuild({ jobs: 300, parallel: 40 }).page(template));
  const press = async (key) => {
    await page.keyboard.press(key);
    await settle(page);
    return view(page);
  };
  const whole = await view(page);
  const near = await press('+');
  assert.ok(near.span < whole.span);
  const right = await press('ArrowRight');
  assert.ok(Math.abs(right.begin - near.begin - near.span * 0.2) < near.span / 1000);
  const left = await press('ArrowLeft');
  assert.ok(Math.abs(left.begin - near.begin) < near.span / 1000);
  const down = await press('ArrowDown');
  assert.ok(down.top > left.top);
  assert.ok((await press('ArrowUp')).top < down.top);
  assert.ok((await press('-')).span > near.span);
  await press('+');
  const all = await press('0');
  assert.ok(Math.abs(all.begin - whole.begin) < 1e-3 && Math.abs(all.end - whole.end) < 1e-3);
  assert.equal(all.top, 0);
  await page.keyboard.press('?');
  assert.ok(await page.isVisible('#help'));
  await page.keyboard.press('Escape');
  assert.ok(await page.isHidden('#help'));
  await close(page);
});

test('search counts, and n goes through the matches', async () => {
  const page = await open(small());
  await page.keyboard.press('/');
  await page.keyboard.type('cc FIRST.c');
  assert.equal(await page.textContent('#found'), '1');
  await page.keyboard.press('Enter');
  await settle(page);
  assert.equal(await page.textContent('#found'), '1 of 1');
  assert.match(await page.textContent('#details pre'), /first\.c/);
  await page.fill('#search', 'cc');
  assert.equal(await page.textContent('#found'), '5');
  await page.locator('#search').blur();
  const seen = [];
  for (let i = 0; i < 6; i++) {
    await page.keyboard.press('n');
    await settle(page);
    seen.push(await page.evaluate(() => window.timeline.selected));
  }
  assert.deepEqual(seen, [1, 2, 3, 4, 5, 1]);
  await page.keyboard.press('N');
  assert.equal(await page.evaluate(() => window.timeline.selected), 5);
  await screenshot(page, 'search');
  for (const [query, count] of [['"-c -O2"', '4'], ['1003', '1'], ['nothing', 'none'], ['"cc a b"', '1'], ['o2 second', '1']]) {
    await page.fill('#search', query);
    assert.equal(await page.textContent('#found'), count, query);
  }
  await page.keyboard.press('Escape');
  assert.equal(await page.inputValue('#search'), '');
  assert.equal(await page.textContent('#found'), '');
  await close(page);
});

test('a click shows all fields, and the command is copied for a shell', async () => {
  const page = await open(small(), { permissions: ['clipboard-read', 'clipboard-write'] });
  const { left, right, middle } = await placeOf(page, 5);
  await page.mouse.click((left + right) / 2, middle);
  const details = await page.locator('#details').innerText();
  for (const text of ['✓ exit 0', '1005-1235167890123', 'make[1000]', 'me (1000)', 'root (0)', 'pts/3', '4026531836', '50.0 ms', 'session-3.scope',
                      '/home/me/project/build', '/usr/bin/cc (deleted)', 'waiting for a CPU', 'context switches', '000001ffffffffff',
                      'pid in its namespace', 'slept', 'privileged exec', 'of their 4.0 KiB was recorded']) {
    assert.ok(details.includes(text), `${text} in ${details}`);
  }
  await page.click('button.copy');
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(copied, "cc 'a b' 'it'\\''s' '$HOME'");
  assert.equal(execFileSync('sh', ['-c', copied.replace(/^cc/, "printf '%s|'")]).toString(), "a b|it's|$HOME|");
  await page.click('#details button.link'); // its parent
  await settle(page);
  assert.equal(await page.evaluate(() => window.timeline.selected), 0);
  assert.match(await page.locator('#details').innerText(), /5 children/i);
  await screenshot(page, 'details');
  await page.keyboard.press('Escape');
  assert.ok(await page.isHidden('#details'));
  await close(page);
});

test('a double click zooms to a process, and f goes through the failures', async () => {
  const page = await open(small());
  const { left, right, middle } = await placeOf(page, 1);
  await page.mouse.dblclick((left + right) / 2, middle);
  await settle(page);
  const { begin, end } = await view(page);
  assert.ok(begin <= 100 * ms && end >= 400 * ms && end - begin < 400 * ms);
  const seen = [];
  for (let i = 0; i < 3; i++) {
    await page.keyboard.press('f');
    await settle(page);
    seen.push(await page.locator('#details .status').innerText());
  }
  assert.deepEqual(seen, ['✕ exit 1', '◆ SIGSEGV (core dumped)', '✕ exit 1']);
  await close(page);
});

// The colour of a canvas at a place on the screen.
const colorAt = (page, x, y) => page.evaluate(([left, top]) => {
  const canvas = document.getElementById('lanes');
  const box = canvas.getBoundingClientRect();
  const pixel = canvas.getContext('2d').getImageData(Math.round(left - box.left), Math.round(top - box.top), 1, 1).data;
  return Array.from(pixel.slice(0, 3));
}, [x, y]);

for (const colorScheme of ['light', 'dark']) {
  test(`${colorScheme}: CPU time fills a bar from below, failures have a frame and a label, losses a pattern`, async () => {
    const page = await open(small(), { colorScheme });
    const css = (name) => page.evaluate((key) => {
      const probe = document.body.appendChild(document.createElement('i'));
      probe.style.color = getComputedStyle(document.documentElement).getPropertyValue(key);
      const canvas = document.createElement('canvas').getContext('2d');
      canvas.fillStyle = getComputedStyle(probe).color;
      probe.remove();
      canvas.fillRect(0, 0, 1, 1);
      return Array.from(canvas.getImageData(0, 0, 1, 1).data.slice(0, 3));
    }, name);
    const program = await page.evaluate(() => window.timeline.model.colors[window.timeline.recording.program[1]]);
    const first = await placeOf(page, 1);
    // Half of its life on a CPU: solid in the lower half, pale in the upper one.
    assert.deepEqual(await colorAt(page, first.right - 20, first.middle + 6), await css(`--program-${program}`));
    assert.deepEqual(await colorAt(page, first.right - 20, first.middle - 6), await css(`--program-${program}-pale`));
    const failed = await placeOf(page, 2);
    assert.deepEqual(await colorAt(page, failed.right - 4, failed.middle - 7), await css('--failure'));
    assert.deepEqual(await colorAt(page, failed.left + 20, failed.middle + 10), await css('--failure'));
    const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(background, colorScheme === 'dark' ? 'rgb(20, 23, 28)' : 'rgb(255, 255, 255)');
    await screenshot(page, colorScheme);
    await close(page);
  });
}

test('the page follows a change from light to dark', async () => {
  const page = await open(small());
  const { left, middle } = await placeOf(page, 1);
  const before = await colorAt(page, left + 30, middle - 6);
  await page.emulateMedia({ colorScheme: 'dark' });
  // The browser tells the page at one of its next frames.
  await poll(async () => String(await colorAt(page, left + 30, middle - 6)) !== String(before));
  await close(page);
});

test('hostile arguments, names and paths stay text', async () => {
  const writer = new Writer({ command: hostileWords[0], host: hostileWords[0], users: { 1000: hostileWords[0] } });
  const root = writer.add({ start: 0, duration: 100 * ms, comm: '<b>\x1b[31m', execs: [{ args: hostileWords }] });
  hostileWords.forEach((word, i) => writer.add({
    parent: root, start: (i + 1) * ms, duration: 60 * ms, comm: word.slice(0, 15) || 'x', status: i % 2 === 0 ? 0 : 256,
    execs: [{ args: [word, word], filename: `/tmp/${word}`, cwd: word }],
  }));
  writer.add({ parent: root, start: 1, duration: 50 * ms, comm: 'bytes',
               execs: [{ args: [Buffer.from([0xff, 0xfe, 0x3c, 0x69, 0x3e]), 'x'], filename: '/x' }] });
  const page = await open(writer.page(template));
  const elements = () => page.evaluate(() => document.querySelectorAll('img, svg, b, i, script').length);
  const scripts = await elements();
  const count = await page.evaluate(() => window.timeline.recording.count);
  for (let process = 0; process < count; process++) {
    await page.evaluate((index) => window.timeline.select(index, true), process);
    const text = await page.locator('#details').innerText();
    assert.doesNotMatch(text, /[\u202a-\u202e\u2066-\u2069\u200b\x1b\x07]/u);
  }
  await page.mouse.move(640, 300);
  await page.fill('#search', '<img');
  assert.notEqual(await page.textContent('#found'), 'none');
  await settle(page);
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  assert.equal(await elements(), scripts, 'no element came from a recorded text');
  assert.doesNotMatch(await page.title(), /[\u202e\x1b]/u);
  await screenshot(page, 'hostile');
  await close(page);
});

test('an empty recording and one process open', async () => {
  const one = new Writer();
  one.add({ start: 0, duration: 0, comm: 'true', execs: [{ args: ['true'] }] });
  await close(await open(one.page(template)));
  await close(await open(new Writer({ end: 0 }).page(template)));
});

test('a damaged page says so', async () => {
  const broken = small().replace(/(id="data" type="application\/octet-stream">)[A-Za-z0-9+/]{40}/, `$1${'A'.repeat(40)}`);
  const page = await open(broken, { expectReady: false });
  await page.waitForFunction(() => document.getElementById('warnings').textContent !== '');
  assert.match(await page.textContent('#warnings'), /^This page cannot show its recording: /);
  await close(page);
});

// The CPU time, in ms, that opening a page and panning it takes: in the whole view, and in nearer ones. It is
// that of all processes of Chromium, because other programs hardly change it.
async function costOf(jobs, name) {
  const html = makeBuild({ jobs }).page(template);
  const page = await open(html, { width: 1600, height: 900 });
  const count = await page.evaluate(() => window.timeline.recording.count);
  await screenshot(page, name);
  const box = await page.locator('#overlay').boundingBox();
  const frames = [];
  for (const wheel of [0, -1200, -1200, -1200]) {
    await page.mouse.move(box.x + 800, box.y + 300);
    await page.mouse.wheel(0, wheel);
    await settle(page);
    frames.push(await cpuMs(() => page.evaluate(async () => {
      for (let i = 0; i < 60; i++) {
        window.timeline.viewport.pan(i % 40 < 20 ? 10 : -10, 0);
        await new Promise((resolve) => requestAnimationFrame(resolve));
      }
    })) / 60);
  }
  await screenshot(page, `${name}-near`);
  await close(page);
  console.log(`${count} processes: ${html.length} bytes, opened in ${Math.round(page.openMs)} ms ` +
              `(CPU ${Math.round(page.openCpuMs)} ms), ` +
              `CPU per frame ${frames.map((time) => time.toFixed(1)).join(', ')} ms`);
  return { bytes: html.length, count, open: page.openCpuMs, frame: Math.max(...frames) };
}

// Compared with an eighth of them, because seconds would depend on the machine. Chromium's own share is half of
// the time or more, so the measured ratios are below 2.
test('100,000 processes open in linear time, and pan without stutter', async () => {
  const small = await costOf(3_140, 'medium');
  const large = await costOf(25_100, 'large');
  assert.ok(large.bytes < 12e6, `${large.bytes} bytes`);
  assert.ok(large.count >= 100_000 && large.count < 9 * small.count, `${small.count}, ${large.count} processes`);
  assert.ok(large.open < 4 * small.open, `${small.open}, ${large.open} ms of CPU time to open`);
  // A frame draws what has a place on the screen, however many processes there are.
  assert.ok(large.frame < 2 * small.frame, `${small.frame}, ${large.frame} ms of CPU time per frame`);
});
