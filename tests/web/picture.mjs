// SPDX-License-Identifier: GPL-2.0-only
// Takes the picture of the README: node picture.mjs TIMELINE.html PICTURE.png
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const [page, picture] = process.argv.slice(2);
const args = process.getuid() === 0 ? ['--no-sandbox'] : [];
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args });
const context = await browser.newContext({ viewport: { width: 1280, height: 600 }, colorScheme: 'light' });
const tab = await context.newPage();
await tab.goto(pathToFileURL(page).href);
await tab.waitForSelector('body.ready');
await tab.waitForTimeout(500);
await tab.screenshot({ path: picture });
await browser.close();
