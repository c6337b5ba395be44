// SPDX-License-Identifier: GPL-2.0-only
// The modules of the page, as node loads them: beside a package.json that calls them modules.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'bpftrap-page-'));
process.on('exit', () => fs.rmSync(directory, { recursive: true, force: true }));
fs.cpSync(process.env.BPFTRAP_PAGE_SOURCES, directory, { recursive: true });
fs.writeFileSync(path.join(directory, 'package.json'), '{ "type": "module" }');

export const source = (name) => import(pathToFileURL(path.join(directory, `${name}.js`)).href);
