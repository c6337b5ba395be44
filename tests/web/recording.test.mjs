// SPDX-License-Identifier: GPL-2.0-only
// The page of a true recording has what `show --json`, another way through bpftrap, prints of it.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { close, open, screenshot, start, stop } from './browser.mjs';

const bpftrap = process.env.BPFTRAP_BIN;
const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'bpftrap-recording-'));
const recording = path.join(directory, 'run.bpftrap');
const html = path.join(directory, 'run.html');
const isRoot = process.getuid() === 0;
const skip = isRoot ? false : 'needs root, to record';

const workload = `
cd ${directory}
i=0
while [ $i -lt 20 ]; do /bin/true "argument $i"; i=$((i + 1)); done
sh -c 'exec sleep 0.05' &
/bin/false
sh -c 'kill -SEGV $$'
env SECRET=hidden-value /bin/echo '</script><img src=x onerror=alert(1)>' $'right\\u202eleft' $'\\xff'
timeout 0.1 sleep 5
./missing-program
wait
exit 3
`;

before(async () => {
  await start();
  if (isRoot) {
    const script = path.join(directory, 'workload.sh');
    fs.writeFileSync(script, workload);
    const ran = spawnSync(bpftrap, ['record', '--env', '*', '-o', recording, '--timeline', html, '--', 'bash', script],
                          { env: { ...process.env, LC_ALL: 'C.UTF-8' } });
    assert.equal(ran.status, 3, ran.stderr.toString());
  }
});

after(async () => {
  await stop();
  fs.rmSync(directory, { recursive: true, force: true });
});

// The page's fields of each process, by the names of the JSON stream.
const processesOf = (page) => page.evaluate(() => {
  const { recording } = window.timeline;
  const p = recording.processes;
  const identity = (i, key) => recording.identities[key][p.identity[i]];
  return Array.from({ length: recording.count }, (_, i) => {
    const last = recording.lastExec(i);
    return {
      id: recording.id(i), pid: p.pid[i], parent_id: p.parent[i] < 0 ? null : recording.id(p.parent[i]),
      ns_pid: p.ns_pid[i], parent_blocked: p.parent_blocked[i] === 1, uid: p.uid[i], comm: recording.text(p.comm[i]), cgroup: recording.text(p.cgroup[i]),
      gid: identity(i, 'gid'), euid: identity(i, 'euid'), egid: identity(i, 'egid'), login_uid: identity(i, 'login_uid'),
      audit_session: identity(i, 'audit_session'), session_id: identity(i, 'session_id'),
      process_group: identity(i, 'process_group'), pid_ns_inode: identity(i, 'pid_ns_inode'),
      tty: recording.text(identity(i, 'tty')), args: last < 0 ? null : recording.argsOf(last), cwd: last < 0 ? null : recording.text(recording.execs.cwd[last]),
      exe: last < 0 ? null : recording.text(recording.execs.exe[last]),
      exit_code: (p.status[i] & 127) !== 0 ? null : p.status[i] >> 8,
      signal: (p.status[i] & 127) !== 0 ? recording.signalName(p.status[i] & 127) : null,
      duration_ns: p.duration[i], cpu_wait_ns: p.cpu_wait[i],
      max_rss_bytes: p.max_rss[i], minor_faults: p.minor_faults[i], voluntary_switches: p.voluntary_switches[i],
    };
  });
});

test('every process has the fields of the JSON stream', { skip }, async () => {
  const lines = execFileSync(bpftrap, ['show', recording, '--json', '--event', 'exit'], { maxBuffer: 1e8 })
    .toString().trim().split('\n').map((line) => JSON.parse(line));
  const ends = lines.filter((line) => line.event === 'exit');
  assert.ok(ends.length > 25, `${ends.length} ends`);
  const page = await open(fs.readFileSync(html));
  const processes = new Map((await processesOf(page)).map((p) => [p.id, p]));
  assert.equal(processes.size, ends.length);
  for (const end of ends) {
    const process = processes.get(end.id);
    assert.ok(process, `no process ${end.id}`);
    const known = { ...process, parent_id: process.parent_id ?? end.parent_id };
    // The page keeps bytes that are not UTF-8, the stream replaces them.
    known.args = known.args?.map((word) => word.replace(/[\udc80-\udcff]/gu, '\ufffd')) ?? null;
    for (const key of Object.keys(known)) {
      if (!['args', 'cwd', 'exe'].includes(key) || process.args !== null) {
        // The page has the final account, which the closing record brings after the record of the end.
        const holds = key === 'cpu_wait_ns' && end[key] !== null ? known[key] >= end[key]
          : isDeepStrictEqual(known[key], end[key]);
        assert.ok(holds, `${key} of ${end.id}: ${known[key]}, in the stream ${end[key]}`);
      }
    }
  }
  await screenshot(page, 'recording');
  await close(page);
});

test('every program has the fields of the JSON stream', { skip }, async () => {
  const execs = new Map(execFileSync(bpftrap, ['show', recording, '--json', '--event', 'exec'], { maxBuffer: 1e8 })
    .toString().trim().split('\n').map((line) => JSON.parse(line)).filter((line) => line.event === 'exec' && line.errno === null)
    .map((line) => [line.id, line]));
  const page = await open(fs.readFileSync(html));
  const programs = await page.evaluate(() => {
    const { recording } = window.timeline;
    const { execs } = recording;
    return Array.from({ length: recording.count }, (_, i) => [recording.id(i), recording.lastExec(i)])
      .filter(([, last]) => last >= 0)
      .map(([id, last]) => ({
        id, filename: recording.text(execs.filename[last]), args_size: execs.args_size[last],
        args_truncated: execs.truncated[last] === 1, cap_effective: execs.cap_effective[last].toString(16).padStart(16, '0'),
        secure: execs.secure[last] === 1, exe_deleted: execs.exe_deleted[last] === 1, cwd_deleted: execs.cwd_deleted[last] === 1,
      }));
  });
  assert.ok(programs.length > 25, `${programs.length} programs`);
  for (const program of programs) {
    for (const key of Object.keys(program)) {
      assert.deepEqual(program[key], execs.get(program.id)[key], `${key} of ${program.id}`);
    }
  }
  await close(page);
});

test('failures, marks and the chain are there, variables of the environment are not', { skip }, async () => {
  const page = await open(fs.readFileSync(html));
  const { status, failed, text, chain } = await page.evaluate(() => {
    const { recording } = window.timeline;
    const texts = [];
    for (let i = 0; i < recording.textCount; i++) {
      texts.push(recording.text(i));
    }
    return {
      status: recording.statusLabel(recording.byStart[0]), chain: recording.chain, text: texts.join('\n'),
      failed: recording.execs.error.filter((error) => error !== 0).map((error) => recording.header.errors[error]),
    };
  });
  assert.equal(status, 'exit 3');
  assert.ok(failed.includes('ENOENT'), failed.join());
  assert.ok(text.includes("</script><img src=x onerror=alert(1)>"));
  // It is an argument of env, and nothing else.
  assert.equal(text.split('SECRET=hidden-value').length, 2);
  assert.ok(!text.includes('LC_ALL='));
  assert.ok(chain);
  const life = await page.evaluate(() => {
    const { recording } = window.timeline;
    return recording.processes.duration[recording.byStart[0]];
  });
  assert.equal(chain.duration.reduce((sum, ns) => sum + ns, 0), life);
  assert.equal(fs.statSync(html).mode & 0o777, 0o600);
  await close(page);
});

test('show makes the same page again, and refuses to write it over the recording', { skip }, async () => {
  const again = path.join(directory, 'again.html');
  execFileSync(bpftrap, ['show', recording, '--timeline', again]);
  assert.ok(fs.readFileSync(again).equals(fs.readFileSync(html)));
  const refused = spawnSync(bpftrap, ['show', recording, '--timeline', recording]);
  assert.notEqual(refused.status, 0);
});
