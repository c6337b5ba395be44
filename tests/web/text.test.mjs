// SPDX-License-Identifier: GPL-2.0-only
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { hostileWords } from './hostile.mjs';
import { source } from './source.mjs';

const { baseName, decodeArguments, decodeBytes, printable, shellCommand, shellQuote } = await source('text');
const { formatBytes, formatDuration, formatMoment, tickStep } = await source('units');

const bytesOf = (words) => Buffer.concat(words.flatMap((word) => [Buffer.from(word), Buffer.from([0])]));

test('a shell reads a copied command as the same bytes', () => {
  const words = ['printf', '%s\\0', ...hostileWords];
  const command = shellCommand(decodeArguments(bytesOf(words)));
  const printed = execFileSync('bash', ['-c', command]);
  assert.deepEqual(printed, bytesOf(hostileWords));
});

test('a copied command has no character that hides or reorders', () => {
  const command = shellCommand(decodeArguments(bytesOf(hostileWords)));
  assert.doesNotMatch(command, /[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u);
});

test('any byte survives', () => {
  const all = Buffer.from(Array.from({ length: 255 }, (_, i) => i + 1));
  const command = shellCommand(['printf', '%s', ...decodeArguments(Buffer.concat([all, Buffer.from([0])]))]);
  assert.deepEqual(execFileSync('bash', ['-c', command], { env: { ...process.env, LC_ALL: 'C' } }), all);
});

test('a word that a shell could take for something else is quoted', () => {
  assert.equal(shellQuote('if', true), "'if'");
  assert.equal(shellQuote('A=b', true), "'A=b'");
  assert.equal(shellQuote('A=b'), 'A=b');
  assert.equal(shellQuote('=ls'), "'=ls'");
  assert.equal(shellQuote(''), "''");
  assert.equal(shellQuote('~'), "'~'");
  assert.equal(shellQuote("it's"), "'it'\\''s'");
});

test('text that is shown has escapes instead of what cannot be seen', () => {
  assert.equal(printable('a\u202eb\tc\x1b[1m\u200b\u00a0'), 'a\\u202eb\\tc\\x1b[1m\\u200b\\u00a0');
  assert.equal(printable(decodeBytes(Buffer.from([0x61, 0xff, 0xc3, 0x28]))), 'a\\xff\\xc3(');
  assert.equal(printable('größe 漢字 \u{1f600}'), 'größe 漢字 \u{1f600}');
  assert.equal(printable('\u{e0041}'), '\\U000e0041');
});

test('valid UTF-8 is decoded as it is, byte order mark included', () => {
  assert.equal(decodeBytes(Buffer.from('\ufeffé漢\u{1f600}')), '\ufeffé漢\u{1f600}');
  assert.deepEqual(decodeArguments(Buffer.from('a\0\0b\0')), ['a', '', 'b']);
  assert.equal(baseName('/usr/bin/'), '/usr/bin/');
  assert.equal(baseName('/usr/bin/cc'), 'cc');
});

test('numbers for people', () => {
  assert.equal(formatDuration(0), '0 ns');
  assert.equal(formatDuration(999), '999 ns');
  assert.equal(formatDuration(999_960), '1.00 ms');
  assert.equal(formatDuration(35_240_000), '35.2 ms');
  assert.equal(formatDuration(59_990_000_000), '60.0 s');
  assert.equal(formatDuration(723e9), '12 min 03 s');
  assert.equal(formatDuration(3 * 86400e9 + 4 * 3600e9), '3 d 4 h');
  assert.equal(formatBytes(1023), '1023 B');
  assert.equal(formatBytes(1536), '1.5 KiB');
  assert.equal(formatMoment(1.25e9, 10e6), '1.25 s');
  assert.equal(formatMoment(125e9, 1e9), '2:05');
  assert.equal(formatMoment(3725.5e9, 500e6), '1:02:05.5');
});

test('ticks are at least as far apart as asked', () => {
  for (let least = 1; least < 1e15; least *= 3.7) {
    assert.ok(tickStep(least) >= least && tickStep(least) < least * 4, `${least}: ${tickStep(least)}`);
  }
});
