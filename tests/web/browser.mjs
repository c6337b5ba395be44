// SPDX-License-Identifier: GPL-2.0-only
// Opens pages in Chromium, and fails a test if a page logs an error or asks for anything of the network.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { chromium } from 'playwright-core';

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'bpftrap-web-'));
let browser;
let devtools;

export async function start() {
  // Chromium's sandbox refuses to run as root.
  const args = process.getuid() === 0 ? ['--no-sandbox'] : [];
  const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((name) => fs.existsSync(name));
  browser = await chromium.launch({ executablePath, args });
  devtools = await browser.newBrowserCDPSession();
}

export async function stop() {
  await browser?.close();
  fs.rmSync(scratch, { recursive: true, force: true });
}

// CPU time that the processes of Chromium use for an action, in ms.
export async function cpuMs(action) {
  const used = async () => {
    const { processInfo } = await devtools.send('SystemInfo.getProcessInfo');
    return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime * 1000, 0);
  };
  const before = await used();
  await action();
  return await used() - before;
}

// Opens a recording. Returns the page of playwright, with the time that it took in `openMs`.
export async function open(html, options = {}) {
  const { colorScheme = 'light', width = 1280, height = 720, expectReady = true, ...more } = options;
  const file = path.join(scratch, 'timeline.html');
  fs.writeFileSync(file, html);
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, ...more });
  const page = await context.newPage();
  page.problems = [];
  page.on('console', (message) => message.type() === 'error' && page.problems.push(message.text()));
  page.on('pageerror', (error) => page.problems.push(error.stack));
  page.on('dialog', (dialog) => { page.problems.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on('request', (request) => request.url() !== `file://${file}` && page.problems.push(request.url()));
  const begin = performance.now();
  page.openCpuMs = await cpuMs(async () => {
    await page.goto(`file://${file}`);
    if (expectReady) {
      await page.waitForSelector('body.ready', { timeout: 60_000 });
      await nextFrame(page);
    }
  });
  page.openMs = performance.now() - begin;
  return page;
}

// Until the page has drawn.
function nextFrame(page) {
  return page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))));
}

export async function close(page) {
  assert.deepEqual(page.problems, []);
  await page.context().close();
}

// Waits until `holds`, a function that asks the page, returns true. Throws after ten seconds.
export async function poll(holds) {
  const deadline = Date.now() + 10_000;
  while (!await holds()) {
    if (Date.now() > deadline) {
      throw new Error(`not true after ten seconds: ${holds}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

// The end of an animation.
export async function settle(page) {
  await page.waitForFunction(() => !window.timeline.viewport.animating);
  await nextFrame(page);
}

export const view = (page) => page.evaluate(() => {
  const { begin, end, top, width, height, bounds } = window.timeline.viewport;
  return { begin, end, top, width, height, bounds, span: end - begin };
});

// Where a process is drawn, on the screen.
export const placeOf = (page, process) => page.evaluate((index) => {
  const { viewport, recording, lanes } = window.timeline;
  const box = document.getElementById('lanes').getBoundingClientRect();
  return {
    left: box.left + viewport.x(recording.start[index]), right: box.left + viewport.x(recording.stop[index]),
    middle: box.top + viewport.y(lanes.of[index]) + viewport.laneHeight / 2,
  };
}, process);

// For people who look at the page.
export async function screenshot(page, name) {
  if (process.env.BPFTRAP_SCREENSHOTS) {
    await page.screenshot({ path: path.join(process.env.BPFTRAP_SCREENSHOTS, `${name}.png`) });
  }
}
